"""Days of one table that are older than it is kept, let go beside jobs that write and read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from string import Template

from pyiceberg.catalog import Catalog
from pyiceberg.manifest import ManifestContent, ManifestEntryStatus, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot

from lakehouse.maintenance.holds import Hold
from lakehouse.query import Session, change, session
from lakehouse.read_positions import Position
from lakehouse.retention.horizons import advance, kept_since, midnight
from lakehouse.retention.settings import RetentionSettings
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import load

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "retention"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Beyond:
    """What a table has of days before one, as its files tell; no data is read."""

    days: int
    rows: int
    data_files: int
    delete_files: int
    first_day: date | None
    last_day: date | None

    def __str__(self) -> str:
        """For people."""
        if not self.days:
            return "nothing"
        return (
            f"{self.rows:,} rows of {self.days:,} days in {self.data_files + self.delete_files:,} "
            f"files ({self.first_day} to {self.last_day})"
        )


NOTHING = Beyond(0, 0, 0, 0, None, None)


@dataclass(frozen=True)
class LetGo:
    """What went of a table, or would go, and which days stay for whom."""

    kept_since: date | None
    """The first whole day from now on; None: nothing was ever let go."""
    gone: Beyond
    left: tuple[str, ...] = ()


def would_go(
    catalog: Catalog,
    settings: LakehouseSettings,
    name: str,
    held: Sequence[Hold],
    retention: RetentionSettings,
    *,
    now: datetime | None = None,
) -> LetGo:
    """Tell what `let_go` would do, and do nothing.

    :param held: what jobs need, of this table or others
    :raises QueryFailed: Trino cannot tell.
    """
    table = load(catalog, settings.database, name)
    known = kept_since(table)
    wanted = retention.first_kept(name, now or datetime.now(UTC))
    if wanted is None:
        return LetGo(known, NOTHING)
    first_kept, left = _first_kept(table, [each for each in held if each.table == name], wanted)
    if first_kept is None:
        return LetGo(known, NOTHING, left)
    with session(settings) as trino:
        gone = _beyond(trino, name, first_kept)
    return LetGo(max(first_kept, known or first_kept), gone, left)


def let_go(
    catalog: Catalog,
    settings: LakehouseSettings,
    name: str,
    held: Sequence[Hold],
    retention: RetentionSettings,
    tell: Callable[[str], None],
    *,
    now: datetime | None = None,
) -> LetGo:
    """Delete the whole days that are older than the table is kept; twice is as once.

    The day since which the table is whole is recorded first: a run that is cut off in between has
    let nothing go that the record does not tell. The files go with the snapshots' expiry.

    :param held: what jobs need, of this table or others, asked before anything is changed
    :raises CommitsCollide: others committed during every attempt.
    :raises QueryFailed: Trino could not do it.
    """
    found = would_go(catalog, settings, name, held, retention, now=now)
    if found.kept_since is not None:
        advance(catalog, settings.database, name, found.kept_since)
    if found.gone.last_day is not None:
        tell(f"{name}: {found.gone} let go")
        change(settings, _text("let_go", name), [midnight(found.gone.last_day + timedelta(days=1))])
    return found


def _first_kept(
    table: Table, held: Sequence[Hold], wanted: date
) -> tuple[date | None, tuple[str, ...]]:
    """The first day to keep, which jobs may pull back; None where nothing may go."""
    first, left = wanted, []
    for hold in held:
        if hold.position is None:
            continue
        if hold.position.sequence_number is None:
            return None, (f"no day let go: {hold.job}: {hold.why}",)
        unread = oldest_unread(table, hold.position, wanted)
        if unread is not None:
            first = min(first, unread)
            left.append(f"days since {unread} stay: {hold.job} has not read all of them")
    return first, tuple(left)


def oldest_unread(table: Table, position: Position, before: date) -> date | None:
    """The oldest day, of those before one, of which a job has files still to read."""
    days = [
        day
        for snapshot in table.snapshots()
        if _is_unread(snapshot, position)
        for manifest in snapshot.manifests(table.io)
        if manifest.added_snapshot_id == snapshot.snapshot_id and _may_hold(manifest, before)
        for entry in manifest.fetch_manifest_entry(table.io)
        if entry.status == ManifestEntryStatus.ADDED
        and (day := _EPOCH + timedelta(days=entry.data_file.partition[0])) < before
    ]
    return min(days, default=None)


def _is_unread(snapshot: Snapshot, position: Position) -> bool:
    """Streams read what is appended, and pass over every other commit."""
    if snapshot.summary is None or snapshot.summary.operation != Operation.APPEND:
        return False
    number = snapshot.sequence_number or 0
    return number > (position.sequence_number or 0) or snapshot.snapshot_id in position.begun


def _may_hold(manifest: ManifestFile, before: date) -> bool:
    if manifest.content != ManifestContent.DATA:
        return False
    lowest = manifest.partitions[0].lower_bound if manifest.partitions else None
    if lowest is None:
        return True
    return int.from_bytes(lowest, "little", signed=True) < (before - _EPOCH).days


def _beyond(trino: Session, name: str, first_kept: date) -> Beyond:
    return Beyond(*trino.ask(_text("beyond", name), [first_kept.isoformat()]).rows[0])


def _text(sql: str, name: str) -> str:
    text = (SQL_DIR / f"{sql}.sql").read_text(encoding="utf-8")
    return Template(text).substitute(table=name, time=TABLES[name].partition_by_day_of)
