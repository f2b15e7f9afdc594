"""How far a streaming job has read a table, by what stands in its checkpoint.

The snapshot that it has read up to stands there by its id, as eight bytes or as text; a file that
is not yet read to its end, by its address. The ids are random, so what is found is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.checkpoints import newest_checkpoint
from lakehouse.snapshots import snapshot_time

_DATA_FILE = re.compile(rb"[a-z0-9]+://[\x21-\x7e]+?\.parquet")


@dataclass(frozen=True)
class Position:
    """How far a job has read a table: all that was appended up to a sequence number, save `begun`.

    `sequence_number` is None where that cannot be known.
    """

    sequence_number: int | None
    begun: frozenset[int] = frozenset()
    """Snapshots of which it has not read every file to its end."""


def newest_content(folder: Path) -> tuple[datetime, bytes] | None:
    """When the newest checkpoint was made, and its files; a job that runs may replace it."""
    while (newest := newest_checkpoint(folder)) is not None:
        try:
            made_at = datetime.fromtimestamp((newest / "_metadata").stat().st_mtime, tz=UTC)
            return made_at, b"\n".join(each.read_bytes() for each in sorted(newest.iterdir()))
        except FileNotFoundError:
            continue
    return None


def has_read(table: Table, snapshot: Snapshot, content: bytes) -> bool:
    """Whether every row that the table got up to a snapshot had been read when it was made.

    :param table: as it is when the checkpoint is there, or later
    """
    until = snapshot_time(snapshot)
    if not any(snapshot_time(each) >= until for each in _named(table, content)):
        return False
    return all(
        added is not None and snapshot_time(added) > until
        for _, added in _unfinished(table, content)
    )


def read_since(table: Table, content: bytes) -> tuple[datetime | None, str, Position]:
    """The oldest snapshot's time (UTC) from which the job reads on, why from there, and how far.

    None: it cannot be known; the newest possible time: there is nothing to read yet.
    """
    if table.current_snapshot() is None:
        return datetime.max.replace(tzinfo=UTC), "there is nothing to read yet", Position(0)
    named = _named(table, content)
    if not named:
        return None, "its checkpoint names no snapshot of the table", Position(None)
    since, why = min(snapshot_time(each) for each in named), "it reads on from there"
    begun: set[int] = set()
    for file, added in _unfinished(table, content):
        if added is None:
            gone = f"it has not read all of {file}, of which the commit has expired"
            return None, gone, Position(None)
        begun.add(added.snapshot_id)
        if snapshot_time(added) < since:
            since, why = snapshot_time(added), f"it has not read all of {file}"
    read_to = min(each.sequence_number or 0 for each in named)
    return since, why, Position(read_to, frozenset(begun))


def _named(table: Table, content: bytes) -> list[Snapshot]:
    return [each for each in table.snapshots() if _names(content, each)]


def _names(content: bytes, snapshot: Snapshot) -> bool:
    number = snapshot.snapshot_id
    return number.to_bytes(8, "big") in content or str(number).encode() in content


def _unfinished(table: Table, content: bytes) -> Iterator[tuple[str, Snapshot | None]]:
    """Each of the table's files that is not read to its end, and the snapshot that brought it."""
    found = (path.decode() for path in _DATA_FILE.findall(content))
    left = {path for path in found if path.startswith(table.location())}
    for snapshot in reversed(table.snapshots()):
        if not left:
            return
        for manifest in snapshot.manifests(table.io):
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                if entry.data_file.file_path in left:
                    left.discard(entry.data_file.file_path)
                    added_in = entry.snapshot_id
                    yield (
                        entry.data_file.file_path,
                        None if added_in is None else table.snapshot_by_id(added_in),
                    )
    yield from ((path, None) for path in sorted(left))
