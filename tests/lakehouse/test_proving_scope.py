"""Which messages belong to a run or a day, however they write it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from any_messages import spliced
from pyiceberg.catalog import Catalog
from small_lakehouse import DAY, SmallLakehouse

from lakehouse.proving.errors import DayUnusable
from lakehouse.proving.scope import GoldDays, Scope, parse_day

NEXT_DAY_AT_NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MS_A_DAY = 24 * 3600 * 1000


def captured(time: str, number: int = 1, run: str = "r") -> bytes:
    """A sound message, with these JSON texts for its time and run."""
    return spliced(
        [("capture_ts", time), ("frame_index", str(number)), ("run_id", json.dumps(run))]
    )


@pytest.mark.parametrize(
    "time",
    [
        '"2026-11-24T23:59:59.999Z"',
        '"2026-11-25T13:59:59+14:00"',
        '"2026-11-25T23:58:00+23:59"',
        '"2026-11-23T00:02:00-23:59"',
        '"2026\\u002d11-24T12:00:00Z"',
        '"\\u0032026-11-24 12:00:00z"',
    ],
)
def test_day_holds_every_frame_captured_in_it_however_it_is_written(
    catalog: Catalog, time: str
) -> None:
    small = SmallLakehouse(catalog)
    small.receive([captured(time), captured('"2026-11-25T00:00:00Z"', 2)])
    small.settle(closed=[DAY])
    found = small.prove(Scope(day=DAY))
    assert found.first_broken is None
    assert found.numbers["rows of bronze_raw"] == (1, 1)
    assert found.numbers["rows of silver_detection"] == (2, 2)


def test_run_is_found_in_the_payload_even_where_it_is_written_with_escapes(
    catalog: Catalog,
) -> None:
    small = SmallLakehouse(catalog)
    time = '"2026-11-24T12:00:00Z"'
    small.receive([captured(time, 1, "é/1"), captured(time, 2, "é/2")])
    small.settle(closed=[DAY])
    found = small.prove(Scope(run_id="é/1"))
    assert found.first_broken is None
    assert found.numbers["rows of bronze_raw"] == (1, 1)


def test_bad_message_belongs_to_the_day_in_which_it_was_received(catalog: Catalog) -> None:
    small = SmallLakehouse(catalog)
    small.receive([b"no JSON"], received_at=datetime(2026, 11, 24, 23, tzinfo=UTC))
    small.receive([b"no JSON 2026-11-24"], received_at=NEXT_DAY_AT_NOON)
    small.settle()
    found = small.prove(Scope(day=DAY))
    assert found.first_broken is None
    assert found.numbers["messages in bronze_raw"] == (1, 1)


def test_bad_detection_belongs_to_the_day_of_its_frame(catalog: Catalog) -> None:
    small = SmallLakehouse(catalog)
    bad = spliced([("detections.0.conf", "2"), ("capture_ts", '"2026-11-24T12:00:00Z"')])
    small.receive([bad, b"no JSON"], received_at=NEXT_DAY_AT_NOON)
    small.settle(closed=[DAY])
    assert small.prove(Scope(day=DAY)).numbers["rows of silver_quarantine"] == (1, 1)
    next_day = small.prove(Scope(day=NEXT_DAY_AT_NOON.date()))
    assert next_day.first_broken is None
    assert next_day.numbers["messages in bronze_raw"] == (1, 1)
    assert next_day.numbers["silver_detection + quarantined detections"] == (0, 0)


def test_gold_of_a_day_needs_the_evening_before_and_the_day_after() -> None:
    days = GoldDays(days=frozenset({date(1970, 1, 11)}), reach_seconds=30)
    start, end = 10 * MS_A_DAY, 12 * MS_A_DAY
    assert [days.need(start - 30_001), days.need(start - 30_000)] == [False, True]
    assert [days.need(end - 1), days.need(end)] == [True, False]
    assert GoldDays(days=None, reach_seconds=30).need(0)


def test_day_of_now_has_begun_and_tomorrow_has_not() -> None:
    now = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert parse_day("2026-11-24", now=now) == date(2026, 11, 24)
    for text in ("2026-11-25", "2026-02-29", "24.11.2026", "٢٠٢٦-11-24", "2026-11-24T00", ""):
        with pytest.raises(DayUnusable):
            parse_day(text, now=now)
