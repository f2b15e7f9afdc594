"""What of a table's past the newest checkpoint of a streaming job still needs.

A job that goes on from a checkpoint reads from the snapshot that it had read up to, and finishes
the files that it had begun; and it looks for the newest snapshot that it has made itself, to commit
nothing twice. All of these stand in the checkpoint by their names: a snapshot's id as eight bytes
or as text, a file's address and a job's id as text. The ids are random, so what is found is meant.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.checkpoints import newest_checkpoint
from lakehouse.maintenance.streams import STREAMS, Stream
from lakehouse.snapshots import FLINK_CHECKPOINT_ID, FLINK_JOB_ID
from lakehouse.tables import load

_END_OF_BATCH = str(2**63 - 1)
"""The checkpoint that a batch job, which has none, commits at its end."""
_DATA_FILE = re.compile(rb"[a-z0-9]+://[\x21-\x7e]+?\.parquet")


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
        checkpoint = read_newest(checkpoint_dir / stream.name(database))
        if checkpoint is not None:
            found.extend(_of_stream(catalog, database, stream, *checkpoint))
        elif any(_commits_of_flink(load(catalog, database, name)) for name in stream.writes):
            found.extend(_unknown(database, stream, checkpoint_dir))
    return tuple(found)


def read_newest(folder: Path) -> tuple[datetime, bytes] | None:
    """When the newest checkpoint was made, and its files; a job that runs may replace it."""
    while (newest := newest_checkpoint(folder)) is not None:
        try:
            made_at = datetime.fromtimestamp((newest / "_metadata").stat().st_mtime, tz=UTC)
            return made_at, b"\n".join(each.read_bytes() for each in sorted(newest.iterdir()))
        except FileNotFoundError:
            continue
    return None


def _unknown(database: str, stream: Stream, checkpoint_dir: Path) -> Iterator[Hold]:
    why = (
        f"it has committed, and has no checkpoint under {checkpoint_dir}: correct "
        f"RVA_CHECKPOINT_DIR or, if the job will be rebuilt, give --forget {stream.job}"
    )
    long_ago = datetime.min.replace(tzinfo=UTC)
    for table in (*stream.writes, *([stream.reads] if stream.reads else ())):
        yield Hold(stream.name(database), table, None, why, long_ago)


def _of_stream(
    catalog: Catalog, database: str, stream: Stream, made_at: datetime, content: bytes
) -> Iterator[Hold]:
    job = stream.name(database)
    if stream.reads is not None:
        table = load(catalog, database, stream.reads)
        since, why = _read(table, content)
        yield Hold(job, stream.reads, since, why, made_at)
    for name in stream.writes:
        since, why = _written(load(catalog, database, name), content)
        yield Hold(job, name, since, why, made_at)


def _read(table: Table, content: bytes) -> tuple[datetime | None, str]:
    if table.current_snapshot() is None:
        return datetime.max.replace(tzinfo=UTC), "there is nothing to read yet"
    named = [each for each in table.snapshots() if _names(content, each)]
    if not named:
        return None, "its checkpoint names no snapshot of the table"
    since, why = min(_time(each) for each in named), "it reads on from there"
    begun = {path.decode() for path in _DATA_FILE.findall(content)}
    for file, added_in in _added_files(table, begun):
        snapshot = None if added_in is None else table.snapshot_by_id(added_in)
        if snapshot is None:
            return None, f"it has not read all of {file}, of which the commit has expired"
        if _time(snapshot) < since:
            since, why = _time(snapshot), f"it has not read all of {file}"
    return since, why


def _added_files(table: Table, paths: set[str]) -> Iterator[tuple[str, int | None]]:
    """Each of the table's files among the paths, and the snapshot that brought it."""
    left = {path for path in paths if path.startswith(table.location())}
    for snapshot in reversed(table.snapshots()):
        if not left:
            return
        for manifest in snapshot.manifests(table.io):
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                if entry.data_file.file_path in left:
                    left.discard(entry.data_file.file_path)
                    yield entry.data_file.file_path, entry.snapshot_id
    yield from ((path, None) for path in sorted(left))


def _written(table: Table, content: bytes) -> tuple[datetime, str]:
    own = [
        _time(snapshot)
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


def _names(content: bytes, snapshot: Snapshot) -> bool:
    number = snapshot.snapshot_id
    return number.to_bytes(8, "big") in content or str(number).encode() in content


def _time(snapshot: Snapshot) -> datetime:
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC)
