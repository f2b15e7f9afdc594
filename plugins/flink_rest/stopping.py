"""A streaming job is stopped with a savepoint, from which it goes on with other arguments."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from flink_rest.client import FlinkClient
from flink_rest.errors import DeadlinePassed, FlinkRestError, FlinkUnreachable, SavepointFailed
from flink_rest.records import JobSummary
from flink_rest.waits import JobRuns, Wait, look_kindly

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


def stop_with_savepoint(client: FlinkClient, job: JobSummary, directory: Path) -> str:
    """Stop a job; returns the directory of its savepoint, which lies in `directory`.

    What the job has written until then is committed. If the answer is lost, the job may have
    ended: who ensures it again then finds the savepoint.

    :raises SavepointFailed: the job runs on as it was, or has ended in another way.
    """
    stop = _JobStops(client, job.job_id, str(directory))
    try:
        _wait(JobRuns(client, job.job_id), RUNNING_SECONDS)
        stop.ask()
        _wait(stop, SAVEPOINT_SECONDS)
    except FlinkUnreachable:
        raise
    except FlinkRestError as error:
        raise SavepointFailed(job.name, job.job_id, str(error)) from error
    return stop.location


@dataclass
class _JobStops:
    """A savepoint that was asked for is complete, and its job has ended."""

    client: FlinkClient
    job_id: str
    directory: str
    location: str = ""
    _request_id: str = field(default="", repr=False)
    _asked: int = field(default=0, repr=False)

    def ask(self) -> None:
        """Ask for it, once: a second request would fail the first while that is under way."""
        self._asked += 1
        self._request_id = self.client.request_stop_with_savepoint(self.job_id, self.directory)

    def look(self) -> bool:
        """Look once.

        :raises FlinkRestError: there will be no savepoint.
        """
        if not self.location:
            savepoint = self.client.savepoint_request(self.job_id, self._request_id)
            if savepoint.failure is not None:
                if _TASK_WAS_ENDING not in savepoint.failure or self._asked == ATTEMPTS:
                    raise FlinkRestError(savepoint.failure)
                self.ask()
                return False
            if savepoint.complete and savepoint.location is not None:
                self.location = savepoint.location
        return bool(self.location) and self.client.job(self.job_id).status.is_terminal

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name how far it came."""
        seen = f"savepoint {self.location}, job not ended" if self.location else "no savepoint"
        return DeadlinePassed("its end with a savepoint", seconds, seen)


def _wait(wait: Wait, seconds: float) -> None:
    give_up_at = time.monotonic() + seconds
    while not look_kindly(wait, log.warning):
        if time.monotonic() > give_up_at:
            raise wait.too_late(seconds)
        time.sleep(LOOK_AGAIN_SECONDS)
