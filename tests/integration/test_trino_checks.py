"""The checks' SQL on the running Trino, on tables of their own."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from trino.exceptions import TrinoQueryError

from integration.conftest import Deployment
from lakehouse.tables import load
from trino_checks.checks import named_sums, single_count
from trino_checks.counting import RowCountCheck
from trino_checks.errors import (
    GroupsDiffer,
    QueryCancelled,
    QueryFailed,
    RowCountMismatch,
    TrinoUnreachable,
)
from trino_checks.expectations import expectation
from trino_checks.query import Query, Value, bind
from trino_checks.running import RunningQuery

pytestmark = pytest.mark.integration

CHECKS = Path(__file__).resolve().parents[2] / "include" / "sql" / "checks"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
PATIENCE_SECONDS = 120
HOSTILE = "store'; DROP TABLE bronze_raw; --"
Answers = tuple[list[str], list[list[Any]]]
Ask = Callable[..., Answers]


@pytest.fixture
def ask(
    stack: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ask:
    """Ask by the Airflow connection `trino`, with an Airflow home that is nobody's."""
    if "AIRFLOW_HOME" not in os.environ:
        os.environ["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))
    address = urlsplit(stack["RVA_TRINO_URL"])
    monkeypatch.setenv(
        "AIRFLOW_CONN_TRINO", f"trino://rva@{address.hostname}:{address.port}/?catalog=lakehouse"
    )
    from trino_checks.answers import ask

    return ask


@pytest.fixture(scope="module")
def filled(deployment: Deployment) -> Deployment:
    """Two detections at noon, one of them a dog, and a person at the next midnight."""
    bronze = {
        "store_id": HOSTILE,
        "camera_id": "cam_01",
        "stream_id": "stream_001",
        "run_id": "r1",
        "payload": b"{}",
        "message_id": b"1",
        "publish_ts": NOON,
        "ingest_ts": NOON,
    }
    frames = [(0, "a"), (0, "a"), (1, "b")]  # the first one twice
    append(
        deployment,
        "bronze_raw",
        [bronze | {"frame_index": index, "capture_ts": ts} for index, ts in frames],
    )
    silver = {
        "store_id": "store_01",
        "camera_id": "cam_01",
        "stream_id": "stream_001",
        "run_id": "r1",
        "frame_index": 0,
        "image_width": 100,
        "image_height": 100,
        "conf": 0.9,
        "x1": 1.0,
        "y1": 1.0,
        "x2": 2.0,
        "y2": 2.0,
        "track_id": 1,
        "zone_x": 0,
        "zone_y": 0,
        "ingest_ts": NOON,
    }
    seen = [("d1", "person", NOON), ("d2", "dog", NOON), ("d3", "person", MIDNIGHT)]
    append(
        deployment,
        "silver_detection",
        [silver | {"det_id": d, "class_name": c, "capture_ts": t} for d, c, t in seen],
    )
    return deployment


def append(deployment: Deployment, name: str, rows: list[dict[str, Any]]) -> None:
    table = load(deployment.catalog, deployment.database, name)
    schema = table.schema().as_arrow()
    complete = [{field.name: row.get(field.name) for field in schema} for row in rows]
    typed = [
        {
            key: value.decode() if isinstance(value, bytes) and is_text(schema, key) else value
            for key, value in row.items()
        }
        for row in complete
    ]
    table.append(pa.Table.from_pylist(typed, schema=schema))


def is_text(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def check(deployment: Deployment, name: str, **parameters: Value) -> Query:
    text = (CHECKS / f"{name}.sql").read_text()
    return bind(text, database=deployment.database, parameters=parameters)


def test_frames_that_were_read_twice_count_once_and_values_are_only_values(
    filled: Deployment, ask: Ask
) -> None:
    of_run = {"store_id": HOSTILE, "camera_id": "cam_01", "run_id": "r1"}
    query = check(filled, "bronze_distinct_frames", **of_run)
    assert single_count("bronze", *ask("trino", "bronze", query)) == 2


def test_detections_of_a_run_are_counted_as_rows(filled: Deployment, ask: Ask) -> None:
    of_run = {"store_id": "store_01", "camera_id": "cam_01", "run_id": "r1"}
    between = {
        "first_capture_ts": "2026-11-24T12:00:00.000Z",
        "last_capture_ts": "2026-11-25T00:00:00.000Z",
    }
    query = check(filled, "silver_detections", **of_run, **between)
    assert single_count("silver", *ask("trino", "silver", query)) == 3
    other = check(filled, "silver_detections", **of_run | {"run_id": "r2"}, **between)
    assert single_count("silver", *ask("trino", "silver", other)) == 0


def test_days_of_a_run_are_those_on_which_it_was_received(filled: Deployment, ask: Ask) -> None:
    of_run = {"store_id": HOSTILE, "camera_id": "cam_01", "run_id": "r1"}
    query = check(filled, "days_received", **of_run)
    assert ask("trino", "days_received", query) == (["day"], [["2026-11-24"]])
    other = check(filled, "days_received", **of_run | {"run_id": "r2"})
    assert ask("trino", "days_received", other)[1] == []


def test_sums_of_a_day_are_people_of_that_utc_day_only(filled: Deployment, ask: Ask) -> None:
    sums = named_sums(
        "gold", *ask("trino", "gold", check(filled, "gold_equals_silver", day="2026-11-24"))
    )
    assert sums == {
        "silver_person_detections": 1,
        "people_per_minute_detections": 0,
        "zone_heatmap_hits": 0,
    }


def test_day_without_rows_sums_to_zeros(filled: Deployment, ask: Ask) -> None:
    query = check(filled, "gold_equals_silver", day="2020-01-01")
    assert set(named_sums("gold", *ask("trino", "gold", query)).values()) == {0}


def test_table_that_does_not_exist_is_told_in_trinos_words(ask: Ask) -> None:
    query = Query("SELECT count(*) FROM lakehouse.rva_no_such.bronze_raw", ())
    with pytest.raises(QueryFailed, match=r"SCHEMA_NOT_FOUND|TABLE_NOT_FOUND"):
        ask("trino", "bronze", query)


def test_trino_that_is_down_is_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        monkeypatch.setenv("AIRFLOW_CONN_TRINO", f"trino://rva@127.0.0.1:{port}")
        with pytest.raises(TrinoUnreachable, match="does not answer"):
            ask("trino", "bronze", Query("SELECT 1", ()))


def test_missing_connection_is_told(ask: Ask) -> None:
    with pytest.raises(TrinoUnreachable, match="no such connection"):
        ask("nowhere", "bronze", Query("SELECT 1", ()))


# operator, sensor and trigger

BY_CLASS = (
    "SELECT class_name, count(*) FROM {database}.silver_detection WHERE run_id = :run GROUP BY 1"
)
ENDLESS = """
SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(y),
UNNEST(sequence(1, 10000)) c(z) WHERE sin(x * y * z) > 2
"""


class Pushed:
    """Stands for the task instance: keeps what is pushed."""

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


def counting(kind: str, deployment: Deployment, **told: Any) -> Any:
    """An operator or a sensor on the filled Silver."""
    from trino_checks import operators, sensors

    arguments = {
        "task_id": "count",
        "sql": BY_CLASS,
        "table": "silver_detection",
        "database": deployment.database,
        "parameters": {"run": "r1"},
        **told,
    }
    if kind == "operator":
        return operators.TrinoRowCountOperator(**arguments)
    return sensors.TrinoRowCountSensor(poke_interval=0.1, timeout=1, **arguments)


def carried_out(operator: Any, context: Any) -> Any:
    """Execute, in the triggerer too where the operator is deferred."""
    from airflow.sdk.exceptions import TaskDeferred

    try:
        return operator.execute(context)
    except TaskDeferred as deferred:
        path, arguments = deferred.trigger.serialize()

        async def event() -> dict[str, Any]:
            from airflow.sdk.module_loading import import_string

            async for each in import_string(path)(**arguments).run():
                payload: dict[str, Any] = each.payload
                return payload
            raise AssertionError("no event")

        return operator.execute_complete(context, asyncio.run(event()))


EVERY_WAY = pytest.mark.parametrize(
    ("kind", "deferrable"),
    [("operator", False), ("operator", True), ("sensor", False), ("sensor", True)],
)


@EVERY_WAY
def test_counts_by_group_are_compared_and_the_query_is_linked(
    filled: Deployment, ask: Ask, kind: str, deferrable: bool
) -> None:
    task = Pushed()
    operator = counting(kind, filled, expected={"person": 2, "dog": "1"}, deferrable=deferrable)
    assert carried_out(operator, {"ti": task}) == {"person": 2, "dog": 1}
    query_id = task.xcoms["trino_query_id"]
    address = urlsplit(filled.variables["RVA_TRINO_URL"])
    assert task.xcoms["trino_query_url"] == (
        f"http://{address.hostname}:{address.port}/ui/query.html?{query_id}"
    )
    assert state_of(ask, query_id) == ["FINISHED", None]


@EVERY_WAY
def test_missing_and_surplus_groups_are_named(
    filled: Deployment, ask: Ask, kind: str, deferrable: bool
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    operator = counting(kind, filled, expected={"person": 2, "cat": 1}, deferrable=deferrable)
    with pytest.raises(AirflowFailException, match=r"cat is missing.*dog is surplus, with 1 rows"):
        carried_out(operator, {})


@pytest.mark.parametrize("deferrable", [True, False])
def test_groups_are_compared_with_what_a_second_query_answers(
    filled: Deployment, ask: Ask, deferrable: bool
) -> None:
    told = "SELECT class_name, n FROM (VALUES ('person', 2), ('dog', {n})) AS t(class_name, n)"
    right = counting(
        "operator", filled, expected_sql=told.replace("{n}", "1"), deferrable=deferrable
    )
    assert carried_out(right, {}) == {"person": 2, "dog": 1}
    wrong = counting("operator", filled, expected_sql=told.replace("{n}", "3"), deferrable=False)
    with pytest.raises(GroupsDiffer, match="dog has 1, expected 3 rows"):
        wrong.execute({})


def test_count_is_compared_with_another_table_s_within_a_tolerance(
    filled: Deployment, ask: Ask
) -> None:
    arguments = {
        "sql": "SELECT count(*) FROM {database}.silver_detection WHERE run_id = :run",
        "expected_sql": "SELECT count(*) + 1 FROM {database}.bronze_raw WHERE run_id = :run",
        "deferrable": False,
    }
    assert counting("operator", filled, **arguments, tolerance=0.25).execute({}) == 3
    with pytest.raises(RowCountMismatch, match=r"expected 4 rows, found 3 \(-1\)"):
        counting("operator", filled, **arguments).execute({})


@pytest.mark.parametrize(
    "value",
    [
        HOSTILE,
        "' OR '1'='1",
        "''",
        "\\' OR 1=1 --",
        "r1' UNION SELECT class_name, 99 FROM silver_detection --",
        "?; SELECT 1",
        ":run {database}",
        "\u2019\u02bc\uff07 OR 1=1",
        "line\nbreak\ttab",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "x" * 20_000,
    ],
)
@pytest.mark.parametrize("deferrable", [True, False])
def test_hostile_value_is_only_a_value(
    filled: Deployment, ask: Ask, value: str, deferrable: bool
) -> None:
    same = counting(
        "operator",
        filled,
        sql="SELECT count(*) FROM {database}.silver_detection WHERE run_id = :run",
        parameters={"run": value},
        expected=0,
        deferrable=deferrable,
    )
    assert carried_out(same, {}) == 0
    echo = Query("SELECT ? AS value", (value,))
    assert ask("trino", "echo", echo)[1] == [[value]]


@pytest.mark.parametrize("where", ["rva'; --", 'rva"."x', "rva.silver", "rva OR 1=1"])
def test_hostile_name_never_reaches_trino(filled: Deployment, ask: Ask, where: str) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    for told in ({"database": where}, {"table": where}):
        operator = counting("operator", filled, expected=1, deferrable=False, **told)
        with pytest.raises(AirflowFailException, match="cannot be a"):
            operator.execute({})


def state_of(ask: Ask, query_id: str) -> list[Any]:
    """What Trino says of a query: its state, and why it failed."""
    rows = ask(
        "trino",
        "state",
        Query(
            "SELECT state, error_code FROM system.runtime.queries WHERE query_id = ?", (query_id,)
        ),
    )[1]
    return list(rows[0])


def ends_as_cancelled(deployment: Deployment, ask: Ask, query_id: str) -> bool:
    """Whether it does; one that goes on is ended, for it would keep a processor busy."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if state_of(ask, query_id) == ["FAILED", "USER_CANCELED"]:
            return True
        time.sleep(1)
    with suppress(TrinoQueryError):
        deployment.query(f"CALL system.runtime.kill_query('{query_id}', 'its test is over')")
    return False


def endless(deployment: Deployment) -> RowCountCheck:
    return RowCountCheck(
        conn_id="trino",
        table="rva.t",
        subject="all rows",
        query=Query(ENDLESS, ()),
        expectation=expectation("rva.t", expected=0),
    )


@pytest.mark.parametrize("parameters", [{}, {"n": 2}])
def test_killed_operator_cancels_its_query_on_trino(
    filled: Deployment, ask: Ask, parameters: dict[str, Any]
) -> None:
    task, failed = Pushed(), []
    operator = counting(
        "operator",
        filled,
        sql=ENDLESS.replace("> 2", "> :n") if parameters else ENDLESS,
        parameters=parameters,
        expected=0,
        deferrable=False,
    )

    def execute() -> None:
        try:
            operator.execute({"ti": task})
        except QueryCancelled as error:
            failed.append(error)

    thread = threading.Thread(target=execute, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "trino_query_url" not in task.xcoms and time.monotonic() < deadline:
            time.sleep(0.05)
        query_id = task.xcoms["trino_query_id"]
        assert state_of(ask, query_id)[1] is None
    finally:
        operator.on_kill()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert len(failed) == 1
    assert ends_as_cancelled(filled, ask, query_id)


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "triggerer stops"])
def test_trigger_cancels_its_query_on_trino(filled: Deployment, ask: Ask, is_killed: bool) -> None:
    from trino_checks.triggers import TrinoRowCountTrigger

    async def run() -> str:
        trigger = TrinoRowCountTrigger(
            check=endless(filled).as_dict(), deadline=None, poll_interval_seconds=0.01
        )

        async def first() -> None:
            async for _ in trigger.run():
                pass

        task = asyncio.create_task(first())
        try:
            while trigger._query["query_id"] is None:
                await asyncio.sleep(0.05)
            query_id = str(trigger._query["query_id"])
            # as the triggerer does it
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            if is_killed:
                await trigger.on_kill()
        finally:
            await trigger.cleanup()
        return query_id

    assert ends_as_cancelled(filled, ask, asyncio.run(run()))


def test_query_that_runs_can_be_cancelled_by_another_thread(ask: Ask) -> None:
    running = RunningQuery("endless")
    threading.Timer(1.5, running.cancel).start()
    with pytest.raises(QueryCancelled):
        ask("trino", "endless", Query(ENDLESS, ()), running=running)
