"""How large each table may grow between two maintenances: the one place for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from lakehouse.maintenance.streams import STREAMS
from lakehouse.schema import SILVER_DETECTION, TABLES


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a table may have after its maintenance; what is beyond it is told as a warning."""

    data_files_per_day: int
    """Data files of one day's partition, today's included unless it is left."""
    delete_files_per_day: int
    """Delete files of one day's partition, which every reader must apply."""
    snapshots: int
    keep_snapshots: timedelta
    """Younger snapshots do not expire: the past stays readable."""
    keep_orphans: timedelta
    """Files that no snapshot names are removed when they are older."""
    file_size_mb: int
    """Smaller files are compacted into files of about this size."""
    leaves_today: bool = False
    """What is of today (UTC) is not compacted: a streaming Gold that is started afresh reads Silver
    in the order of its files' first arrivals, and compaction makes one file of many, in no order,
    of which it leaves out most as late."""
    commit_within: timedelta | None
    """How old the newest commit may be: a job that runs commits every few checkpoints, rows or not.
    None: a table that is written now and then."""


_WRITTEN_NOW_AND_THEN = Budget(
    data_files_per_day=20,
    delete_files_per_day=0,
    # a commit each ten seconds makes 8,640 a day
    snapshots=10_000,
    keep_snapshots=timedelta(days=1),
    keep_orphans=timedelta(days=3),
    file_size_mb=128,
    commit_within=None,
)
# a stream that runs replaces rows while its table is looked at
_UPSERTED = replace(_WRITTEN_NOW_AND_THEN, commit_within=timedelta(days=1), delete_files_per_day=20)
# each reader of the table, the next stream every two seconds, reads of all its snapshots (ADR 029);
# a commit each five seconds makes 5,040 until the hourly expiry
_APPENDED = replace(
    _WRITTEN_NOW_AND_THEN,
    commit_within=timedelta(days=1),
    keep_snapshots=timedelta(hours=6),
    snapshots=6_000,
)
_OF_STREAMS = {name for stream in STREAMS for name in stream.writes}
BUDGETS: dict[str, Budget] = {
    name: (_UPSERTED if table.upserted else _APPENDED)
    if name in _OF_STREAMS
    else _WRITTEN_NOW_AND_THEN
    for name, table in TABLES.items()
} | {SILVER_DETECTION.name: replace(_APPENDED, leaves_today=True)}
