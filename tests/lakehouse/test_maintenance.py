"""Snapshots and tags that expire, and budgets; compaction and orphans need Trino."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from lakehouse.backfill.claims import claim
from lakehouse.maintenance.budgets import BUDGETS
from lakehouse.maintenance.figures import Figures
from lakehouse.maintenance.maintaining import expire, expire_past
from lakehouse.maintenance.streams import STREAMS
from lakehouse.schema import TABLES
from lakehouse.tables import ensure_tables, load

DATABASE = "rva"
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def table(catalog: Catalog) -> Table:
    """Bronze after four commits."""
    ensure_tables(catalog, DATABASE)
    made = load(catalog, DATABASE, "bronze_raw")
    for _ in range(4):
        made.append(pa.Table.from_pylist([], schema=made.schema().as_arrow()))
    return made


def at(table: Table, number: int) -> datetime:
    return datetime.fromtimestamp(table.snapshots()[number].timestamp_ms / 1000, tz=UTC)


def test_snapshot_of_the_moment_itself_stays_and_those_before_go(table: Table) -> None:
    kept = [each.snapshot_id for each in table.snapshots()[2:]]
    expire(table, at(table, 2), NOW)
    assert [each.snapshot_id for each in table.refresh().snapshots()] == kept


def test_newest_snapshot_stays_whatever_its_age(table: Table) -> None:
    newest = table.snapshots()[-1].snapshot_id
    expire(table, NOW + timedelta(days=1), NOW)
    assert [each.snapshot_id for each in table.refresh().snapshots()] == [newest]


def test_branch_keeps_its_snapshot_and_a_tag_that_has_had_its_time_does_not(table: Table) -> None:
    of_branch, of_tag, young = (each.snapshot_id for each in table.snapshots()[:3])
    day_ms = 24 * 3600 * 1000
    with table.manage_snapshots() as refs:
        refs.create_branch(of_branch, "backfill_2026_11_24")
        refs.create_tag(of_tag, "rejected_2026_11_23", max_ref_age_ms=1)
        refs.create_tag(young, "rejected_2026_11_24", max_ref_age_ms=day_ms)
    newest = table.snapshots()[-1].snapshot_id
    expire(table, NOW + timedelta(days=1), NOW + timedelta(hours=1))
    assert set(table.refresh().refs()) == {"main", "backfill_2026_11_24", "rejected_2026_11_24"}
    assert [each.snapshot_id for each in table.snapshots()] == [of_branch, young, newest]


def test_rebuild_keeps_the_silver_that_it_reads_however_old_that_is(catalog: Catalog) -> None:
    """Silver had not been committed to for long when the day was taken."""
    ensure_tables(catalog, DATABASE)
    silver = load(catalog, DATABASE, "silver_detection")
    nothing = pa.Table.from_pylist([], schema=silver.schema().as_arrow())
    silver.append(nothing)
    silver.append(nothing)
    # a claim tells its time in whole seconds
    time.sleep(1)
    claimed_at = datetime.now(UTC)
    taken = claim(catalog, DATABASE, date(2026, 11, 24), "nightly", now=claimed_at)
    silver.append(nothing)
    silver.append(nothing)
    budget = replace(BUDGETS["silver_detection"], keep_snapshots=timedelta(0))
    let_expire = partial(expire_past, catalog, DATABASE, "silver_detection", (), print)
    (left,) = let_expire(budget=budget, now=claimed_at + timedelta(hours=2))
    assert "the rebuild of 2026-11-24: it reads Silver as it was at" in left
    kept = [each.snapshot_id for each in silver.refresh().snapshots()]
    assert kept[0] == taken.silver_snapshot_id
    # nothing that came later has gone either
    assert len(kept) == 3
    # no run is as long as that: whoever took it has died
    assert let_expire(budget=budget, now=claimed_at + timedelta(hours=7)) == ()
    assert len(silver.refresh().snapshots()) == 1


def test_past_is_as_long_as_said_and_its_commits_fit_the_budget() -> None:
    for name, budget in BUDGETS.items():
        six_hours = name in ("bronze_raw", "silver_detection", "silver_quarantine")
        assert budget.keep_snapshots == timedelta(hours=6 if six_hours else 24), name
    # an hour more until it is let go; 5 s is the shortest interval that is advised
    appended = BUDGETS["bronze_raw"]
    assert appended.snapshots > (appended.keep_snapshots + HOUR) / timedelta(seconds=5)
    upserted = BUDGETS["gold_track_summary"]
    assert upserted.snapshots > (upserted.keep_snapshots + HOUR) / timedelta(seconds=10)


def test_what_streaming_gold_reads_in_order_is_compacted_when_the_day_is_over() -> None:
    left = {name for name, budget in BUDGETS.items() if budget.leaves_today}
    assert left == {"silver_detection"}


def test_every_table_has_a_budget() -> None:
    assert set(BUDGETS) == set(TABLES)


def test_what_a_stream_writes_must_be_committed_to_and_only_gold_may_have_deletes() -> None:
    written = {name for stream in STREAMS for name in stream.writes}
    assert {name for name, each in BUDGETS.items() if each.commit_within} == written
    with_deletes = {name for name, each in BUDGETS.items() if each.delete_files_per_day}
    assert with_deletes == {name for name, table in TABLES.items() if table.upserted}


def test_table_that_nobody_has_committed_to_is_within_its_budget() -> None:
    assert Figures(0, 0, 0.0, 0, 0, 0, None).beyond(BUDGETS["bronze_raw"], now=NOW) == ()


def test_what_is_beyond_the_budget_is_named_with_both_numbers() -> None:
    budget = replace(BUDGETS["bronze_raw"], commit_within=timedelta(hours=1))
    within = Figures(100, 0, 1.0, budget.data_files_per_day, 0, budget.snapshots, NOW)
    assert within.beyond(budget, now=NOW) == ()
    over = replace(within, most_data_files_a_day=21, most_delete_files_a_day=1)
    assert over.beyond(budget, now=NOW + timedelta(hours=2)) == (
        "21 data files in a day, not 20",
        "1 delete files in a day, not 0",
        "newest commit 2:00:00 ago, not 1:00:00",
    )
