"""How the streaming jobs stand, as Flink tells it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from cachetools import TTLCache

from flink_rest.client import FlinkClient
from flink_rest.errors import FlinkRestError, FlinkUnreachable
from flink_rest.records import JobStatus, JobSummary
from store_page.errors import CannotAnswer, PageError, ServerAway
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
        self._kept: TTLCache[str, tuple[StreamState, ...]] = TTLCache(1, MOVING_SECONDS)
        self._lock = Lock()

    def states(self) -> tuple[StreamState, ...]:
        """Return each stream's state.

        :raises PageError: Flink is away, or its answer is of no use.
        """
        with self._lock:
            if (found := self._kept.get("states")) is None:
                try:
                    with self._client() as flink:
                        found = tuple(self._states(flink))
                except FlinkRestError as error:
                    raise for_people(error) from error
                self._kept["states"] = found
            return found

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
            last_failure=_first_line(failures[0].cause) if failures else None,
            last_failure_ms=failures[0].at_ms if failures else None,
        )


_LONGEST_CAUSE = 160


def _first_line(cause: str) -> str:
    """Return what people can use of a cause: neither its trace nor an essay."""
    line = cause.strip().partition("\n")[0]
    return line if len(line) <= _LONGEST_CAUSE else f"{line[:_LONGEST_CAUSE]}…"


def for_people(error: FlinkRestError) -> PageError:
    """Say what went wrong without what is not for everybody; the log has the rest."""
    log.warning("Flink: %s", error)
    return ServerAway("Flink") if isinstance(error, FlinkUnreachable) else CannotAnswer("Flink")
