from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string

from trino_checks.errors import QueryFailed, TrinoUnreachable
from trino_checks.triggers import TrinoRowCountTrigger


def trigger(deadline: float | None = None) -> TrinoRowCountTrigger:
    return TrinoRowCountTrigger(
        trino_conn_id="trino",
        sql="SELECT count(*) FROM rva.t WHERE run_id = ?",
        values=["r1"],
        table="rva.t",
        subject="run_id r1",
        expected=3,
        deadline=time.time() + 30 if deadline is None else deadline,
        poll_interval_seconds=0.001,
    )


def first_event(
    monkeypatch: pytest.MonkeyPatch, *counts: int | Exception, deadline: float | None = None
) -> dict[str, Any]:
    waiting = trigger(deadline)
    script: Iterator[int | Exception] = iter(counts)

    def count() -> int:
        value = next(script)
        if isinstance(value, Exception):
            raise value
        return value

    monkeypatch.setattr(waiting, "_count", count)

    async def run() -> dict[str, Any]:
        async for event in waiting.run():
            payload: dict[str, Any] = event.payload
            return payload
        raise AssertionError("no event")

    return asyncio.run(run())


def test_serialized_trigger_is_made_again_the_same() -> None:
    classpath, arguments = trigger().serialize()
    assert import_string(classpath)(**arguments).serialize() == (classpath, arguments)
    assert set(arguments) == {*inspect.signature(TrinoRowCountTrigger).parameters}


def test_event_comes_when_all_rows_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first_event(monkeypatch, 0, 2, 3) == {"done": True, "actual": 3}


def test_doubled_rows_end_the_wait_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    event = first_event(monkeypatch, 2, 6)
    assert (event["done"], event["actual"], event["may_heal"]) == (False, 6, False)
    assert "rva.t: expected 3 rows, found 6" in event["error"]


def test_deadline_tells_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    event = first_event(monkeypatch, 2, deadline=time.time() - 1)
    assert "rva.t: expected 3 rows, found 2" in event["error"]
    assert event["may_heal"] is True


def test_trino_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first_event(monkeypatch, TrinoUnreachable("trino", "refused"), 3)["done"] is True


def test_refused_query_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    event = first_event(monkeypatch, QueryFailed("rva.t", "TABLE_NOT_FOUND: no such table"))
    assert "TABLE_NOT_FOUND" in event["error"]
