"""What is waited for, one look at a time: an operator looks in its own loop, a trigger in its own.

A look that cannot reach Flink tells so and counts as "not yet": Flink may be down for a minute
and come back. What will never come true raises at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from flink_rest.client import FlinkClient
from flink_rest.errors import (
    CatalogueUnreachable,
    CheckpointFailed,
    DeadlinePassed,
    FlinkRestError,
    FlinkUnreachable,
    JobEnded,
    JobFailed,
    JobMissedStatus,
    JobNotFound,
    JobNotRunning,
    PulsarUnreachable,
)
from flink_rest.records import JobDetail, JobStatus

FAILURES_TOO_MANY = 3
"""A job that fails so often while it is waited for will not come to run: a lost TaskManager makes
one failure, an error in the job one every few seconds."""

_OF_FAILURE = frozenset({JobStatus.FAILING, JobStatus.FAILED, JobStatus.RESTARTING})

Committed = Callable[[], int | None]
"""Tells the newest checkpoint of the job that is committed to its table."""


class Wait(Protocol):
    """Something to wait for."""

    def look(self) -> bool:
        """Look once: true when it has come about."""
        ...

    def too_late(self, seconds: float) -> FlinkRestError:
        """Make the error for the moment when the deadline has passed."""
        ...


@runtime_checkable
class TellingWait(Wait, Protocol):
    """A wait that ends with more to tell than that it has come about."""

    def outcome(self) -> Mapping[str, str | int | bool | None]:
        """Tell it in plain types: it goes from the triggerer to the task."""
        ...


@dataclass
class JobRuns:
    """A streaming job is RUNNING with each of its tasks RUNNING."""

    client: FlinkClient
    job_id: str
    last_seen: JobDetail | None = None

    def __post_init__(self) -> None:
        self.failures = FailureWatch(self.client, self.job_id)

    def look(self) -> bool:
        """Look once.

        :raises JobEnded: it will never run.
        :raises JobFailed: it is restarted again and again.
        :raises JobNotFound: the JobManager does not know it.
        """
        self.last_seen = self.client.job(self.job_id)
        refuse_end(self.client, self.last_seen, JobEnded)
        if self.last_seen.runs_with_all_tasks:
            return True
        self.failures.refuse_many(self.last_seen)
        return False

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name the tasks that do not run, and the free slots."""
        if self.last_seen is None:
            return DeadlinePassed(
                f"job {self.job_id} RUNNING with all its tasks", seconds, "nothing"
            )
        try:
            cluster = self.client.overview()
            slots = f"{cluster.slots_free} of {cluster.slots_total} task slots are free"
            failure = self.failures.newest()
        except FlinkRestError as error:
            slots, failure = str(error), None
        seen = self.last_seen
        state = f"{seen.status} after {seconds:.0f} s"
        facts = slots if failure is None else f"{slots}; its last failure: {failure}"
        return JobNotRunning(seen.name, seen.job_id, state, seen.waiting_tasks, facts)


@dataclass
class JobReaches:
    """A job is in one of some states."""

    client: FlinkClient
    job_id: str
    statuses: Collection[JobStatus] = (JobStatus.FINISHED,)
    ends_as: type[JobFailed] = JobMissedStatus
    """The error for a job that has ended in another state."""
    last_seen: JobDetail | None = None

    def __post_init__(self) -> None:
        self.failures = FailureWatch(self.client, self.job_id)

    def look(self) -> bool:
        """Look once.

        :raises JobFailed: it has ended otherwise, or is restarted again and again and no such state
            is waited for; the error names the root cause.
        :raises JobNotFound: the JobManager does not know it.
        """
        self.last_seen = self.client.job(self.job_id)
        if self.last_seen.status in self.statuses:
            return True
        refuse_end(self.client, self.last_seen, self.ends_as)
        if _OF_FAILURE.isdisjoint(self.statuses):
            self.failures.refuse_many(self.last_seen)
        return False

    def outcome(self) -> dict[str, str | None]:
        """Tell the state."""
        return {"status": None if self.last_seen is None else str(self.last_seen.status)}

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name the state that the job was last seen in."""
        last_seen = "nothing" if self.last_seen is None else str(self.last_seen.status)
        wanted = " or ".join(self.statuses)
        return DeadlinePassed(f"job {self.job_id} {wanted}", seconds, last_seen)


@dataclass
class JobFinishes(JobReaches):
    """A batch job is FINISHED; another try may make another job of it."""

    ends_as: type[JobFailed] = JobFailed


@dataclass
class JobEnds:
    """A job does nothing any more; a look cancels it where that is not under way."""

    client: FlinkClient
    job_id: str
    status: JobStatus | None = None
    """The last seen; None for a job that the JobManager does not know."""

    def look(self) -> bool:
        """Look once."""
        try:
            self.status = self.client.job(self.job_id).status
            if not self.status.is_terminal and not self.status.is_ending:
                self.client.cancel(self.job_id)
        except JobNotFound:
            self.status = None
        return self.status is None or self.status.is_terminal

    def outcome(self) -> dict[str, str | None]:
        """Tell the state in which it ended."""
        return {"status": None if self.status is None else str(self.status)}

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name the state that the job was last seen in."""
        what = f"the end of cancelled job {self.job_id}"
        return DeadlinePassed(what, seconds, str(self.status or "nothing"))


@dataclass
class CheckpointCommitted:
    """A checkpoint asked for now is complete, and what it holds is committed to the Iceberg table.

    The sink commits when Flink tells it that the checkpoint is complete, and the snapshot's
    summary then carries the checkpoint's id. It does not when the checkpoint held no new rows:
    the sink leaves empty commits out (all but each tenth). So when the id does not show, a second
    checkpoint is asked for: the sink takes part in it only after it has dealt with the first, so
    its completion proves that nothing of the first is outstanding.
    """

    client: FlinkClient
    job_id: str
    committed: Committed | None = None
    request_id: str | None = None
    checkpoint_id: int | None = None
    committed_id: int | None = None
    nothing_new: bool = False
    _asked_again: bool = field(default=False, repr=False)
    _seen: str = field(default="no checkpoint yet", repr=False)

    def look(self) -> bool:
        """Look once; the first look asks for the checkpoint.

        :raises CheckpointFailed: it failed, or was declined.
        :raises JobEnded: the job has ended.
        """
        if self.request_id is None:
            refuse_end(self.client, self.client.job(self.job_id), JobEnded)
            self.request_id = self.client.request_checkpoint(self.job_id)
            return False
        request = self.client.checkpoint_request(self.job_id, self.request_id)
        if request.failure is not None:
            raise CheckpointFailed(self.job_id, request.failure)
        if not request.complete or request.checkpoint_id is None:
            self._seen = f"checkpoint request {self.request_id} in progress"
            return False
        return self._is_committed(request.checkpoint_id)

    def _is_committed(self, completed_id: int) -> bool:
        if self.checkpoint_id is None:
            self.checkpoint_id = completed_id
        if self.committed is None:
            return True
        self.committed_id = self.committed()
        if self.committed_id is not None and self.committed_id >= self.checkpoint_id:
            return True
        self._seen = f"checkpoint {completed_id} complete, {self.committed_id} committed"
        if not self._asked_again:
            self.request_id = self.client.request_checkpoint(self.job_id)
            self._asked_again = True
            return False
        self.nothing_new = True
        return True

    def outcome(self) -> dict[str, int | bool | None]:
        """Tell which checkpoint it was and what the table holds, in plain types."""
        return {
            "checkpoint_id": self.checkpoint_id,
            "committed_id": self.committed_id,
            "nothing_new": self.nothing_new,
        }

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name how far it came."""
        return DeadlinePassed(
            f"the commit of a checkpoint of job {self.job_id}", seconds, self._seen
        )


def look_kindly(wait: Wait, tell: Callable[[str], None]) -> bool:
    """Look once, and take a server that does not answer for "not yet"."""
    try:
        return wait.look()
    except (FlinkUnreachable, CatalogueUnreachable, PulsarUnreachable) as error:
        tell(f"{error}; looking again")
        return False


def wait_for(
    wait: Wait, seconds: float, *, tell: Callable[[str], None], every_seconds: float
) -> None:
    """Look again and again until it has come about.

    :raises FlinkRestError: it never will, or the time is up.
    """
    give_up_at = time.monotonic() + seconds
    while not look_kindly(wait, tell):
        if time.monotonic() > give_up_at:
            raise wait.too_late(seconds)
        time.sleep(every_seconds)


@dataclass
class FailureWatch:
    """Notices a job that fails, is restarted and fails again: Flink would go on for ever."""

    client: FlinkClient
    job_id: str
    _before_ms: int | None = None

    def refuse_many(self, detail: JobDetail) -> None:
        """Raise when the job has failed too often since the first look.

        :raises JobFailed: with the newest root cause.
        """
        failures = self.client.failures(self.job_id)
        if self._before_ms is None:
            self._before_ms = failures[0].at_ms if failures else 0
        recent = [failure for failure in failures if failure.at_ms > self._before_ms]
        if len(recent) >= FAILURES_TOO_MANY:
            state = f"{detail.status} after {len(recent)} failures"
            raise JobFailed(detail.name, detail.job_id, state, recent[0].cause)

    def newest(self) -> str | None:
        """Return the newest root cause."""
        failures = self.client.failures(self.job_id)
        return failures[0].cause if failures else None


def refuse_end(client: FlinkClient, detail: JobDetail, error: type[JobFailed]) -> None:
    """Raise the error, with the root cause, for a job that has ended."""
    if detail.status.is_terminal:
        raise error(detail.name, detail.job_id, detail.status, client.failure(detail.job_id))
