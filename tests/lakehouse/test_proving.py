"""A proof holds where the tables are right, and says what is wrong where they are not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from any_messages import IMAGED, NEARLY_SOUND, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.memory import InMemoryCatalog
from small_lakehouse import (
    DATABASE,
    DAY,
    EVENING,
    NEXT_DAY,
    RECEIVED,
    Found,
    SmallLakehouse,
    lines,
    walk,
)

from lakehouse.proving.comparing import COMPARED
from lakehouse.proving.errors import NothingToProve
from lakehouse.proving.scope import Scope
from lakehouse.tables import load

HALF_BAD = (
    b'{"source":{"store_id":"store_01","camera_id":"cam_09","stream_id":"old"},"frame_index":1,'
    b'"capture_ts":"2026-11-24T12:00:00.200Z","image_size":{"width":100,"height":100},'
    b'"detections":[{"det_id":"x","class":"dog","bbox":{"x1":5,"y1":1,"x2":4,"y2":9},"conf":0.5},'
    b'{"det_id":"y","class":"person","bbox":{"x1":1,"y1":1,"x2":4,"y2":9},"conf":0.5}]}'
)
BAD = [b"no JSON", b"\xff\x00", b"", b"[1]", HALF_BAD.replace(b'"frame_index":1,', b"")]
RUN = "store_01-cam_01-1"


@pytest.fixture
def settled(catalog: Catalog) -> SmallLakehouse:
    """Two cameras across midnight, frames sent twice, bad messages; both days closed."""
    small = SmallLakehouse(catalog)
    good = lines(walk() + walk("cam_02", seed=2))
    small.receive([*good, *good[:60], *BAD, HALF_BAD, HALF_BAD, *BAD[:2]])
    small.settle(closed=[DAY, NEXT_DAY])
    return small


@pytest.mark.parametrize(
    "scope", [Scope(), Scope(run_id=RUN), Scope(day=DAY), Scope(day=NEXT_DAY)], ids=str
)
def test_right_tables_are_proven(settled: SmallLakehouse, scope: Scope) -> None:
    found = settled.prove(scope)
    assert found.first_broken is None
    assert found.differences == []
    assert found.proof.open_days == ()
    assert found.numbers["rows of silver_detection"][0]
    assert found.numbers["rows of gold_people_per_minute"][0]


def test_each_identity_stands_there_with_its_two_numbers(settled: SmallLakehouse) -> None:
    numbers = settled.prove().numbers
    messages = 400 + 60 + len(BAD) + 4
    assert numbers["rows of bronze_raw"] == (messages, messages)
    assert numbers["messages in bronze_raw"] == (messages, messages)
    silver = len(settled.rows("silver_detection"))
    assert numbers["silver_detection + quarantined detections"] == (silver + 1, silver + 1)
    persons = [row for row in settled.rows("silver_detection") if row["class_name"] == "person"]
    for day in (DAY, NEXT_DAY):
        of_day = sum(row["capture_ts"].date() == day for row in persons)
        assert numbers[f"{day}: gold_people_per_minute.detections"] == (of_day, of_day)
        assert numbers[f"{day}: gold_zone_heatmap.hits"] == (of_day, of_day)


def test_rows_that_are_missing_are_named(settled: SmallLakehouse) -> None:
    gone = {}
    for table in COMPARED:
        rows = settled.rows(table.name)
        gone[table.name] = rows[0]
        settled.replace(table.name, rows[1:])
    assert_found(settled.prove(), "missing", gone)


def test_rows_that_are_surplus_are_named(settled: SmallLakehouse) -> None:
    added = {}
    for table in COMPARED:
        row = settled.rows(table.name)[0] | {"store_id": "store_99"}
        added[table.name] = row | ({"message_id": b"of nobody"} if "message_id" in row else {})
        settled.append(table.name, [added[table.name]])
    assert_found(settled.prove(), "surplus", added)


def test_rows_that_stand_twice_are_named(settled: SmallLakehouse) -> None:
    twice = {}
    for table in COMPARED:
        twice[table.name] = settled.rows(table.name)[0]
        settled.append(table.name, [twice[table.name]])
    assert_found(settled.prove(), "doubled", twice)


def test_each_column_that_differs_is_named(settled: SmallLakehouse) -> None:
    changed: dict[tuple[str, str], dict[str, Any]] = {}
    for table in COMPARED:
        rows = settled.rows(table.name)
        columns = (*table.exact, *table.doubles)
        for number, row in enumerate(rows):
            of_row = columns[number :: len(rows)]
            if of_row:
                changed[table.name, " ".join(of_row)] = dict(row)
            row.update({column: another(column, row[column]) for column in of_row})
        settled.replace(table.name, rows)
    differences = settled.prove().differences
    assert {each["kind"] for each in differences} == {"differing"}
    assert {(each["table"], each["columns"]) for each in differences} == set(changed)
    for each in differences:
        assert_names(each, changed[each["table"], each["columns"]])


def test_last_digits_of_a_double_may_differ(settled: SmallLakehouse) -> None:
    rows = settled.rows("gold_track_summary")
    changed = [row | {"avg_conf": row["avg_conf"] * (1 + 1e-11)} for row in rows]
    settled.replace("gold_track_summary", changed)
    assert settled.prove().first_broken is None


def test_message_that_stands_twice_in_bronze_is_named(settled: SmallLakehouse) -> None:
    row = settled.rows("bronze_raw")[0]
    settled.append("bronze_raw", [row])
    found = settled.prove()
    assert found.broken[0] == "rows of bronze_raw"
    assert found.differences == [
        {"table": "bronze_raw", "kind": "doubled", "message_id": row["message_id"]}
    ]


def test_silver_that_lost_a_day_is_told_by_the_sums_too(settled: SmallLakehouse) -> None:
    rows = settled.rows("silver_detection")
    settled.replace("silver_detection", [row for row in rows if row["capture_ts"].date() == DAY])
    broken = settled.prove().broken
    assert "silver_detection + quarantined detections" in broken
    assert f"{NEXT_DAY}: gold_people_per_minute.detections" in broken
    assert f"{DAY}: gold_people_per_minute.detections" not in broken


def test_day_is_proven_by_itself(settled: SmallLakehouse) -> None:
    rows = settled.rows("gold_people_per_minute")
    settled.replace(
        "gold_people_per_minute", [row for row in rows if row["ts_minute"].date() == DAY]
    )
    assert settled.prove(Scope(day=DAY)).first_broken is None
    assert settled.prove(Scope(day=NEXT_DAY)).first_broken is not None


def test_run_is_proven_by_itself_in_silver(settled: SmallLakehouse) -> None:
    rows = settled.rows("silver_detection")
    gone = next(row for row in rows if row["run_id"] != RUN and row["class_name"] != "person")
    settled.replace("silver_detection", [row for row in rows if row is not gone])
    assert settled.prove(Scope(run_id=RUN)).first_broken is None
    assert settled.prove(Scope(run_id="store_01-cam_02-1")).first_broken is not None


def test_frames_that_were_published_and_are_not_in_bronze_are_named(
    settled: SmallLakehouse, tmp_path: Path
) -> None:
    sent = walk(seconds=41)
    file = tmp_path / "sent.jsonl"
    file.write_bytes(b"\n".join([*lines(sent), *lines(sent[:3]), b"no JSON"]))
    first = settled.prove(files=[file]).proof.identities[0]
    assert (first.left, first.right, first.holds) == (205, 200, False)
    assert first.faults == "5 missing"
    file.write_bytes(b"\n".join(lines(sent[:199])))
    assert settled.prove(files=[file]).proof.identities[0].faults == "1 surplus"
    file.write_bytes(b"\n".join(lines(sent[:200])))
    assert settled.prove(files=[file]).first_broken is None


def test_run_and_day_that_nothing_knows_cannot_be_proven(settled: SmallLakehouse) -> None:
    for scope in (Scope(run_id="nobody"), Scope(day=date(2026, 11, 1))):
        with pytest.raises(NothingToProve, match=str(scope)):
            settled.prove(scope)


def test_rows_of_a_run_without_messages_are_surplus(settled: SmallLakehouse) -> None:
    row = settled.rows("silver_detection")[0]
    settled.append("silver_detection", [row | {"run_id": "ghost"}])
    assert settled.prove(Scope(run_id="ghost")).first_broken is not None


def test_detection_that_was_refused_once_of_two_sendings_may_stand_under_either(
    settled: SmallLakehouse,
) -> None:
    rows = settled.rows("silver_quarantine")
    half_bad = next(row for row in rows if row["reason"] == "detection_bad_bbox")
    other_id = b"id-%06d" % (int(half_bad["message_id"][3:]) + 1)
    settled.replace(
        "silver_quarantine",
        [row | ({"message_id": other_id} if row is half_bad else {}) for row in rows],
    )
    assert settled.prove().first_broken is None


def test_quarantined_message_that_was_mended_and_replayed_is_settled(catalog: Catalog) -> None:
    small = SmallLakehouse(catalog)
    small.receive(lines(walk(seconds=2)))
    small.settle(closed=[DAY])
    refused_by_an_older_parser = {
        "reason": "message_not_json",
        "detail": "message_not_json: x",
        "message_id": b"id-000000",
        "ingest_ts": RECEIVED,
    }
    small.append("silver_quarantine", [refused_by_an_older_parser])
    assert small.prove().first_broken is not None
    small.replace("silver_quarantine", [refused_by_an_older_parser | {"replayed_ts": RECEIVED}])
    assert small.prove().first_broken is None


def test_table_without_a_column_says_what_to_run(settled: SmallLakehouse) -> None:
    with load(settled.catalog, DATABASE, "silver_quarantine").update_schema() as update:
        update.delete_column("replayed_ts")
    with pytest.raises(Exception, match="replayed_ts: run"):
        settled.prove()


@given(st.lists(NEARLY_SOUND | IMAGED | damaged(), min_size=1, max_size=30))
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
def test_any_messages_are_accounted_for_as_the_jobs_parser_does(payloads: list[bytes]) -> None:
    small = SmallLakehouse(InMemoryCatalog("any"))
    small.receive([*payloads, *payloads[::2]])
    small.settle(closed=[EVENING.date()])
    assert small.prove().first_broken is None


def another(column: str, value: Any) -> Any:
    """A value near this one that is not it."""
    if isinstance(value, datetime):
        return value + timedelta(milliseconds=1)
    if isinstance(value, float):
        return value * (1 + 1e-8) + 1e-8
    return value + 1 if isinstance(value, int) else 7 if column == "track_id" else f"{value}?"


def assert_found(found: Found, kind: str, rows: dict[str, dict[str, Any]]) -> None:
    """Exactly these rows are named, one a table, and their tables' identities are broken."""
    assert {(each["table"], each["kind"]) for each in found.differences} == {
        (table, kind) for table in rows
    }
    assert len(found.differences) == len(rows)
    assert {f"rows of {table}" for table in rows} <= set(found.broken)
    for each in found.differences:
        assert_names(each, rows[each["table"]])


def assert_names(difference: dict[str, Any], row: dict[str, Any]) -> None:
    """The difference names the row's key."""
    key = next(table.key for table in COMPARED if table.name == difference["table"])
    for name in set(key) - {"place"}:
        value = row[name]
        named = value.replace(tzinfo=None) if isinstance(value, datetime) else value
        assert difference[name] == named
