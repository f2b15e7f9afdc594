"""What of a table's past the newest checkpoint of a streaming job still needs.

A job that goes on from a checkpoint reads from the snapshot that it had read up to, and finishes
the files that it had begun; and it looks for the newest snapshot that it has made itself, to commit
nothing twice. All of these stand in the checkpoint by their names: the first two as
`lakehouse.read_positions` says, a job's id as text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.backfill.claims import claimed_days
from lakehouse.maintenance.streams import STREAMS, Stream
from lakehouse.read_positions import Position, newest_content, read_since
from lakehouse.schema import SILVER_DETECTION
from lakehouse.snapshots import FLINK_CHECKPOINT_ID, FLINK_JOB_ID, snapshot_time
from lakehouse.tables import load

_END_OF_BATCH = str(2**63 - 1)
"""The checkpoint that a batch job, which has none, commits at its end."""


@dataclass(frozen=True)
class Hold:
    """A job needs every snapshot of a table since a moment (UTC); None: it cannot be known which.

    `checkpoint_at` is when the checkpoint was made: files that it has written and not yet committed
    are not older than the checkpoint before it.
    """

    job: str
    table: str
    since: datetime | None
    why: str
    checkpoint_at: datetime
    position: Position | None = None
    """None: the job does not read the table."""


def holds(
    catalog: Catalog, database: str, checkpoint_dir: Path, *, forgotten: Collection[str] = ()
) -> tuple[Hold, ...]:
    """Find what the newest checkpoint of each of the database's streaming jobs needs.

    A job that has committed and has no checkpoint there could need anything: is it the right
    folder? One that has never committed needs nothing.

    :param forgotten: jobs (of `STREAMS`) that need nothing, whatever they have left
    """
    found: list[Hold] = []
    for stream in STREAMS:
        if stream.job in forgotten:
            continue
        checkpoint = newest_content(checkpoint_dir / stream.name(database))
        if checkpoint is not None:
            found.extend(_of_stream(catalog, database, stream, *checkpoint))
        elif any(_commits_of_flink(load(catalog, database, name)) for name in stream.writes):
            found.extend(_unknown(database, stream, checkpoint_dir))
    return tuple(found)


def of_rebuilds(catalog: Catalog, database: str, now: datetime) -> Iterator[Hold]:
    """Find what the rebuilds of days read: Silver as it was when each took its day."""
    silver = load(catalog, database, SILVER_DETECTION.name)
    for day, holder in claimed_days(catalog, database).items():
        if holder.is_stale(now):
            continue
        claimed_at = datetime.fromisoformat(holder.since)
        times = [snapshot_time(each) for each in silver.snapshots()]
        since = max((each for each in times if each <= claimed_at), default=claimed_at)
        why = f"it reads Silver as it was at {holder.since}"
        yield Hold(f"the rebuild of {day}", SILVER_DETECTION.name, since, why, claimed_at)


def _unknown(database: str, stream: Stream, checkpoint_dir: Path) -> Iterator[Hold]:
    why = (
        f"it has committed, and has no checkpoint under {checkpoint_dir}: correct "
        f"RVA_CHECKPOINT_DIR or, if the job will be rebuilt, give --forget {stream.job}"
    )
    long_ago = datetime.min.replace(tzinfo=UTC)
    for table in stream.writes:
        yield Hold(stream.name(database), table, None, why, long_ago)
    for table in stream.reads:
        yield Hold(stream.name(database), table, None, why, long_ago, Position(None))


def _of_stream(
    catalog: Catalog, database: str, stream: Stream, made_at: datetime, content: bytes
) -> Iterator[Hold]:
    job = stream.name(database)
    for name in stream.reads:
        since, why, position = read_since(load(catalog, database, name), content)
        yield Hold(job, name, since, why, made_at, position)
    for name in stream.writes:
        since, why = _written(load(catalog, database, name), content)
        yield Hold(job, name, since, why, made_at)


def _written(table: Table, content: bytes) -> tuple[datetime, str]:
    own = [
        snapshot_time(snapshot)
        for snapshot, job_id in _commits_of_flink(table)
        if job_id.encode() in content
    ]
    if not own:
        return datetime.max.replace(tzinfo=UTC), "it has committed nothing"
    return max(own), "its newest commit"


def _commits_of_flink(table: Table) -> list[tuple[Snapshot, str]]:
    """The snapshots that streaming jobs have made, each with the job's id."""
    return [
        (each, job_id)
        for each in table.snapshots()
        if each.summary is not None
        and (job_id := each.summary.additional_properties.get(FLINK_JOB_ID))
        and each.summary.additional_properties.get(FLINK_CHECKPOINT_ID) != _END_OF_BATCH
    ]
