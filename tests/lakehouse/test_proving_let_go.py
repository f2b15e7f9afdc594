"""A proof of what is left: what a layer has let go is no loss; a loss beside it is still one."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import LessThan, Reference
from pyiceberg.expressions.literals import literal
from small_lakehouse import DATABASE, Found, SmallLakehouse, lines

from integration import walkers
from lakehouse.proving.errors import BeyondRetention, NothingToProve
from lakehouse.proving.let_go import LetGo, told
from lakehouse.proving.scope import Scope
from lakehouse.retention.horizons import advance, midnight
from lakehouse.schema import DAILY_GOLD, TABLES
from lakehouse.tables import load

FIRST, SECOND, THIRD = (date(2026, 11, number) for number in (20, 21, 22))
BAD_BOX = (
    b'{"source":{"store_id":"store_01","camera_id":"cam_09","stream_id":"old"},"frame_index":1,'
    b'"capture_ts":"2026-11-20T12:00:00.200Z","image_size":{"width":100,"height":100},'
    b'"detections":[{"det_id":"x","class":"dog","bbox":{"x1":5,"y1":1,"x2":4,"y2":9},"conf":0.5}]}'
)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def of_day(day: date) -> list[bytes]:
    return walk(at(day), str(day))


def walk(start: datetime, run: str) -> list[bytes]:
    return lines(walkers.frames("cam_01", start=start, seconds=40, seed=start.day, run=run))


@pytest.fixture
def settled(catalog: Catalog) -> SmallLakehouse:
    """Three days, each received an hour after; one run across the midnight of the third; closed."""
    small = SmallLakehouse(catalog)
    evening = walk(midnight(THIRD) - timedelta(seconds=20), "evening")
    small.receive([*of_day(FIRST), b"no JSON", BAD_BOX], received_at=at(FIRST, 13))
    small.receive([*of_day(SECOND), b"none"], received_at=at(SECOND, 13))
    small.receive(evening, received_at=at(THIRD, 1))
    small.receive(of_day(THIRD), received_at=at(THIRD, 13))
    small.settle(closed=[FIRST, SECOND, THIRD])
    return small


def let_go(small: SmallLakehouse, *names: str, before: date) -> None:
    """As maintenance does: recorded, then gone."""
    for name in names:
        advance(small.catalog, DATABASE, name, before)
        column = Reference(TABLES[name].partition_by_day_of)
        load(small.catalog, DATABASE, name).delete(
            LessThan(term=column, value=literal(midnight(before)))
        )


def assert_proven(found: Found) -> None:
    assert found.differences == []
    assert found.first_broken is None


@pytest.mark.parametrize(
    ("names", "before"),
    [
        (("bronze_raw",), SECOND),
        (("silver_detection",), SECOND),
        (("silver_quarantine",), SECOND),
        (DAILY_GOLD, SECOND),
        (("bronze_raw", "silver_detection"), THIRD),
        (("bronze_raw", "silver_detection", "silver_quarantine", *DAILY_GOLD), THIRD),
    ],
    ids=["Bronze", "Silver", "quarantine", "Gold", "Bronze and Silver", "all"],
)
def test_what_a_layer_has_let_go_is_no_loss(
    settled: SmallLakehouse, names: tuple[str, ...], before: date
) -> None:
    let_go(settled, *names, before=before)
    found = settled.prove()
    assert_proven(found)
    assert dict(found.proof.let_go) == dict.fromkeys(names, before)
    assert f"{names[0]} is kept since {before}" in "; ".join(told(found.proof.let_go))
    for day in (FIRST, THIRD):
        with contextlib.suppress(BeyondRetention):
            assert_proven(settled.prove(Scope(day=day)))


def test_days_that_every_layer_has_are_compared_as_before(settled: SmallLakehouse) -> None:
    before = settled.prove(Scope(day=THIRD)).numbers
    let_go(settled, "bronze_raw", "silver_detection", "silver_quarantine", before=SECOND)
    assert settled.prove(Scope(day=THIRD)).numbers == before
    assert settled.prove(Scope(day=THIRD)).proof.let_go == {}


def test_gold_of_the_first_day_of_silver_lacks_the_evening_before_and_is_not_compared(
    settled: SmallLakehouse,
) -> None:
    """The walkers of midnight began the day before."""
    let_go(settled, "silver_detection", before=THIRD)
    found = settled.prove(Scope(day=THIRD))
    assert_proven(found)
    assert found.proof.unproven_days == (THIRD,)
    assert found.numbers["rows of gold_track_summary"] == (0, 0)
    assert found.numbers["rows of silver_detection"][0] > 0


def test_gold_made_from_messages_that_are_gone_is_not_compared(settled: SmallLakehouse) -> None:
    let_go(settled, "bronze_raw", before=THIRD)
    found = settled.prove()
    assert_proven(found)
    # what began in the evening before was received on the third day
    assert found.proof.unproven_days == (FIRST, SECOND)


@pytest.mark.parametrize("table", ["silver_detection", "silver_quarantine", *DAILY_GOLD])
def test_loss_in_what_is_left_is_found(settled: SmallLakehouse, table: str) -> None:
    let_go(settled, "bronze_raw", "silver_detection", "silver_quarantine", before=SECOND)
    time = TABLES[table].partition_by_day_of
    rows = settled.rows(table)
    day = SECOND if table == "silver_quarantine" else THIRD
    lost = next(row for row in rows if row[time].date() == day)
    settled.replace(table, [row for row in rows if row is not lost])
    assert {(each["table"], each["kind"]) for each in settled.prove().differences} == {
        (table, "missing")
    }


def test_second_sending_of_what_was_let_go_asks_for_no_row(catalog: Catalog) -> None:
    """Silver and the quarantine have the first sending, Bronze has the second."""
    small = SmallLakehouse(catalog)
    small.receive([*of_day(FIRST), BAD_BOX], received_at=at(FIRST, 13))
    small.receive([*of_day(FIRST), BAD_BOX], received_at=at(SECOND, 13))
    small.settle(closed=[FIRST])
    let_go(small, "bronze_raw", before=SECOND)
    assert_proven(small.prove())
    let_go(small, "silver_quarantine", "silver_detection", before=SECOND)
    assert_proven(small.prove())


def test_frame_that_was_captured_before_the_horizon_and_received_after(catalog: Catalog) -> None:
    """Nobody can tell whether an earlier sending of a bad detection was let go: none is judged."""
    small = SmallLakehouse(catalog)
    small.receive([*of_day(FIRST), BAD_BOX, b"no JSON"], received_at=at(SECOND, 13))
    small.settle(closed=[FIRST])
    let_go(small, "bronze_raw", "silver_quarantine", before=SECOND)
    found = small.prove()
    assert_proven(found)
    assert found.numbers["rows of silver_quarantine"] == (1, 1)
    assert found.numbers["rows of silver_detection"][0] > 0


def test_rows_that_came_late_for_a_day_let_go_are_not_compared(settled: SmallLakehouse) -> None:
    rows = settled.rows("silver_detection")
    let_go(settled, "silver_detection", before=SECOND)
    settled.append("silver_detection", [row for row in rows if row["capture_ts"] < at(SECOND, 0)])
    assert_proven(settled.prove())


def test_frames_that_were_published_before_bronze_is_kept_are_not_asked_for(
    settled: SmallLakehouse, tmp_path: Path
) -> None:
    file = tmp_path / "published.jsonl"
    file.write_bytes(b"\n".join([*of_day(FIRST), *of_day(SECOND)]))
    let_go(settled, "bronze_raw", before=SECOND)
    found = settled.prove(files=[file])
    assert found.numbers["distinct frames published"] == (200, 200)
    assert_proven(found)


def test_day_of_which_nothing_is_left_is_said_to_be_let_go(settled: SmallLakehouse) -> None:
    every = ("bronze_raw", "silver_detection", "silver_quarantine", *DAILY_GOLD)
    let_go(settled, *every, before=SECOND)
    with pytest.raises(BeyondRetention, match=r"day 2026-11-20 .*bronze_raw since 2026-11-21"):
        settled.prove(Scope(day=FIRST))
    with pytest.raises(NothingToProve):
        settled.prove(Scope(day=date(2026, 11, 23)))


def test_scope_reaches_behind_a_horizon_where_it_needs_what_lies_there() -> None:
    gone = LetGo({"silver_detection": SECOND, "bronze_raw": SECOND})
    assert gone.reached_by([THIRD]) == {}
    assert gone.reached_by([SECOND]) == {"silver_detection": SECOND}
    assert gone.reached_by([FIRST, THIRD]) == gone.reached_by(None) == gone.horizons
    assert gone.gold_since == THIRD
