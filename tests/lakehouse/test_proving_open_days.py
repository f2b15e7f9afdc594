"""On a day that no batch has closed, streaming Gold is held to what its watermark has passed."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from pyiceberg.catalog import Catalog
from small_lakehouse import (
    DATABASE,
    DAY,
    LATER,
    NEXT_DAY,
    RECEIVED,
    SmallLakehouse,
    lines,
    walk,
)
from streaming_model import streaming_gold

from frame_contract import Frame, event_time_ms
from integration import walkers
from lakehouse.closing import close_days
from lakehouse.replay_ends import ReplayEnd, declare
from lakehouse.schema import DAILY_GOLD, TABLES

LATENESS = timedelta(seconds=5)
MILLISECOND = timedelta(milliseconds=1)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def small(catalog: Catalog) -> SmallLakehouse:
    return SmallLakehouse(catalog)


def shown_until(watermark: datetime, table: str, row: dict[str, Any]) -> bool:
    """Whether streaming Gold shows the row: as Flink does, at the last millisecond of a window."""
    closes_at = {
        "gold_people_per_minute": lambda: row["ts_minute"] + MINUTE,
        "gold_zone_heatmap": lambda: row["ts_hour"] + HOUR,
        "gold_zone_dwell": lambda: row["ts_hour"] + HOUR,
        "gold_track_summary": lambda: row["end_ts"] + timedelta(seconds=30),
    }[table]()
    return bool(watermark >= closes_at - MILLISECOND)


def stream(small: SmallLakehouse, newest: datetime) -> None:
    """Leave in Gold what the stream shows when it has read a detection of that time."""
    for table in DAILY_GOLD:
        small.replace(
            table,
            [row for row in small.rows(table) if shown_until(newest - LATENESS, table, row)],
        )


def at(captured_at: datetime, run: str = "9") -> list[bytes]:
    """One frame with a detection, captured at that time."""
    return lines(walk(start=captured_at, seconds=1, seed=9, run=run)[:1])


def test_windows_that_the_watermark_has_not_passed_are_left_out_and_counted(
    small: SmallLakehouse,
) -> None:
    small.receive(lines(walk()))
    small.settle()
    newest = small.rows("silver_detection")
    stream(small, max(row["capture_ts"] for row in newest))
    found = small.prove()
    assert found.first_broken is None
    assert found.proof.open_days == (DAY, NEXT_DAY)
    assert found.left_out["gold_people_per_minute"] == {"open": 1}
    assert found.left_out["gold_track_summary"]["open"]
    assert found.numbers[f"{DAY}: gold_people_per_minute.detections"][0]


@pytest.mark.parametrize("short_by", [timedelta(0), MILLISECOND], ids=["passed", "not passed"])
def test_window_is_due_at_the_very_millisecond_at_which_the_watermark_passes_it(
    small: SmallLakehouse, short_by: timedelta
) -> None:
    due_at = walkers.MIDNIGHT + MINUTE - MILLISECOND + LATENESS
    small.receive([*lines(walk()), *at(due_at - short_by)])
    small.settle()
    stream(small, due_at - short_by)
    minutes = [row["ts_minute"] for row in small.rows("gold_people_per_minute")]
    assert (walkers.MIDNIGHT in minutes) is (not short_by)
    assert small.prove().first_broken is None
    small.replace(
        "gold_people_per_minute",
        [
            row
            for row in small.rows("gold_people_per_minute")
            if row["ts_minute"] < walkers.MIDNIGHT
        ],
    )
    assert (small.prove().first_broken is None) is bool(short_by)


@pytest.mark.parametrize("table", DAILY_GOLD)
def test_row_that_is_due_and_missing_is_named_on_an_open_day(
    small: SmallLakehouse, table: str
) -> None:
    newest = walkers.MIDNIGHT + HOUR + MINUTE
    small.receive([*lines(walk()), *at(newest)])
    small.settle()
    stream(small, newest)
    assert small.prove().first_broken is None
    rows = small.rows(table)
    small.replace(table, rows[1:])
    [difference] = small.prove().differences
    assert (difference["table"], difference["kind"]) == (table, "missing")
    time = TABLES[table].partition_by_day_of
    assert difference[time] == rows[0][time].replace(tzinfo=None)


def test_open_window_that_a_batch_has_shown_in_part_is_left_out(small: SmallLakehouse) -> None:
    small.receive(lines(walk()))
    small.settle()
    watermark = max(row["capture_ts"] for row in small.rows("silver_detection")) - LATENESS
    for table, column in (
        ("gold_people_per_minute", "detections"),
        ("gold_zone_heatmap", "hits"),
        ("gold_zone_dwell", "visits"),
        ("gold_track_summary", "frames"),
    ):
        rows = small.rows(table)
        partly = [row for row in rows if not shown_until(watermark, table, row)]
        assert partly
        small.replace(table, [row | {column: 1} if row in partly else row for row in rows])
    assert small.prove().first_broken is None


def test_windows_that_late_events_touched_may_differ_until_a_batch_closes_the_day(
    small: SmallLakehouse,
) -> None:
    newest = walkers.MIDNIGHT + HOUR + MINUTE
    small.receive([*lines(walk()), *at(newest)])
    small.settle()
    stream(small, newest)
    gold = {table: small.rows(table) for table in DAILY_GOLD}
    small.receive(
        lines(walk(seed=5, run="late", seconds=10)), received_at=RECEIVED + timedelta(minutes=1)
    )
    for table in TABLES:
        if table != "bronze_raw":
            small.replace(table, [])
    small.settle()
    for table in DAILY_GOLD:
        small.replace(table, gold[table])
    found = small.prove()
    assert found.first_broken is None
    assert all(found.left_out[table].get("late") for table in DAILY_GOLD)
    close_days(small.catalog, DATABASE, [DAY, NEXT_DAY], now=LATER)
    assert "rows of gold_people_per_minute" in small.prove().broken
    assert f"{DAY}: gold_people_per_minute.detections" in small.prove().broken


def end_at(small: SmallLakehouse, up_to: datetime) -> ReplayEnd:
    """The end of what has been read by now."""
    read = max(row["ingest_ts"] for row in small.rows("silver_detection"))
    return ReplayEnd(up_to, "reading", read)


@pytest.mark.parametrize("short_by", [timedelta(0), MILLISECOND], ids=["passed", "not passed"])
def test_declared_end_makes_windows_due_to_the_very_millisecond(
    small: SmallLakehouse, short_by: timedelta
) -> None:
    small.receive(lines(walk()))
    small.settle()
    up_to = walkers.MIDNIGHT + HOUR - short_by
    declare(small.catalog, DATABASE, end_at(small, up_to), by="a test")
    found = small.prove()
    assert found.first_broken is None
    assert found.left_out["gold_people_per_minute"] == found.left_out["gold_track_summary"] == {}
    assert bool(found.left_out["gold_zone_heatmap"].get("open")) is bool(short_by)
    small.replace("gold_people_per_minute", [])
    assert "rows of gold_people_per_minute" in small.prove().broken


def test_what_was_received_after_a_declared_end_may_be_missing(small: SmallLakehouse) -> None:
    small.receive(lines(walk()))
    small.settle()
    gold = {table: small.rows(table) for table in DAILY_GOLD}
    end = end_at(small, walkers.MIDNIGHT + HOUR)
    start = walkers.MIDNIGHT + timedelta(seconds=17)
    small.receive(lines(walk("cam_02", start=start, seconds=3)))
    small.receive(at(walkers.MIDNIGHT + 2 * HOUR))
    for table in TABLES:
        if table != "bronze_raw":
            small.replace(table, [])
    small.settle()
    for table in DAILY_GOLD:
        small.replace(table, gold[table])
    assert "rows of gold_people_per_minute" in small.prove().broken
    declare(small.catalog, DATABASE, end, by="a test")
    found = small.prove()
    assert found.first_broken is None
    assert all(found.left_out[table].get("late") for table in DAILY_GOLD)


def test_closed_day_is_compared_whole(small: SmallLakehouse) -> None:
    small.receive(lines(walk()))
    small.settle(closed=[DAY])
    stream(small, walkers.MIDNIGHT)
    found = small.prove()
    assert found.proof.open_days == (NEXT_DAY,)
    assert {each["table"] for each in found.differences} == {
        "gold_track_summary",
        "gold_zone_dwell",
        "gold_zone_heatmap",
        "gold_people_per_minute",
    }
    assert not any(
        each.get("ts_minute", each.get("ts_hour", walkers.MIDNIGHT.replace(tzinfo=None)))
        > walkers.MIDNIGHT.replace(tzinfo=None)
        for each in found.differences
    )


@pytest.mark.parametrize("a_millisecond", [1, 7])
@pytest.mark.parametrize("seed", range(6))
def test_what_flink_shows_is_proven_in_whatever_order_the_messages_came(
    small: SmallLakehouse, seed: int, a_millisecond: int
) -> None:
    chance = random.Random(seed)
    delay_seconds, share = chance.choice([0.5, 8, 60, 120]), chance.choice([0.02, 0.3, 1])
    start = walkers.MIDNIGHT + timedelta(minutes=59, seconds=chance.randrange(30))
    frames = walk(start=start, seconds=100) + walk("cam_02", start=start, seconds=60, seed=seed)
    frames += walk(start=walkers.MIDNIGHT + timedelta(minutes=121), seconds=2, run="2")

    def arrives(frame: Frame) -> float:
        late = chance.random() < share
        return event_time_ms(frame) / 1000 + (chance.uniform(0, delay_seconds) if late else 0)

    small.receive(lines(sorted(frames, key=arrives)), a_millisecond=a_millisecond)
    small.settle()
    silver = sorted(small.rows("silver_detection"), key=lambda row: row["ingest_ts"])
    shown = streaming_gold(silver)
    for table in DAILY_GOLD:
        small.replace(table, shown[table])
    found = small.prove()
    assert found.differences == []
    assert found.first_broken is None
    for table in DAILY_GOLD:
        if found.numbers[f"rows of {table}"][0]:
            small.replace(table, [])
            assert f"rows of {table}" in small.prove().broken
            break
