"""Ends of replays: where they lie, that each is declared once, and what a checkpoint has read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.read_positions import has_read
from lakehouse.replay_ends import (
    TABLE,
    Newest,
    ReplayEnd,
    declare,
    declared,
    end_after,
    newest_of,
)
from lakehouse.tables import ensure_tables, load

DATABASE = "rva"
TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
READ = datetime(2026, 11, 28, 12, tzinfo=UTC)
MS = timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def _made_tables(catalog: Catalog) -> None:
    ensure_tables(catalog, DATABASE)


def detections(catalog: Catalog, *captured: datetime, ingested: datetime = READ) -> Table:
    """Append a row each in one commit."""
    table = load(catalog, DATABASE, "silver_detection")
    schema = table.schema().as_arrow()
    filler = {"string": "x", "large_string": "x", "int64": 1, "int32": 1, "double": 1.0}
    rows = [
        {each.name: filler.get(str(each.type)) for each in schema}
        | {"capture_ts": each, "ingest_ts": ingested}
        for each in captured
    ]
    table.append(pa.Table.from_pylist(rows, schema=schema))
    return table


@pytest.mark.parametrize(
    ("captured", "up_to"),
    [
        (TEN, TEN + timedelta(hours=1)),
        (TEN + timedelta(minutes=59), TEN + timedelta(hours=1)),
        (TEN + timedelta(minutes=59, seconds=30), TEN + timedelta(hours=1)),
        (TEN + timedelta(minutes=59, seconds=30) + MS, TEN + timedelta(hours=1) + MS),
        (TEN - MS, TEN - MS + timedelta(seconds=30)),
    ],
    ids=["first of an hour", "in it", "gap to its end", "gap past its end", "last of an hour"],
)
def test_end_is_that_of_the_hour_or_of_the_longest_gap(captured: datetime, up_to: datetime) -> None:
    assert end_after(captured, timedelta(seconds=30)) == up_to


def test_newest_times_are_those_of_all_files(catalog: Catalog) -> None:
    assert newest_of(load(catalog, DATABASE, "silver_detection")) is None
    detections(catalog, TEN, TEN + timedelta(days=1, microseconds=1), TEN + MS)
    table = detections(catalog, TEN + timedelta(hours=2), ingested=READ + MS)
    assert newest_of(table) == Newest(TEN + timedelta(days=1, microseconds=1), READ + MS)
    table.delete()
    assert newest_of(table) is None


def test_end_of_a_reading_is_declared_once_and_never_taken_back(catalog: Catalog) -> None:
    def declares(up_to: datetime, reading: str = "one") -> bool:
        return declare(catalog, DATABASE, ReplayEnd(up_to, reading, READ), by="somebody")

    assert [declares(TEN), declares(TEN), declares(TEN - MS)] == [True, False, False]
    assert [declares(TEN + MS), declares(TEN, "two")] == [True, True]
    assert sorted((each.up_to, each.reading) for each in declared(catalog, DATABASE)) == [
        (TEN, "one"),
        (TEN, "two"),
        (TEN + MS, "one"),
    ]
    (who,) = set(load(catalog, DATABASE, TABLE).scan().to_arrow()["declared_by"].to_pylist())
    assert who == "somebody"


def named(snapshot: Snapshot) -> bytes:
    return b"\x01" + snapshot.snapshot_id.to_bytes(8, "big") + b"\x01"


def files(table: Table) -> list[str]:
    return [task.file.file_path for task in table.scan().plan_files()]


def test_checkpoint_has_read_what_it_names_unless_a_file_of_before_is_not_finished(
    catalog: Catalog,
) -> None:
    snapshots, files = [], []
    for minute in range(3):
        table = detections(catalog, TEN + timedelta(minutes=minute))
        snapshots.append(table.current_snapshot())
        there = {task.file.file_path for task in table.scan().plan_files()}
        files.append((there - set(files)).pop())
    second = snapshots[1]
    assert second is not None

    def reads(*content: bytes) -> bool:
        return has_read(table, second, b"".join(content))

    behind, there, beyond = (named(each) for each in snapshots if each is not None)
    assert [reads(b"nothing"), reads(behind), reads(there), reads(beyond)] == [
        False,
        False,
        True,
        True,
    ]
    begun = [f'{{"path":"{file}"}}'.encode() for file in files]
    assert [reads(beyond, each) for each in begun] == [False, False, True]
    gone = f'"{table.location()}/data/gone.parquet"'.encode()
    assert not reads(beyond, gone)
    assert reads(beyond, b'"s3://warehouse/another/data/file.parquet"')
