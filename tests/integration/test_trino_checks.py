"""The checks' SQL on the running Trino, on tables of their own."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest

from integration.conftest import Deployment
from lakehouse.tables import load
from trino_checks.checks import named_sums, single_count
from trino_checks.errors import QueryFailed, TrinoUnreachable
from trino_checks.query import Query, Value, bind

pytestmark = pytest.mark.integration

CHECKS = Path(__file__).resolve().parents[2] / "include" / "sql" / "checks"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
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
    monkeypatch.setenv("AIRFLOW_CONN_TRINO", f"trino://rva@{address.hostname}:{address.port}")
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
