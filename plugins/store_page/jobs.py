"""How the streaming jobs stand, as Flink tells it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from flink_rest.client import FlinkClient
from flink_rest.errors import FlinkRestError, FlinkUnreachable
from flink_rest.records import JobStatus, JobSummary
from store_page.errors import CannotAnswer, PageError, ServerAway
from store_page.kept import Kept
from store_page.numbers import MOVING_SECONDS

log = logging.getLogger(__name__)

STREAMS = ("bronze_ingest", "silver_detections", "gold_streaming")
ANSWER_SECONDS = 5.0
_MISSING = "MISSING"


@dataclass(frozen=True)
class StreamState:
    """One streaming job.

    `status` is Flink's, or MISSING where it does not know such a job; times are epoch milliseconds.
    """

    name: str
    status: str
    is_running: bool
    started_at_ms: int | None = None
    checkpoints: int = 0
    failed_checkpoints: int = 0
    newest_checkpoint_ms: int | None = None
    last_failure: str | None = None
    last_failure_ms: int | None = None


def newest_of(jobs: tuple[JobSummary, ...], name: str) -> JobSummary | None:
    """Return the job of this name that has not ended, else the one that started last."""
    of_name = [job for job in jobs if job.name == name]
    return max(
        of_name, key=lambda job: (not job.status.is_terminal, job.started_at_ms), default=None
    )


class Jobs:
    """Flink's answers, kept for a few seconds.

    :param client: makes a client; closed after each look
    :param name_of: a job's `pipeline.name` in this deployment
    """

    def __init__(
        self, client: Callable[[], FlinkClient], name_of: Callable[[str], str] = str
    ) -> None:
        self._client = client
        self._name_of = name_of
        self._kept = Kept[tuple[StreamState, ...]](MOVING_SECONDS, 1, lambda _: 1)

    def states(self) -> tuple[StreamState, ...]:
        """Return each stream's state.

        :raises PageError: Flink is away, or its answer is of no use.
        """
        return self._kept.get("states", self._ask)

    def _ask(self) -> tuple[StreamState, ...]:
        try:
            with self._client() as flink:
                return tuple(self._states(flink))
        except FlinkRestError as error:
            raise for_people(error) from error

    def _states(self, flink: FlinkClient) -> list[StreamState]:
        jobs = flink.jobs()
        return [
            self._state(flink, stream, newest_of(jobs, self._name_of(stream))) for stream in STREAMS
        ]

    def _state(self, flink: FlinkClient, stream: str, job: JobSummary | None) -> StreamState:
        if job is None:
            return StreamState(stream, _MISSING, is_running=False)
        history = flink.checkpoints(job.job_id)
        failures = flink.failures(job.job_id)
        return StreamState(
            name=stream,
            status=job.status.value,
            is_running=job.status is JobStatus.RUNNING,
            started_at_ms=job.started_at_ms,
            checkpoints=history.completed,
            failed_checkpoints=history.failed,
            newest_checkpoint_ms=history.latest_completed_triggered_ms,
            last_failure=_kind(failures[0].cause) if failures else None,
            last_failure_ms=failures[0].at_ms if failures else None,
        )


_EXCEPTION = re.compile(r"[\w.$]{1,120}")


def _kind(cause: str) -> str:
    """Return an exception's class: its message may hold addresses and more."""
    found = _EXCEPTION.match(cause.strip())
    return found[0] if found else "unknown"


def for_people(error: FlinkRestError) -> PageError:
    """Say what went wrong without what is not for everybody; the log has the rest."""
    log.warning("Flink: %s", error)
    return ServerAway("Flink") if isinstance(error, FlinkUnreachable) else CannotAnswer("Flink")
