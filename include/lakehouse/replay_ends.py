"""Ends of replays: declared in a table that streaming Gold reads beside Silver (ADR 018)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from lakehouse.tables import load

TABLE = "gold_replay_end"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class ReplayEnd:
    """All that was captured before `up_to` had been read by one start of gold_streaming."""

    up_to: datetime
    reading: str
    """The job's own name of that start."""
    read: datetime
    """The newest ingest_ts of Silver that had been read."""


@dataclass(frozen=True)
class Newest:
    """The newest times of Silver's rows (UTC)."""

    captured: datetime
    ingested: datetime


def newest_of(silver: Table) -> Newest | None:
    """The newest times of a snapshot by its files' bounds; None: it has no rows.

    Rows that were deleted since count: they have been read.
    """
    if silver.current_snapshot() is None:
        return None
    bounds = [task.file.upper_bounds or {} for task in silver.scan().plan_files()]
    if not bounds:
        return None
    captured, ingested = (
        max(_time(each[silver.schema().find_field(name).field_id]) for each in bounds)
        for name in ("capture_ts", "ingest_ts")
    )
    return Newest(captured, ingested)


def end_after(captured: datetime, longest_gap: timedelta) -> datetime:
    """The first moment at which every window is over that a last capture keeps open."""
    hour = captured.replace(minute=0, second=0, microsecond=0) + _HOUR
    return max(hour, captured + longest_gap)


def declare(catalog: Catalog, database: str, end: ReplayEnd, *, by: str) -> bool:
    """Append the end; False: it, or a later one for the same reading, is there already.

    :param by: who declares it
    """
    table = load(catalog, database, TABLE)
    if any(each.reading == end.reading and each.up_to >= end.up_to for each in _ends_in(table)):
        return False
    row = {
        "up_to_ts": end.up_to,
        "reading": end.reading,
        "read_ts": end.read,
        "declared_ts": datetime.now(UTC),
        "declared_by": by,
    }
    table.append(pa.Table.from_pylist([row], schema=table.schema().as_arrow()))
    return True


def declared(catalog: Catalog, database: str) -> tuple[ReplayEnd, ...]:
    """All ends that were ever declared, in no order."""
    return _ends_in(load(catalog, database, TABLE))


def _ends_in(table: Table) -> tuple[ReplayEnd, ...]:
    rows = table.scan(selected_fields=("up_to_ts", "reading", "read_ts")).to_arrow().to_pylist()
    return tuple(ReplayEnd(row["up_to_ts"], row["reading"], row["read_ts"]) for row in rows)


def _time(bound: bytes) -> datetime:
    """Iceberg's form of a bound: microseconds since 1970 in eight bytes, the least first."""
    return _EPOCH + timedelta(microseconds=int.from_bytes(bound, "little", signed=True))
