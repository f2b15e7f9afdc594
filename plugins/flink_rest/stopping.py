"""A streaming job is stopped with a savepoint, from which it goes on, also with other arguments."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from flink_rest.client import FlinkClient
from flink_rest.errors import (
    DeadlinePassed,
    EndedWithoutSavepoint,
    FlinkRestError,
    FlinkUnreachable,
    JobEnded,
    JobNotFound,
    SavepointFailed,
)
from flink_rest.records import JobStatus, JobSummary, SavepointRequest
from flink_rest.waits import JobRuns, wait_for

log = logging.getLogger(__name__)

RUNNING_SECONDS = 120.0
"""How long a job that comes up may take to run: Flink makes savepoints of running jobs only."""
SAVEPOINT_SECONDS = 180.0
"""How long a savepoint and the job's end may take; some seconds are usual."""
LOOK_AGAIN_SECONDS = 0.5
ATTEMPTS = 3
"""How often a savepoint is asked for that met a task which was ending."""
_TASK_WAS_ENDING = "Task local checkpoint failure"
"""Also what Flink says of a task of its plan that had just come to its end, as one that gives a
constant does soon after the start: the next savepoint goes without it."""


def request_ids(origin: str) -> list[str]:
    """Return the ids under which one caller asks: the same again for the same `origin`."""
    return [
        hashlib.md5(f"{origin}/{number}".encode(), usedforsecurity=False).hexdigest()
        for number in range(ATTEMPTS)
    ]


def stop_with_savepoint(client: FlinkClient, job: JobSummary, directory: Path) -> str:
    """Stop a job; returns the directory of its savepoint, which lies in `directory`.

    What the job has written until then is committed. If Flink is lost meanwhile, the job may have
    ended: who ensures it again then finds the savepoint.

    :raises SavepointFailed: the job runs on as it was, or has ended in another way.
    """
    stop = JobStops(client, job.job_id, str(directory), request_ids(uuid4().hex))
    try:
        for wait, seconds in (
            (JobRuns(client, job.job_id), RUNNING_SECONDS),
            (stop, SAVEPOINT_SECONDS),
        ):
            wait_for(wait, seconds, tell=log.warning, every_seconds=LOOK_AGAIN_SECONDS)
    except (FlinkUnreachable, SavepointFailed):
        raise
    except FlinkRestError as error:
        raise SavepointFailed(job.name, job.job_id, str(error)) from error
    return stop.location


@dataclass
class JobStops:
    """A job has ended with a savepoint.

    A look asks for the savepoint where nobody has yet. The ids of the requests are the caller's, so
    a wait that is made again with the same ids, after a process has died, goes on where it was: it
    finds the request, or the job that has ended with its savepoint, and asks for no second one.
    """

    client: FlinkClient
    job_id: str
    directory: str
    request_ids: Sequence[str]
    """Under which it asks, one after the other where a savepoint met a task which was ending."""
    earlier_ids: Sequence[str] = ()
    """Those of the caller's earlier tries: what came of them counts, but nothing new is asked."""
    location: str = ""
    _seen: str = field(default="no savepoint was asked for", repr=False)

    def __post_init__(self) -> None:
        self._runs = JobRuns(self.client, self.job_id)
        self._still_open = list(self.earlier_ids)

    def look(self) -> bool:
        """Look once.

        :raises SavepointFailed: Flink could not make it.
        :raises EndedWithoutSavepoint: the job has ended in another way.
        :raises JobFailed: the job is restarted again and again.
        :raises JobNotFound: the JobManager does not know it.
        """
        if not self.location:
            self.location = self._of_earlier_tries() or self._of_this_try() or ""
        return bool(self.location) and self._has_ended()

    def outcome(self) -> dict[str, str]:
        """Tell where the savepoint is."""
        return {"savepoint": self.location}

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name how far it came."""
        what = f"the end of job {self.job_id} with a savepoint"
        return DeadlinePassed(what, seconds, self._seen)

    def _of_earlier_tries(self) -> str | None:
        for request_id in list(self._still_open):
            request = self._request(request_id)
            if request is not None and request.location is not None:
                return request.location
            if request is None or request.failure is not None:
                self._still_open.remove(request_id)
        return None

    def _of_this_try(self) -> str | None:
        """Return the savepoint's directory, or None as long as it is not complete."""
        if self._still_open:
            self._seen = f"savepoint request {self._still_open[0]} of an earlier try in progress"
            return None
        for number, request_id in enumerate(self.request_ids, 1):
            request = self._request(request_id)
            if request is None:
                return self._ask(request_id)
            if request.failure is None:
                self._seen = f"savepoint request {request_id} in progress"
                return request.location
            if _TASK_WAS_ENDING not in request.failure or number == len(self.request_ids):
                job = self.client.job(self.job_id)
                raise SavepointFailed(job.name, self.job_id, request.failure)
        return None

    def _ask(self, request_id: str) -> str | None:
        try:
            # a savepoint of a job that comes up would fail at once
            runs = self._runs.look()
        except JobEnded as ended:
            return self._ended_with(ended)
        if runs:
            self.client.request_stop_with_savepoint(
                self.job_id, self.directory, request_id=request_id
            )
            self._seen = f"savepoint request {request_id} in progress"
        elif (job := self._runs.last_seen) is not None:
            self._seen = f"{job.status}, waiting tasks: {job.waiting_tasks or 'not known yet'}"
        return None

    def _ended_with(self, ended: JobEnded) -> str:
        """Return the savepoint of a job that was stopped longer ago than Flink knows requests."""
        if ended.state == JobStatus.FINISHED:
            location = self.client.checkpoints(self.job_id).stopped_at
            if location is not None:
                return location
        cause = self.client.failure(self.job_id)
        raise EndedWithoutSavepoint(ended.job, self.job_id, ended.state, cause) from ended

    def _has_ended(self) -> bool:
        self._seen = f"savepoint {self.location}, job not ended"
        try:
            return self.client.job(self.job_id).status.is_terminal
        except JobNotFound:
            # a JobManager that was started again has forgotten it; the savepoint is whole
            return True

    def _request(self, request_id: str) -> SavepointRequest | None:
        """Return how a request stands; None when it was never made, or is forgotten."""
        try:
            return self.client.savepoint_request(self.job_id, request_id)
        except JobNotFound:
            return None
