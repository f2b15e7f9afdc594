"""A streaming job is ensured, not launched: adopted, resumed, or started.

It is safe to call again at any moment: a job that runs under its name is adopted, so a second
call, a retry after a lost answer or a worker's death never makes a second job. One that runs with
other facts than it should is stopped with a savepoint and goes on from there.
"""

from __future__ import annotations

import fcntl
import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from flink_rest.client import FlinkClient
from flink_rest.errors import (
    CheckpointDoesNotFit,
    EndedByHand,
    FlinkRestError,
    FlinkUnreachable,
    FreshStartRefused,
    JobFailed,
    JobNotFound,
    JobScriptFailed,
    JobStillRunning,
    NoJobSubmitted,
    RebuildRefused,
    SeveralJobsOfOneName,
)
from flink_rest.records import JobStatus, JobSummary
from flink_rest.stopping import stop_with_savepoint
from flink_rest.waits import JobEnds, wait_for

log = logging.getLogger(__name__)

ENDING_SECONDS = 60.0
"""How long a job that is failing or being cancelled may take to end; it needs a few seconds."""
LOST_ANSWER_SECONDS = 60.0
"""How long a job may take to appear after the answer to its submission was lost."""
SUBMISSION_ATTEMPTS = 6
"""How often a submission that met another one is tried: within two minutes."""
SUBMISSION_SECONDS = 3.0
"""How long a submission takes at least; one that meets another may be refused at once."""
_LOOK_AGAIN_SECONDS = 1.0
_BY_HAND = (JobStatus.CANCELLING, JobStatus.CANCELED, JobStatus.FINISHED)
"""How a job stands that does not end by itself, when somebody has ended it."""
_NO_FIT = "Cannot map checkpoint/savepoint state"


class How(StrEnum):
    """How a job came to run."""

    ADOPTED = "adopted"
    RESUMED = "resumed"
    RESTARTED = "restarted"
    STARTED = "started"


@dataclass(frozen=True, kw_only=True)
class JobSpec:
    """A job: its name on the cluster, its Python file, and what a fresh start would endanger."""

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    refuse_fresh_start_when_rows_in: tuple[str, ...] = ()
    """Tables that a job without a checkpoint would fill a second time; none for a job that
    replaces rows by key, which is started afresh also when it has changed so that its checkpoint
    does not fit any more."""
    restart_when_changed: Mapping[str, str] = field(default_factory=dict)
    """What the running job's `pipeline.global-job-parameters` must say; where they say otherwise,
    or nothing, the job goes on from a savepoint with `arguments`."""
    how_to_rebuild: str = "empty its tables and start it with rebuild"
    """For errors: what to type."""
    slots: int = 1
    """Its parallelism."""


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
    rebuild_as: Sequence[str] = (),
    leave_ended_by_hand: bool = False,
) -> EnsuredJob:
    """Adopt the job that runs under this name, or restart it, or resume it, or start it.

    Two calls at once, of any processes, go one after the other: the second adopts.

    :param checkpoint_dir: the folder that holds each job's checkpoints in a folder of its name
    :param target_rows: counts a table's rows; asked only before a fresh start
    :param rebuild_as: start afresh, ignoring checkpoints, under the first of these ids; a job of
        one of them is what an earlier call with them started, and is adopted or resumed
    :param leave_ended_by_hand: leave a job that somebody has cancelled, or stopped with a
        savepoint, for as long as the JobManager knows of it: 30 days (`jobstore.expiration-time`),
        and until it is started again
    :raises EndedByHand: it was left so.
    :raises SeveralJobsOfOneName: more than one runs.
    :raises FreshStartRefused: no checkpoint, and a target table has rows.
    :raises RebuildRefused: a rebuild, and a target table has rows.
    :raises JobStillRunning: a rebuild, and the job runs.
    :raises SavepointFailed: the job must be restarted and could not be stopped.
    :raises CheckpointDoesNotFit: the job has changed, and a fresh start would write rows again.
    :raises NoFreeSlots: the cluster has no room.
    """
    with one_at_a_time(checkpoint_dir):
        # who has waited for the lock finds what happened meanwhile, a cancel too
        running = _alive(client, spec.name, leave_ended_by_hand=leave_ended_by_hand)
        return _ensure(client, spec, running, checkpoint_dir / spec.name, target_rows, rebuild_as)


def _ensure(
    client: FlinkClient,
    spec: JobSpec,
    running: JobSummary | None,
    own_dir: Path,
    target_rows: Callable[[str], int],
    rebuild_as: Sequence[str],
) -> EnsuredJob:
    if running is not None:
        if rebuild_as and running.job_id not in rebuild_as:
            raise JobStillRunning(spec.name, running.job_id, running.status)
        if not _has_changed(client, spec, running):
            return EnsuredJob(running.job_id, How.ADOPTED)
        savepoint = stop_with_savepoint(client, running, own_dir / "savepoints")
        # without a look for slots: its own are free now, or will be in a moment
        return _resume(client, spec, savepoint, How.RESTARTED)
    # not at the top: a DAG file that is parsed shall not import it
    from lakehouse.checkpoints import newest_checkpoint

    folders = [own_dir / job_id for job_id in rebuild_as] or [own_dir]
    checkpoint = newest_checkpoint(*folders)
    if checkpoint is None:
        rows = {table: target_rows(table) for table in spec.refuse_fresh_start_when_rows_in}
        held = {table: count for table, count in rows.items() if count > 0}
        if held and rebuild_as:
            raise RebuildRefused(spec.name, held, spec.how_to_rebuild)
        if held:
            raise FreshStartRefused(spec.name, held, str(own_dir), spec.how_to_rebuild)
    client.require_slots(spec.name, spec.slots)
    while checkpoint is not None:
        try:
            return _resume(client, spec, str(checkpoint), How.RESUMED)
        except FlinkRestError:
            newest = newest_checkpoint(*folders)
            # a job that was cancelled a moment ago may have taken it away for a newer one
            if checkpoint.exists() or newest is None:
                raise
            log.info("%s has gone: resumed from %s instead", checkpoint, newest)
            checkpoint = newest
    job_id = _submit(client, spec, job_id=rebuild_as[0] if rebuild_as else None)
    return EnsuredJob(job_id, How.STARTED)


@contextmanager
def one_at_a_time(checkpoint_dir: Path) -> Iterator[None]:
    """Hold a lock on the folder itself, which may be read-only; a process that dies frees it."""
    # Flink makes it with the first checkpoint
    there = next(each for each in (checkpoint_dir, *checkpoint_dir.parents) if each.is_dir())
    folder = os.open(there, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def is_known(client: FlinkClient, name: str, *, checkpoint_dir: Path) -> bool:
    """Whether somebody has started the job once: it runs, or there is a checkpoint of it."""
    from lakehouse.checkpoints import newest_checkpoint

    runs = any(job.name == name and not job.status.is_terminal for job in client.jobs())
    return runs or newest_checkpoint(checkpoint_dir / name) is not None


def _has_changed(client: FlinkClient, spec: JobSpec, running: JobSummary) -> bool:
    if not spec.restart_when_changed:
        return False
    shown = client.parameters(running.job_id)
    changed = {
        name: (shown.get(name), wanted)
        for name, wanted in spec.restart_when_changed.items()
        if shown.get(name) != wanted
    }
    for name, (before, wanted) in changed.items():
        log.info("%s runs with %s %s; it must be %s", spec.name, name, before, wanted)
    return bool(changed)


def _resume(client: FlinkClient, spec: JobSpec, checkpoint: str, how: How) -> EnsuredJob:
    try:
        # a savepoint of a restart is nobody else's, and one a night would pile up
        job_id = _submit(client, spec, restore_from=checkpoint, claim=how is How.RESTARTED)
    except CheckpointDoesNotFit as error:
        if spec.refuse_fresh_start_when_rows_in:
            raise
        log.warning(
            "%s has changed (%s); it replaces rows by key, so it is started afresh",
            spec.name,
            error.cause,
        )
        return EnsuredJob(_submit(client, spec), How.STARTED)
    return EnsuredJob(job_id, how, checkpoint)


def submit(
    client: FlinkClient, spec: JobSpec, *, checkpoint_dir: Path, job_id: str | None = None
) -> str:
    """Submit a job that begins anew and return its id; one submission of this machine at a time.

    If the answer is lost, it is looked whether the job got there. If one of another machine came in
    between, which Flink takes for an error of both, it is tried again: the id is the same, so Flink
    would refuse a second job.

    :param checkpoint_dir: the folder that `ensure_job` is given
    """
    with one_at_a_time(checkpoint_dir):
        return _submit(client, spec, job_id=job_id)


def _submit(
    client: FlinkClient,
    spec: JobSpec,
    *,
    job_id: str | None = None,
    restore_from: str | None = None,
    claim: bool = False,
) -> str:
    job_id = job_id or uuid4().hex
    for attempt in range(1, SUBMISSION_ATTEMPTS + 1):
        began = time.monotonic()
        before = {job.job_id for job in client.jobs()}
        try:
            return client.run_python(
                spec.script,
                spec.arguments,
                job_id=job_id,
                restore_from=restore_from,
                claim=claim,
            )
        except FlinkUnreachable as error:
            log.warning("%s; looking whether job %s got there", error, job_id)
            if not _appears(client, job_id):
                raise
            return job_id
        except NoJobSubmitted as error:
            new = {job.job_id: job for job in client.jobs() if job.job_id not in before}
            if job_id in new and new[job_id].name == spec.name:
                return job_id
            _cancel_strays(client, [each for each in new.values() if each.name == spec.name])
            if job_id in new or attempt == SUBMISSION_ATTEMPTS:
                raise
            # at random, and by the time that a submission takes, lest the two meet again
            took_seconds = max(time.monotonic() - began, SUBMISSION_SECONDS)
            pause_seconds = random.uniform(0, 2 * attempt) * took_seconds  # noqa: S311
            log.warning("%s; trying again in %.0f s", error, pause_seconds)
            time.sleep(pause_seconds)
        except JobScriptFailed as error:
            # a job that Flink refused to start fails its script too, but Flink knows the cause
            if status_of(client, job_id) is None:
                raise
            cause = client.failure(job_id)
            if restore_from is not None and _NO_FIT in cause:
                told = cause.partition(" If you want to")[0].rstrip(".")
                raise CheckpointDoesNotFit(
                    spec.name, restore_from, told, spec.how_to_rebuild
                ) from error
            raise JobFailed(spec.name, job_id, JobStatus.FAILED, cause) from error
    raise AssertionError("unreachable")


def _cancel_strays(client: FlinkClient, strays: Sequence[JobSummary]) -> None:
    """Cancel what Flink made of a submission under the id of another that came in between.

    It also took the other's checkpoint, or none: reading from the beginning, it would write rows
    again with its first checkpoint.
    """
    for stray in strays:
        log.warning("%s runs as %s, which is not asked for: cancelled", stray.name, stray.job_id)
        wait_for(
            JobEnds(client, stray.job_id),
            ENDING_SECONDS,
            tell=log.warning,
            every_seconds=_LOOK_AGAIN_SECONDS,
        )


def _alive(client: FlinkClient, name: str, *, leave_ended_by_hand: bool) -> JobSummary | None:
    """Return the one job that runs under a name; one that is ending is waited for."""
    give_up_at = time.monotonic() + ENDING_SECONDS
    while True:
        of_name = [job for job in client.jobs() if job.name == name]
        alive = [job for job in of_name if not job.status.is_terminal]
        staying = [job for job in alive if not job.status.is_ending]
        if len(staying) > 1:
            raise SeveralJobsOfOneName(name, tuple(job.job_id for job in staying))
        newest = max(of_name, key=lambda job: job.started_at_ms, default=None)
        if leave_ended_by_hand and not staying and newest and newest.status in _BY_HAND:
            raise EndedByHand(name, newest.job_id, newest.status)
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
