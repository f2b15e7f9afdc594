"""Jobs that read and write while rows are erased: who runs, who still needs what."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pyiceberg.catalog import Catalog
from pyiceberg.io import FileIO
from pyiceberg.manifest import ManifestContent, ManifestEntry, ManifestFile

from lakehouse.backfill.claims import claimed_days
from lakehouse.erasure.errors import StillRead
from lakehouse.erasure.files import gone_as_not_found
from lakehouse.maintenance.holds import Hold, holds
from lakehouse.maintenance.streams import DEFAULT_DATABASE, STREAMS, Stream
from lakehouse.read_positions import newest_content
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import load

WAIT_MINUTES = 15
"""How long a job that runs may take to move on; it needs two checkpoints, of 2 to 60 s each."""
_LOOK_SECONDS = 1.0
_TELL_SECONDS = 15.0
_ANSWER_SECONDS = 30.0
_ENDED = {"FINISHED", "CANCELED", "FAILED", "SUSPENDED"}
_MANIFEST = re.compile(rb"[a-z0-9]+://[\x21-\x7e]+?\.avro")


@dataclass(frozen=True)
class Jobs:
    """Names of the jobs that run; None: Flink does not answer."""

    running: frozenset[str] | None
    database: str

    def runs(self, stream: Stream) -> bool:
        """Whether Flink says that the stream runs, and so moves on by itself."""
        return self.running is not None and stream.name(self.database) in self.running

    @property
    def batches(self) -> list[str]:
        """The database's jobs that run and are no streams."""
        streams = {each.name(self.database) for each in STREAMS}
        return sorted(
            name
            for name in self.running or ()
            if name not in streams and _database_of(name) == self.database
        )


def _database_of(job: str) -> str:
    return job.partition("@")[2] or DEFAULT_DATABASE


def ask_flink(settings: LakehouseSettings) -> Jobs:
    """Ask Flink which jobs run."""
    try:
        answer = httpx.get(f"{settings.flink_url}/jobs/overview", timeout=_ANSWER_SECONDS)
        jobs = answer.raise_for_status().json()["jobs"]
    except (httpx.HTTPError, ValueError, KeyError):
        return Jobs(None, settings.database)
    running = frozenset(each["name"] for each in jobs if each["state"] not in _ENDED)
    return Jobs(running, settings.database)


def in_the_way(
    catalog: Catalog,
    settings: LakehouseSettings,
    jobs: Jobs,
    found: Iterable[tuple[str, Collection[str]]],
    forgotten: Collection[str],
) -> list[str]:
    """Name who keeps these files of these tables from going, each with what to do.

    :param found: tables, and the files of each that hold what is to be erased
    :param forgotten: jobs (of `STREAMS`) that need nothing, whatever they have left
    """
    files = dict(found)
    return [
        *_rebuilds(catalog, settings),
        *(f"{name} runs and may write it again: wait until it has ended" for name in jobs.batches),
        *_stopped(catalog, settings, jobs, files, forgotten),
    ]


def _rebuilds(catalog: Catalog, settings: LakehouseSettings) -> Iterator[str]:
    for day, holder in claimed_days(catalog, settings.database).items():
        yield (
            f"{day} is being rebuilt by {holder.owner} since {holder.since}: wait until that has "
            f'ended. If it never will, run `make lakehouse ARGS="backfill release {day}"`'
        )


def _stopped(
    catalog: Catalog,
    settings: LakehouseSettings,
    jobs: Jobs,
    files: dict[str, Collection[str]],
    forgotten: Collection[str],
) -> Iterator[str]:
    held = held_by_streams(catalog, settings, forgotten)
    for stream in STREAMS:
        if stream.job in forgotten or jobs.runs(stream):
            continue
        name = stream.name(settings.database)
        advice = (
            f"it does not run{'' if jobs.running is not None else ' (Flink does not answer)'}: "
            f"bring it back (`make streams`), or give --forget {stream.job} if it will be rebuilt"
        )
        for each in held:
            if each.job == name and each.table in files and _needs(each, stream):
                yield f"{name} still needs {each.table} as it is ({each.why}), and {advice}"
        for table in sorted(set(stream.writes) & set(files)):
            if pending(catalog, settings, stream, table) & set(files[table]):
                yield f"{name} has written files of {table} that it has yet to commit, and {advice}"


def _needs(hold: Hold, stream: Stream) -> bool:
    """A writer finds its position in the erasure's own commit; a reader must have moved on."""
    if hold.since is None:
        return True
    return hold.table in stream.reads and hold.since != datetime.max.replace(tzinfo=UTC)


def held_by_streams(
    catalog: Catalog, settings: LakehouseSettings, forgotten: Collection[str]
) -> tuple[Hold, ...]:
    """What the newest checkpoints need."""
    folder = Path(settings.checkpoint_dir)
    return holds(catalog, settings.database, folder, forgotten=forgotten)


def pending(catalog: Catalog, settings: LakehouseSettings, stream: Stream, table: str) -> set[str]:
    """Files of a table that the newest checkpoint of a stream has and may not have committed."""
    newest = newest_content(Path(settings.checkpoint_dir) / stream.name(settings.database))
    if newest is None:
        return set()
    loaded = load(catalog, settings.database, table)
    named = {each.decode() for each in _MANIFEST.findall(newest[1])}
    paths: set[str] = set()
    for path in named:
        if path.startswith(loaded.location()):
            try:
                entries = entries_of(loaded.io, path)
            except FileNotFoundError:
                continue  # committed, and taken away by the job
            paths |= {path, *(each.data_file.file_path for each in entries)}
    return paths


def entries_of(io: FileIO, path: str) -> list[ManifestEntry]:
    """What a manifest has, entries of files that are gone included, whoever names it.

    :raises FileNotFoundError: it is gone.
    """
    manifest = ManifestFile.from_args(
        manifest_path=path,
        manifest_length=0,
        partition_spec_id=0,
        content=ManifestContent.DATA,
        sequence_number=0,
        min_sequence_number=0,
        added_snapshot_id=0,
    )
    with gone_as_not_found(path):
        return manifest.fetch_manifest_entry(io, discard_deleted=False)


def settled_before(settings: LakehouseSettings, table: str, now: datetime) -> datetime:
    """What of a table was written earlier and is in no snapshot, nobody will commit any more.

    Save for what is `pending`. A checkpoint has what was written before it began.
    """
    made_at = [now]
    for stream in STREAMS:
        folder = Path(settings.checkpoint_dir) / stream.name(settings.database)
        if table in stream.writes and (newest := newest_content(folder)) is not None:
            made_at.append(newest[0])
    return min(made_at)


def wait_for_readers(
    catalog: Catalog,
    settings: LakehouseSettings,
    table: str,
    commit_at: datetime,
    forgotten: Collection[str],
    tell: Callable[[str], None],
) -> None:
    """Wait until the jobs that follow a table have read past a commit and written what they read.

    What a checkpoint has read is committed when it completes, so a second one must follow.

    :raises StillRead: they have not within `WAIT_MINUTES`.
    """
    for stream in STREAMS:
        if table not in stream.reads or stream.job in forgotten:
            continue
        if not ask_flink(settings).runs(stream):
            continue
        _wait(catalog, settings, stream, table, commit_at, tell)


def _wait(
    catalog: Catalog,
    settings: LakehouseSettings,
    stream: Stream,
    table: str,
    commit_at: datetime,
    tell: Callable[[str], None],
) -> None:
    name = stream.name(settings.database)
    began = told_at = time.monotonic()
    first: datetime | None = None
    while True:
        why = "it has no checkpoint"
        for each in held_by_streams(catalog, settings, ()):
            if each.job != name or each.table != table:
                continue
            why = each.why
            if each.since is not None and each.since >= commit_at:
                first = first or each.checkpoint_at
                if each.checkpoint_at > first:
                    return
        now = time.monotonic()
        if now - began > WAIT_MINUTES * 60:
            raise StillRead(name, f"{settings.database}.{table}", WAIT_MINUTES, why)
        if now - told_at > _TELL_SECONDS:
            told_at = now
            tell(f"{table}: waiting for {name} to move on, {now - began:.0f} s so far ({why})")
        time.sleep(_LOOK_SECONDS)
