"""The three streaming jobs of a place together: their start and end, what they hold and write."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx

from bench.place import Place, await_look, await_silence, await_that
from bench.stages import flink
from flink_rest.errors import FlinkRestError
from flink_rest.settings import FlinkSettings
from flink_rest.waits import JobRuns
from lakehouse import tables
from lakehouse.maintenance.budgets import BUDGETS
from lakehouse.maintenance.holds import holds
from lakehouse.maintenance.maintaining import maintain, tidy
from lakehouse.maintenance.streams import STREAMS
from lakehouse.schema import GOLD_PEOPLE_PER_MINUTE, SILVER_DETECTION

BRONZE, SILVER, GOLD = (stream.job for stream in STREAMS)
WRITES = {stream.job: stream.writes for stream in STREAMS}
"""The tables that each job commits to."""
WRITTEN = tuple(name for names in WRITES.values() for name in names)
_SOURCES = {SILVER: "bronze_stream", GOLD: "arriving_detections"}
"""What each job names its source."""


def start(place: Place, *arguments: str, of_gold: Sequence[str] | None = None) -> dict[str, str]:
    """Start the jobs and wait until they run; returns their ids by name.

    :param of_gold: streaming Gold's arguments, if they are others
    """
    ids = {
        BRONZE: place.start(BRONZE, "--topic", place.topic, *arguments),
        SILVER: place.start(SILVER, *arguments),
        GOLD: place.start(GOLD, *(arguments if of_gold is None else of_gold)),
    }
    await_running(place, ids.values())
    return ids


def resume(place: Place, *jobs: str) -> dict[str, str]:
    """Resume cancelled jobs from their newest checkpoints and wait until they run."""
    ids = {job: place.resume(job) for job in jobs}
    await_running(place, ids.values())
    return ids


def await_running(place: Place, job_ids: Iterable[str]) -> None:
    """Wait until all tasks of the jobs run."""
    for job_id in job_ids:
        await_look(JobRuns(place.flink, job_id))


def cancel(place: Place, job_ids: Sequence[str]) -> None:
    """Cancel jobs one after the other, the last one first, and wait until they have ended."""
    for job_id in reversed(job_ids):
        flink.cancel(place, job_id)


def through_backlog(
    place: Place, job: str, records: int, *arguments: str, stand_in: Sequence[str] = ()
) -> flink.Run:
    """Run one job over its backlog until all of it is committed, then cancel it."""
    job_id, run = flink.run(place, job, records, *arguments, stand_in=stand_in)
    await_silence(place, job_id, WRITES[job][0])
    flink.cancel(place, job_id)
    return run


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a table is made of at one moment."""

    rows: int
    data_files: int
    delete_files: int
    snapshots: int
    metadata_kib: int


def held(place: Place, name: str) -> Held:
    """Read a table's newest metadata."""
    table = tables.load(place.catalog, place.database, name)
    snapshot = table.current_snapshot()
    told = {}
    if snapshot is not None and snapshot.summary is not None:
        told = snapshot.summary.additional_properties
    return Held(
        rows=int(told.get("total-records", 0)),
        data_files=int(told.get("total-data-files", 0)),
        delete_files=int(told.get("total-delete-files", 0)),
        snapshots=len(table.snapshots()),
        metadata_kib=len(table.io.new_input(table.metadata_location)) // 1024,
    )


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was committed to a table in a time."""

    commits: int
    data_files: int
    delete_files: int

    @property
    def files(self) -> int:
        """Of both kinds."""
        return self.data_files + self.delete_files


def written(place: Place, name: str, since: float, until: float) -> Written:
    """Count a table's commits between two moments (seconds of the epoch), empty ones too."""
    commits = data_files = delete_files = 0
    for snapshot in tables.load(place.catalog, place.database, name).snapshots():
        if since <= snapshot.timestamp_ms / 1000 < until:
            told = {} if snapshot.summary is None else snapshot.summary.additional_properties
            commits += 1
            data_files += int(told.get("added-data-files", 0))
            delete_files += int(told.get("added-delete-files", 0))
    return Written(commits=commits, data_files=data_files, delete_files=delete_files)


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """One maintenance of what the jobs write."""

    seconds: float
    left: list[str]
    """What could not be done, each with the table and who needs it."""
    beyond_budget: list[str]
    """What was over a table's budget after it, each with the table."""


def tidy_all(place: Place, kept: timedelta) -> Maintenance:
    """Tidy what the jobs write while they run, as the DAG `streams_maintenance` does.

    :param kept: younger snapshots stay: in a day that takes minutes, less than six hours
    """
    folder = FlinkSettings.from_env().checkpoint_dir
    began = time.monotonic()
    needed = holds(place.catalog, place.database, folder)
    left = []
    for name in WRITTEN:
        budget = replace(BUDGETS[name], keep_snapshots=kept)
        told = tidy(place.catalog, place.lakehouse, name, needed, lambda _: None, budget=budget)
        left += [f"{name}: {each}" for each in told]
    return Maintenance(seconds=round(time.monotonic() - began, 1), left=left, beyond_budget=[])


def maintain_all(place: Place, kept: timedelta, *, jobs_run: bool) -> Maintenance:
    """Maintain what the jobs write, as the DAG `lakehouse_maintenance` does.

    :param kept: younger snapshots stay: in a day that takes minutes, less than a day
    :param jobs_run: what their checkpoints need stays too, and so do orphans for the budget's three
        days: minutes are not enough to tell them from what a job has written and will commit
    """
    folder = FlinkSettings.from_env().checkpoint_dir
    began = time.monotonic()
    needed = holds(place.catalog, place.database, folder) if jobs_run else ()
    left, beyond = [], []
    for name in WRITTEN:
        budget = replace(BUDGETS[name], keep_snapshots=kept)
        if not jobs_run:
            budget = replace(budget, keep_orphans=kept)
        done = maintain(place.catalog, place.lakehouse, name, needed, lambda _: None, budget=budget)
        left += [f"{name}: {each}" for each in done.left]
        beyond += [f"{name}: {each}" for each in done.beyond]
    return Maintenance(seconds=round(time.monotonic() - began, 1), left=left, beyond_budget=beyond)


def state_bytes(rest: httpx.Client, job_id: str) -> int:
    """The whole state in a job's newest checkpoint; 0 before the first."""
    answer = rest.get(f"/jobs/{job_id}/checkpoints").raise_for_status().json()
    newest = answer["latest"]["completed"]
    return int(newest["state_size"]) if newest else 0


def read_by(rest: httpx.Client, job: str, jobs: Mapping[str, str]) -> int:
    """What Silver or Gold has read of the layer before since its start; not all is committed."""
    source = f"Source__{_SOURCES[job]}["
    return sum(records for name, records in flink.records_in(rest, jobs[job]) if source in name)


def await_committed(
    place: Place, jobs: Mapping[str, str], messages: int, silver_had: int = 0
) -> None:
    """Wait until Silver and Gold have committed what was there for them.

    :param messages: of Bronze that Silver must read since its start
    :param silver_had: rows of Silver that Gold may have read before its start
    :raises FlinkRestError: a job has failed meanwhile, so that it counts from nothing again
    """
    await_read(place, jobs, SILVER, messages)
    await_silence(place, jobs[SILVER], SILVER_DETECTION.name)
    await_read(place, jobs, GOLD, place.committed_rows(SILVER_DETECTION.name) - silver_had)
    await_silence(place, jobs[GOLD], GOLD_PEOPLE_PER_MINUTE.name)


def await_read(place: Place, jobs: Mapping[str, str], job: str, records: int) -> None:
    """Wait until Silver or Gold has read so much since its start.

    :raises FlinkRestError: it has failed meanwhile, so that it counts from nothing again
    """
    with httpx.Client(base_url=place.flink.url, timeout=30) as rest:

        def has_read() -> bool:
            if place.flink.failures(jobs[job]):
                raise FlinkRestError(f"{job} failed: {place.flink.failure(jobs[job])}")
            return read_by(rest, job, jobs) >= records

        await_that(f"{job} has read {records:,} records", has_read)
