"""A streaming job is ensured, not launched: adopted, resumed, or started.

It is safe to call again at any moment: a job that runs under its name is adopted, so a second
call, a retry after a lost answer or a worker's death never makes a second job.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from flink_rest.client import FlinkClient
from flink_rest.errors import (
    CheckpointDoesNotFit,
    FlinkUnreachable,
    FreshStartRefused,
    JobFailed,
    JobNotFound,
    JobScriptFailed,
    JobStillRunning,
    NoJobSubmitted,
    SeveralJobsOfOneName,
)
from flink_rest.records import JobStatus, JobSummary

log = logging.getLogger(__name__)

ENDING_SECONDS = 60.0
"""How long a job that is failing or being cancelled may take to end; it needs a few seconds."""
LOST_ANSWER_SECONDS = 60.0
"""How long a job may take to appear after the answer to its submission was lost."""
SUBMISSION_ATTEMPTS = 4
"""How often a submission that met another one is tried: within half a minute."""
_LOOK_AGAIN_SECONDS = 1.0
_NO_FIT = "Cannot map checkpoint/savepoint state"


class How(StrEnum):
    """How a job came to run."""

    ADOPTED = "adopted"
    RESUMED = "resumed"
    STARTED = "started"


@dataclass(frozen=True, kw_only=True)
class JobSpec:
    """A job: its name on the cluster, its Python file, and what a fresh start would endanger.

    `refuse_fresh_start_when_rows_in` names the table that a job without a checkpoint would fill a
    second time; None for a job that replaces rows by key, which is started afresh also when it has
    changed so that its checkpoint does not fit any more. `slots` is its parallelism.
    """

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    refuse_fresh_start_when_rows_in: str | None = None
    slots: int = 1


@dataclass(frozen=True)
class EnsuredJob:
    """A job that is on the cluster, and how it got there."""

    job_id: str
    how: How
    restored_from: str | None = None


def ensure_job(
    client: FlinkClient,
    spec: JobSpec,
    *,
    checkpoint_dir: Path,
    target_rows: Callable[[str], int],
    rebuild: bool = False,
) -> EnsuredJob:
    """Adopt the job that runs under this name, or resume it, or start it.

    :param checkpoint_dir: the folder that holds each job's checkpoints in a folder of its name
    :param target_rows: counts a table's rows; asked only before a fresh start
    :param rebuild: start afresh, checkpoints and rows notwithstanding; the caller has emptied
        the table
    :raises SeveralJobsOfOneName: more than one runs.
    :raises FreshStartRefused: no checkpoint, and the target table has rows.
    :raises CheckpointDoesNotFit: the job has changed, and a fresh start would write rows again.
    :raises NoFreeSlots: the cluster has no room.
    """
    running = _alive(client, spec.name)
    if running is not None:
        if rebuild:
            raise JobStillRunning(spec.name, running.job_id, running.status)
        return EnsuredJob(running.job_id, How.ADOPTED)
    own_dir = checkpoint_dir / spec.name
    checkpoint = None if rebuild else newest_checkpoint(own_dir)
    table = spec.refuse_fresh_start_when_rows_in
    if checkpoint is None and not rebuild and table is not None:
        rows = target_rows(table)
        if rows > 0:
            raise FreshStartRefused(spec.name, table, rows, str(own_dir))
    client.require_slots(spec.name, spec.slots)
    if checkpoint is not None:
        try:
            job_id = submit(client, spec, restore_from=str(checkpoint))
            return EnsuredJob(job_id, How.RESUMED, str(checkpoint))
        except CheckpointDoesNotFit as error:
            if table is not None:
                raise
            log.warning(
                "%s has changed (%s); it replaces rows by key, so it is started afresh",
                spec.name,
                error.cause,
            )
    return EnsuredJob(submit(client, spec), How.STARTED)


def submit(
    client: FlinkClient,
    spec: JobSpec,
    *,
    job_id: str | None = None,
    restore_from: str | None = None,
) -> str:
    """Submit a job and return its id.

    If the answer is lost, it is looked whether the job got there. If another submission came in
    between, which Flink takes for an error of both, it is tried again: the id is the same, so
    Flink would refuse a second job.
    """
    job_id = job_id or uuid4().hex
    for attempt in range(1, SUBMISSION_ATTEMPTS + 1):
        try:
            return client.run_python(
                spec.script, spec.arguments, job_id=job_id, restore_from=restore_from
            )
        except FlinkUnreachable as error:
            log.warning("%s; looking whether job %s got there", error, job_id)
            if not _appears(client, job_id):
                raise
            return job_id
        except NoJobSubmitted as error:
            if status_of(client, job_id) is not None:
                return job_id
            if attempt == SUBMISSION_ATTEMPTS:
                raise
            # at random, lest the two meet again
            pause_seconds = random.uniform(1, 3) * attempt * _LOOK_AGAIN_SECONDS  # noqa: S311
            log.warning("%s; trying again in %.0f s", error, pause_seconds)
            time.sleep(pause_seconds)
        except JobScriptFailed as error:
            # a job that Flink refused to start fails its script too, but Flink knows the cause
            if status_of(client, job_id) is None:
                raise
            cause = client.failure(job_id)
            if restore_from is not None and _NO_FIT in cause:
                told = cause.partition(" If you want to")[0].rstrip(".")
                raise CheckpointDoesNotFit(spec.name, restore_from, told) from error
            raise JobFailed(spec.name, job_id, JobStatus.FAILED, cause) from error
    raise AssertionError("unreachable")


def newest_checkpoint(own_dir: Path) -> Path | None:
    """Return the newest complete checkpoint or savepoint of a job, by modification time.

    By time, since numbers start again with a job that was started afresh; `_metadata` is the last
    file that Flink writes, so what lacks it, or has an empty one, is not complete.
    """
    complete: list[tuple[int, Path]] = []
    for metadata in own_dir.rglob("_metadata"):
        try:
            stat = metadata.stat()
        except FileNotFoundError:
            continue  # the running job has just replaced it by a newer one
        if stat.st_size > 0:
            complete.append((stat.st_mtime_ns, metadata.parent))
    return max(complete)[1] if complete else None


def _alive(client: FlinkClient, name: str) -> JobSummary | None:
    """Return the one job that runs under a name; one that is ending is waited for."""
    give_up_at = time.monotonic() + ENDING_SECONDS
    while True:
        alive = [job for job in client.jobs() if job.name == name and not job.status.is_terminal]
        staying = [job for job in alive if not job.status.is_ending]
        if len(staying) > 1:
            raise SeveralJobsOfOneName(name, tuple(job.job_id for job in staying))
        if len(alive) == len(staying):
            return staying[0] if staying else None
        ending = next(job for job in alive if job.status.is_ending)
        if time.monotonic() > give_up_at:
            raise JobStillRunning(name, ending.job_id, ending.status)
        log.info("%s (%s) is %s; waiting until it has ended", name, ending.job_id, ending.status)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _appears(client: FlinkClient, job_id: str) -> bool:
    give_up_at = time.monotonic() + LOST_ANSWER_SECONDS
    while time.monotonic() < give_up_at:
        if status_of(client, job_id) is not None:
            return True
        time.sleep(_LOOK_AGAIN_SECONDS)
    return False


def status_of(client: FlinkClient, job_id: str) -> JobStatus | None:
    """Return a job's state, or None for a job that the JobManager does not know."""
    try:
        return client.job(job_id).status
    except JobNotFound:
        return None
