"""A day of Gold on a branch: claimed by one, published whole, others' days left alone."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.types import LongType

from lakehouse import commits
from lakehouse.backfill import claims, publishing, record
from lakehouse.backfill.claims import (
    Holder,
    branch_heads,
    branch_of,
    claim,
    claimed_days,
    release,
)
from lakehouse.backfill.errors import (
    DayLetGo,
    DayTaken,
    DayUnpublishable,
    NotClaimed,
    SilverEmpty,
)
from lakehouse.backfill.publishing import PublishedTable, publish
from lakehouse.errors import CommitsCollide
from lakehouse.retention.horizons import advance
from lakehouse.schema import (
    DAILY_GOLD,
    GOLD_BACKFILL,
    GOLD_PEOPLE_PER_MINUTE,
    SILVER_DETECTION,
    TABLES,
    Column,
)
from lakehouse.tables import ensure_tables, load

DATABASE = "rva"
DAY, NEXT_DAY = date(2026, 11, 24), date(2026, 11, 25)
NIGHT, NOON = datetime(2026, 11, 25, 2, tzinfo=UTC), datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTES = GOLD_PEOPLE_PER_MINUTE.name


@pytest.fixture(autouse=True)
def _made_tables(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_tables(catalog, DATABASE)
    write(load(catalog, DATABASE, SILVER_DETECTION.name), [])
    monkeypatch.setattr(commits, "_PAUSE_SECONDS", 0)


def minute(detections: int, *, at: datetime = NOON) -> dict[str, Any]:
    return {
        "store_id": "store_01",
        "camera_id": "cam_01",
        "ts_minute": at,
        "detections": detections,
        "unique_people": 1,
    }


def write(table: Table, rows: Iterable[dict[str, Any]], branch: str = "main") -> None:
    by_flink = {} if branch == "main" else {"flink.job-id": "a batch"}
    table.append(
        pa.Table.from_pylist(list(rows), schema=table.schema().as_arrow()),
        branch=branch,
        snapshot_properties=by_flink,
    )


def counts(catalog: Catalog, branch: str = "main") -> dict[date, int]:
    """Detections of each day of people per minute."""
    table = load(catalog, DATABASE, MINUTES)
    snapshot = table.snapshot_by_name(branch)
    assert snapshot is not None
    rows = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().to_pylist()
    days = sorted({row["ts_minute"].date() for row in rows})
    return {day: sum(r["detections"] for r in rows if r["ts_minute"].date() == day) for day in days}


def minutes(catalog: Catalog) -> Table:
    return load(catalog, DATABASE, MINUTES)


def rebuild(catalog: Catalog, *detections: int, owner: str = "nightly") -> None:
    """What the batch does: write the day's rows on its branch."""
    claim(catalog, DATABASE, DAY, owner, now=NIGHT)
    rows = [minute(n, at=NOON + timedelta(minutes=i)) for i, n in enumerate(detections)]
    if rows:
        write(minutes(catalog), rows, branch_of(DAY))


def publish_day(catalog: Catalog, owner: str = "nightly") -> tuple[PublishedTable, ...]:
    heads = branch_heads(catalog, DATABASE, DAY)
    return publish(catalog, DATABASE, DAY, owner, heads)


def test_branch_begins_without_the_day_and_what_is_published_stays(catalog: Catalog) -> None:
    write(minutes(catalog), [minute(3), minute(5, at=NOON + timedelta(days=1))])
    made = claim(catalog, DATABASE, DAY, "nightly", now=NIGHT)
    assert made.branch == "backfill_2026_11_24"
    assert counts(catalog, made.branch) == {NEXT_DAY: 5}
    assert counts(catalog) == {DAY: 3, NEXT_DAY: 5}


def test_claim_names_the_silver_that_is_read(catalog: Catalog) -> None:
    expected = load(catalog, DATABASE, SILVER_DETECTION.name).current_snapshot()
    assert expected is not None
    assert claim(catalog, DATABASE, DAY, "nightly").silver_snapshot_id == expected.snapshot_id


def test_day_without_any_silver_cannot_be_claimed(catalog: Catalog) -> None:
    ensure_tables(catalog, "empty")
    with pytest.raises(SilverEmpty, match=r"empty\.silver_detection has never had a row"):
        claim(catalog, "empty", DAY, "nightly")
    assert claimed_days(catalog, "empty") == {}


def test_day_is_replaced_and_what_others_wrote_meanwhile_stays(catalog: Catalog) -> None:
    write(minutes(catalog), [minute(3)])
    rebuild(catalog, 4, 6)
    write(minutes(catalog), [minute(5, at=NOON + timedelta(days=1))])
    told = publish_day(catalog)
    assert counts(catalog) == {DAY: 10, NEXT_DAY: 5}
    assert told[0] == PublishedTable(MINUTES, rows=2, changed=True)
    assert [each.table for each in told] == list(DAILY_GOLD)
    snapshot = minutes(catalog).current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    assert snapshot.summary.additional_properties["rva.backfill.owner"] == "nightly"


def test_published_twice_is_as_once(catalog: Catalog) -> None:
    rebuild(catalog, 4)
    publish_day(catalog)
    before = minutes(catalog).current_snapshot()
    assert [each.changed for each in publish_day(catalog)] == [False] * 4
    assert minutes(catalog).current_snapshot() == before


def test_day_that_was_written_before_its_table_got_a_column_is_published_with_nulls(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(minutes(catalog), [minute(3)])
    rebuild(catalog, 4, 5)
    with monkeypatch.context() as newer:
        columns = (*GOLD_PEOPLE_PER_MINUTE.columns, Column("staff", LongType(), "of the shop"))
        newer.setitem(TABLES, MINUTES, replace(GOLD_PEOPLE_PER_MINUTE, columns=columns))
        ensure_tables(catalog, DATABASE)
    publish_day(catalog)
    assert counts(catalog) == {DAY: 9}
    assert minutes(catalog).scan().to_arrow()["staff"].to_pylist() == [None, None]


def test_day_without_rows_is_published_as_empty(catalog: Catalog) -> None:
    write(minutes(catalog), [minute(3), minute(5, at=NOON + timedelta(days=1))])
    rebuild(catalog)
    assert publish_day(catalog)[0] == PublishedTable(MINUTES, 0, True)
    assert counts(catalog) == {NEXT_DAY: 5}


def test_commit_of_another_during_publishing_is_kept(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(minutes(catalog), [minute(3)])
    rebuild(catalog, 4)
    others = iter([minute(5, at=NOON + timedelta(days=1))])
    found = publishing.day_files

    def found_and_overtaken(*arguments: Any) -> Any:
        for row in others:
            write(minutes(catalog), [row])
        return found(*arguments)

    monkeypatch.setattr(publishing, "day_files", found_and_overtaken)
    publish_day(catalog)
    assert counts(catalog) == {DAY: 4, NEXT_DAY: 5}


def test_commit_of_another_into_the_empty_day_is_not_doubled(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no file to be missed, so only a second look can find it."""
    rebuild(catalog, 4)
    others = iter([minute(9)])
    found = publishing.day_files

    def overtaken(table: Table, snapshot: Any, day: date) -> Any:
        answer = found(table, snapshot, day)
        if not answer.data and table.name()[-1] == MINUTES:
            for row in others:
                write(minutes(catalog), [row])
        return answer

    monkeypatch.setattr(publishing, "day_files", overtaken)
    publish_day(catalog)
    assert counts(catalog) == {DAY: 4}


def test_claim_that_fails_half_way_is_given_back(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the object store is away")

    monkeypatch.setattr(claims, "_clear", fail)
    with pytest.raises(OSError, match="away"):
        claim(catalog, DATABASE, DAY, "nightly")
    assert claimed_days(catalog, DATABASE) == {}
    assert set(minutes(catalog).refs()) == {"main"}


def test_commits_without_end_are_told_and_the_day_is_as_it_was(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(minutes(catalog), [minute(3)])
    rebuild(catalog, 4)
    found = publishing.day_files

    def always_overtaken(*arguments: Any) -> Any:
        answer = found(*arguments)
        # into the day itself: what was found is no longer all of it
        write(minutes(catalog), [minute(1)])
        return answer

    monkeypatch.setattr(publishing, "day_files", always_overtaken)
    with pytest.raises(CommitsCollide, match=r"rva\.gold_people_per_minute .* 10 attempts"):
        publish_day(catalog)
    assert counts(catalog)[DAY] == 3 + 20


def test_somebody_elses_day_is_refused_with_who_and_since_when(catalog: Catalog) -> None:
    claim(catalog, DATABASE, DAY, "scheduled run", now=NIGHT)
    with pytest.raises(
        DayTaken, match=r"2026-11-24 .* by scheduled run since 2026-11-25T02:00:00\+00:00"
    ):
        claim(catalog, DATABASE, DAY, "by hand", now=NIGHT + timedelta(hours=5))
    with pytest.raises(NotClaimed, match="by hand"):
        publish_day(catalog, "by hand")
    # another day is free
    claim(catalog, DATABASE, NEXT_DAY, "by hand", now=NIGHT)
    assert claimed_days(catalog, DATABASE) == {
        DAY: Holder("scheduled run", "2026-11-25T02:00:00+00:00"),
        NEXT_DAY: Holder("by hand", "2026-11-25T02:00:00+00:00"),
    }


def test_same_owner_begins_anew(catalog: Catalog) -> None:
    rebuild(catalog, 4)
    write(minutes(catalog), [minute(5, at=NOON + timedelta(days=1))])
    made = claim(catalog, DATABASE, DAY, "nightly", now=NIGHT)
    assert counts(catalog, made.branch) == {NEXT_DAY: 5}


@pytest.mark.parametrize("rows", [[], [minute(3)]], ids=["empty", "with rows"])
def test_of_many_who_claim_at_once_one_has_the_day(
    catalog: Catalog, rows: list[dict[str, Any]]
) -> None:
    if rows:
        write(minutes(catalog), rows)

    def try_to_claim(number: int) -> bool:
        try:
            claim(catalog, DATABASE, DAY, f"run {number}")
        except DayTaken:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(try_to_claim, range(4))) == 1


def test_released_day_leaves_nothing_behind_but_what_was_published(catalog: Catalog) -> None:
    write(minutes(catalog), [minute(3)])
    rebuild(catalog, 4)
    assert not release(catalog, DATABASE, DAY, "by hand")
    assert release(catalog, DATABASE, DAY, "nightly")
    assert not release(catalog, DATABASE, DAY, "nightly")
    assert counts(catalog) == {DAY: 3}
    assert claimed_days(catalog, DATABASE) == {}
    refs = {name: set(load(catalog, DATABASE, name).refs()) - {"main"} for name in TABLES}
    # what was not published can be looked at
    rejected = {name: {"rejected_2026_11_24"} for name in DAILY_GOLD}
    assert refs == {name: set() for name in TABLES} | rejected
    assert counts(catalog, "rejected_2026_11_24") == {DAY: 4}
    assert claim(catalog, DATABASE, DAY, "by hand").owner == "by hand"


def test_published_day_leaves_nothing_to_look_at(catalog: Catalog) -> None:
    rebuild(catalog, 4)
    publish_day(catalog)
    release(catalog, DATABASE, DAY, "nightly")
    assert set(minutes(catalog).refs()) == {"main"}


def test_day_that_no_batch_has_written_leaves_nothing_to_look_at(catalog: Catalog) -> None:
    write(minutes(catalog), [minute(3)])
    claim(catalog, DATABASE, DAY, "nightly")
    release(catalog, DATABASE, DAY, "nightly")
    assert set(minutes(catalog).refs()) == {"main"}


def test_what_was_not_audited_is_not_published(catalog: Catalog) -> None:
    """Claimed anew after the audit, as when a single step is cleared: the branch lacks the day."""
    write(minutes(catalog), [minute(3)])
    rebuild(catalog, 4)
    audited = branch_heads(catalog, DATABASE, DAY)
    claim(catalog, DATABASE, DAY, "nightly")
    with pytest.raises(DayUnpublishable, match="it has changed since it was audited"):
        publish(catalog, DATABASE, DAY, "nightly", audited)
    assert counts(catalog) == {DAY: 3}


def test_claim_of_a_dead_run_can_be_taken_over_and_its_run_cannot_publish(
    catalog: Catalog,
) -> None:
    rebuild(catalog, 4, owner="a dead run")
    audited = branch_heads(catalog, DATABASE, DAY)
    claim(catalog, DATABASE, DAY, "nightly", now=NIGHT + timedelta(hours=7))
    with pytest.raises(NotClaimed, match="a dead run"):
        publish(catalog, DATABASE, DAY, "a dead run", audited)
    assert not release(catalog, DATABASE, DAY, "a dead run")
    assert release(catalog, DATABASE, DAY, "nightly")


def test_branch_that_a_late_batch_has_made_is_nobodys(catalog: Catalog) -> None:
    rebuild(catalog, 4)
    release(catalog, DATABASE, DAY, "nightly")
    minutes(catalog).manage_snapshots().create_branch(
        minutes(catalog).snapshots()[0].snapshot_id, branch_of(DAY)
    ).commit()
    assert claimed_days(catalog, DATABASE) == {}
    made = claim(catalog, DATABASE, DAY, "by hand")
    assert counts(catalog, made.branch) == {}


def test_half_released_day_can_be_released_and_not_published(catalog: Catalog) -> None:
    rebuild(catalog, 4)
    last = load(catalog, DATABASE, DAILY_GOLD[-1])
    last.manage_snapshots().remove_branch(branch_of(DAY)).commit()
    with pytest.raises(DayUnpublishable, match="it is missing"):
        publish_day(catalog)
    assert release(catalog, DATABASE, DAY)
    assert claimed_days(catalog, DATABASE) == {}


@pytest.mark.parametrize(
    ("table", "first", "told"),
    [
        (SILVER_DETECTION.name, NEXT_DAY, "silver_detection is kept since 2026-11-25, and the"),
        # a track of the evening before would be cut at midnight
        (SILVER_DETECTION.name, DAY, "silver_detection is kept since 2026-11-24, and the evening"),
        (DAILY_GOLD[-1], NEXT_DAY, "gold_zone_heatmap is kept since 2026-11-25"),
    ],
    ids=["Silver has let it go", "Silver has let the evening before go", "Gold has let it go"],
)
def test_day_of_which_something_was_let_go_is_refused_and_untouched(
    catalog: Catalog, table: str, first: date, told: str
) -> None:
    write(minutes(catalog), [minute(3)])
    advance(catalog, DATABASE, table, first)
    with pytest.raises(DayLetGo, match=f"Gold of 2026-11-24 cannot be rebuilt: {told}"):
        claim(catalog, DATABASE, DAY, "by hand", now=NIGHT)
    assert claimed_days(catalog, DATABASE) == {}
    assert set(minutes(catalog).refs()) == {"main"}
    assert counts(catalog) == {DAY: 3}


def test_first_day_with_all_that_it_needs_can_be_rebuilt(catalog: Catalog) -> None:
    advance(catalog, DATABASE, SILVER_DETECTION.name, DAY - timedelta(days=1))
    advance(catalog, DATABASE, MINUTES, DAY)
    assert claim(catalog, DATABASE, DAY, "by hand", now=NIGHT).day == DAY


def test_day_that_gold_lets_go_during_its_rebuild_is_not_published(catalog: Catalog) -> None:
    rebuild(catalog, 4)
    advance(catalog, DATABASE, MINUTES, NEXT_DAY)
    with pytest.raises(DayLetGo, match="gold_people_per_minute is kept since 2026-11-25"):
        publish_day(catalog)
    assert counts(catalog) == {}


@pytest.mark.parametrize(
    ("horizons", "first"),
    [
        ({}, DAY - timedelta(days=30)),
        ({SILVER_DETECTION.name: DAY - timedelta(days=9)}, DAY - timedelta(days=8)),
        ({SILVER_DETECTION.name: DAY - timedelta(days=90)}, DAY - timedelta(days=30)),
        ({MINUTES: DAY - timedelta(days=9)}, DAY - timedelta(days=9)),
        ({GOLD_BACKFILL.name: DAY - timedelta(days=9)}, DAY - timedelta(days=9)),
    ],
    ids=["nothing let go", "Silver", "long before", "Gold", "the record of rebuilds"],
)
def test_night_looks_at_no_day_of_which_something_was_let_go(
    catalog: Catalog, horizons: dict[str, date], first: date
) -> None:
    for name, day in horizons.items():
        advance(catalog, DATABASE, name, day)
    assert record._first_compared(catalog, DATABASE, DAY) == first
