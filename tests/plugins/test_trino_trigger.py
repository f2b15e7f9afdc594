from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string

from trino_checks import answers, triggers
from trino_checks.counting import RowCountCheck
from trino_checks.errors import QueryFailed, TrinoUnreachable
from trino_checks.expectations import Expectation, Tolerance, expectation
from trino_checks.query import Query
from trino_checks.running import RunningQuery
from trino_checks.triggers import TrinoRowCountTrigger

ONCE = None
COUNT = Query("SELECT count(*) FROM rva.t WHERE run_id = ?", ("r1",))
TOLD = Query("SELECT n FROM rva.told WHERE run_id = ?", ("r1",))


def trigger(
    deadline: float | None = 300.0,
    *,
    expected: Expectation | None = None,
    expected_query: Query | None = None,
    within: Tolerance = Tolerance(),  # noqa: B008 - frozen
) -> TrinoRowCountTrigger:
    check = RowCountCheck(
        conn_id="trino",
        table="rva.t",
        subject="run_id r1",
        query=COUNT,
        expectation=None if expected_query else expected or expectation("rva.t", expected=3),
        expected_query=expected_query,
        within=within,
    )
    return TrinoRowCountTrigger(
        check=check.as_dict(),
        deadline=None if deadline is None else time.time() + deadline,
        poll_interval_seconds=0.001,
    )


def answer(monkeypatch: pytest.MonkeyPatch, *script: Any) -> list[Query]:
    """Let Trino answer what is scripted: a count, rows, an error; returns what it was asked."""
    left: Iterator[Any] = iter(script)
    asked: list[Query] = []

    def ask(
        conn_id: str, check: str, query: Query, *, running: RunningQuery, tell: Any = None
    ) -> tuple[list[str], Any]:
        asked.append(query)
        if tell is not None:
            tell(f"q{len(asked)}", f"http://trino/ui/query.html?q{len(asked)}")
        value = next(left)
        if isinstance(value, Exception):
            raise value
        if isinstance(value, int):
            return ["n"], [[value]]
        return ["camera_id", "n"], value

    monkeypatch.setattr(answers, "ask", ask)
    return asked


def event_of(waiting: TrinoRowCountTrigger) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        async for event in waiting.run():
            payload: dict[str, Any] = event.payload
            return payload
        raise AssertionError("no event")

    return asyncio.run(run())


@pytest.mark.parametrize(
    "made",
    [
        trigger(),
        trigger(ONCE, expected=expectation("rva.t", expected=[["store_01", None, 5]])),
        trigger(expected_query=TOLD, within=Tolerance(share=0.01, rows=2)),
    ],
)
def test_serialized_trigger_is_made_again_the_same(made: TrinoRowCountTrigger) -> None:
    classpath, arguments = made.serialize()
    stored = json.loads(json.dumps(arguments))
    again = import_string(classpath)(**stored)
    assert again.serialize() == (classpath, arguments)
    assert again.check == made.check
    assert set(arguments) == {*inspect.signature(TrinoRowCountTrigger).parameters}


def test_event_comes_when_all_rows_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 0, 2, 3)
    assert event_of(trigger()) == {
        "done": True,
        "counted": 3,
        "query_id": "q3",
        "query_url": "http://trino/ui/query.html?q3",
    }


def test_event_of_groups_has_their_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, [["cam_01", 1]], [["cam_01", 2], ["cam_02", 1]])
    event = event_of(trigger(expected=expectation("t", expected={"cam_01": 2, "cam_02": 1})))
    assert (event["done"], event["counted"]) == (True, {"cam_01": 2, "cam_02": 1})


def test_doubled_rows_end_the_wait_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 2, 6)
    event = event_of(trigger())
    assert (event["done"], event["counted"], event["may_heal"]) == (False, 6, False)
    assert "rva.t: expected 3 rows, found 6" in event["error"]


def test_deadline_tells_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 2)
    event = event_of(trigger(deadline=-1))
    assert "rva.t: expected 3 rows, found 2" in event["error"]
    assert "silver_quarantine" in event["error"]
    assert event["may_heal"] is True


def test_deadline_of_a_trino_that_never_answered_says_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, TrinoUnreachable("trino", "refused"))
    assert "refused" in event_of(trigger(deadline=-1))["error"]


def test_trino_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, TrinoUnreachable("trino", "refused"), 3)
    assert event_of(trigger())["done"] is True


def test_refused_query_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, QueryFailed("rva.t", "TABLE_NOT_FOUND: no such table"))
    assert "TABLE_NOT_FOUND" in event_of(trigger())["error"]


@pytest.mark.parametrize(("found", "done"), [(3, True), (2, False)])
def test_operator_s_trigger_counts_once(
    monkeypatch: pytest.MonkeyPatch, found: int, done: bool
) -> None:
    asked = answer(monkeypatch, found)
    event = event_of(trigger(ONCE))
    assert event["done"] is done
    assert len(asked) == 1
    assert done or "see what the step before it wrote" in event["error"]


def test_trino_that_is_down_is_told_by_an_operator_s_trigger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, TrinoUnreachable("trino", "refused"))
    event = event_of(trigger(ONCE))
    assert (event["done"], event["may_heal"]) == (False, True)


def test_expected_count_is_asked_anew_at_each_look_and_the_link_is_to_the_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = answer(monkeypatch, 100, 50, 200, 199)
    event = event_of(trigger(expected_query=TOLD, within=Tolerance(share=0.01)))
    assert event["done"] is True
    assert asked == [TOLD, COUNT, TOLD, COUNT]
    assert event["query_id"] == "q4"


def test_first_query_is_linked_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 1, 2, 3)
    pushed: list[tuple[str, Any, Any]] = []

    def push(key: str, value: Any, **where: Any) -> None:
        pushed.append((key, value, where))

    monkeypatch.setattr("airflow.sdk.execution_time.xcom.XCom.set", push)
    waiting = trigger()
    where = {"dag_id": "d", "task_id": "t", "run_id": "r", "map_index": 4}
    waiting._task_instance = SimpleNamespace(**where)  # type: ignore[assignment]
    assert event_of(waiting)["query_id"] == "q3"
    assert pushed == [
        ("trino_query_id", "q1", where),
        ("trino_query_url", "http://trino/ui/query.html?q1", where),
    ]


def test_link_that_cannot_be_left_ends_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 3)

    def push(*_: Any, **__: Any) -> None:
        raise RuntimeError("no supervisor")

    monkeypatch.setattr("airflow.sdk.execution_time.xcom.XCom.set", push)
    waiting = trigger()
    waiting._task_instance = SimpleNamespace(  # type: ignore[assignment]
        dag_id="d", task_id="t", run_id="r", map_index=-1
    )
    assert event_of(waiting)["done"] is True


@pytest.mark.parametrize("is_killed", [True, False])
def test_kill_and_shutdown_cancel_the_query_that_runs(
    monkeypatch: pytest.MonkeyPatch, is_killed: bool
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def ask(*_: Any, running: RunningQuery, tell: Any = None) -> Any:
        begun.set()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not running.is_cancelled:
            time.sleep(0.01)
        ended.set()
        running.refuse_if_cancelled()

    monkeypatch.setattr(answers, "ask", ask)
    # less than the query would go on for
    monkeypatch.setattr(triggers, "CANCEL_SECONDS", 60.0)

    async def run() -> bool:
        waiting = trigger(ONCE)

        async def first() -> None:
            async for _ in waiting.run():
                pass

        task = asyncio.create_task(first())
        assert await asyncio.to_thread(begun.wait, 60)
        # as the triggerer does it
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if is_killed:
            await waiting.on_kill()
            return ended.is_set()
        await waiting.cleanup()
        return await asyncio.to_thread(ended.wait, 60)

    assert asyncio.run(run())


def test_trigger_that_asks_nothing_yet_can_be_killed() -> None:
    asyncio.run(trigger().on_kill())


def test_long_queries_leave_the_event_loop_s_threads_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()
    waiting = [trigger(ONCE) for _ in range(40)]  # more than the loop has threads

    def ask(*_: Any, **__: Any) -> Any:
        release.wait(120)
        return ["n"], [[3]]

    monkeypatch.setattr(answers, "ask", ask)

    async def event(one: TrinoRowCountTrigger) -> Any:
        async for each in one.run():
            return each.payload["done"]
        return None

    async def run() -> list[Any]:
        tasks = [asyncio.create_task(event(each)) for each in waiting]
        await asyncio.sleep(0.1)
        await asyncio.wait_for(asyncio.to_thread(release.set), 60)
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [True] * 40
