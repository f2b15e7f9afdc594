"""The files of one UTC day in a snapshot of a table that is partitioned by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.expressions.visitors import inclusive_projection, manifest_evaluator
from pyiceberg.manifest import DataFile, DataFileContent, ManifestEntry
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class DayFiles:
    """Data files of the day; whether a delete file takes rows out of any of them."""

    data: tuple[DataFile, ...]
    has_deletes: bool

    @property
    def rows(self) -> int:
        """Rows of the data files."""
        return sum(each.record_count for each in self.data)

    @property
    def paths(self) -> frozenset[str]:
        """The data files' addresses."""
        return frozenset(each.file_path for each in self.data)


def day_files(table: Table, snapshot: Snapshot | None, day: date) -> DayFiles:
    """Find the day's files; a delete file counts only where it is younger than a data file."""
    data: list[ManifestEntry] = []
    deletes: list[ManifestEntry] = []
    for entry in _entries(table, snapshot, day):
        (data if entry.data_file.content == DataFileContent.DATA else deletes).append(entry)
    oldest = min((_sequence(each) for each in data), default=0)
    return DayFiles(
        data=tuple(each.data_file for each in data),
        has_deletes=bool(data) and any(_sequence(each) >= oldest for each in deletes),
    )


def _entries(table: Table, snapshot: Snapshot | None, day: date) -> Iterator[ManifestEntry]:
    if snapshot is None:
        return
    [field] = table.spec().fields
    column = Reference(table.schema().find_column_name(field.source_id) or "")
    start = datetime.combine(day, time(), tzinfo=UTC)
    on_the_day = And(
        GreaterThanOrEqual(term=column, value=literal(start)),
        LessThan(term=column, value=literal(start + timedelta(days=1))),
    )
    in_partition = inclusive_projection(table.schema(), table.spec())(on_the_day)
    may_hold = manifest_evaluator(table.spec(), table.schema(), in_partition)
    ordinal = (day - _EPOCH).days
    for manifest in snapshot.manifests(table.io):
        if may_hold(manifest):
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                if entry.data_file.partition[0] == ordinal:
                    yield entry


def _sequence(entry: ManifestEntry) -> int:
    return entry.sequence_number or 0
