"""How far a job has come: its checkpoint, its commit, its backlog; one look at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flink_rest.client import FlinkClient
from flink_rest.commits import Commit
from flink_rest.errors import (
    BacklogUnknown,
    DeadlinePassed,
    FlinkRestError,
    JobEnded,
    JobNotFound,
    SettingUnusable,
)
from flink_rest.pulsar import Subscription
from flink_rest.waits import FailureWatch, refuse_end

SUBSCRIBED_SECONDS = 120.0
"""How long a job that runs may take to make its subscription; it needs a second or two."""


def moment(name: str, value: object) -> datetime:
    """Read a moment that a template gave: a datetime, or ISO 8601, with its zone.

    :param name: of the setting, for the error
    :raises SettingUnusable: it is none.
    """
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        wanted = "a moment with its zone, such as 2026-11-24T10:15:00Z"
        raise SettingUnusable(name, str(value), wanted)
    return at.astimezone(UTC)


@dataclass
class CheckpointAfter:
    """A checkpoint that was triggered after a moment is complete.

    When one is triggered stands in the JobManager's clock.
    """

    client: FlinkClient
    job_id: str
    after: datetime
    checkpoint_id: int | None = None
    path: str | None = None
    _seen: str = field(default="no checkpoint yet", repr=False)

    def __post_init__(self) -> None:
        self.failures = FailureWatch(self.client, self.job_id)

    def look(self) -> bool:
        """Look once.

        :raises JobEnded: the job has ended without one.
        :raises JobFailed: it is restarted again and again.
        :raises JobNotFound: the JobManager does not know it.
        """
        # before the checkpoints: what a job has done when it has ended is all that it will do
        job = self.client.job(self.job_id)
        history = self.client.checkpoints(self.job_id)
        triggered_ms = history.latest_completed_triggered_ms
        if triggered_ms is not None:
            at = datetime.fromtimestamp(triggered_ms / 1000, tz=UTC)
            self.checkpoint_id = history.latest_completed_id
            self.path = history.latest_completed_path
            if at > self.after:
                return True
            self._seen = f"checkpoint {self.checkpoint_id}, triggered at {at:%Y-%m-%d %H:%M:%S} UTC"
        refuse_end(self.client, job, JobEnded)
        self.failures.refuse_many(job)
        return False

    def outcome(self) -> dict[str, int | str | None]:
        """Tell which checkpoint it is, and where it lies."""
        return {"checkpoint_id": self.checkpoint_id, "path": self.path}

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name the newest checkpoint, which is too old."""
        what = f"a checkpoint of job {self.job_id} after {self.after:%Y-%m-%d %H:%M:%S} UTC"
        return DeadlinePassed(what, seconds, self._seen)


@dataclass
class TableCommitted:
    """A table has a commit by a job, of a checkpoint or a later one, or at a moment or later.

    It may come to stand there and the job end, or be forgotten, before anybody looks: the table
    counts. Iceberg's sink leaves out commits without rows, all but each tenth.
    """

    client: FlinkClient
    job_id: str
    table: str
    newest: Callable[[], Commit | None]
    checkpoint_id: int | None = None
    since: datetime | None = None
    found: Commit | None = None

    def __post_init__(self) -> None:
        self.failures = FailureWatch(self.client, self.job_id)

    def look(self) -> bool:
        """Look once.

        :raises CommitUnknown: there is no such table.
        :raises JobEnded: the job has ended without such a commit.
        :raises JobFailed: it is restarted again and again.
        :raises JobNotFound: the JobManager does not know it, and there is no such commit.
        """
        try:
            job = self.client.job(self.job_id)
        except JobNotFound:
            if self._is_committed():
                return True
            raise
        if self._is_committed():
            return True
        refuse_end(self.client, job, JobEnded)
        self.failures.refuse_many(job)
        return False

    def _is_committed(self) -> bool:
        self.found = self.newest()
        if self.found is None:
            return False
        if self.checkpoint_id is not None and self.found.checkpoint_id < self.checkpoint_id:
            return False
        return self.since is None or self.found.committed_at >= self.since

    def outcome(self) -> dict[str, int | str | None]:
        """Tell which commit it is."""
        if self.found is None:
            return {}
        return {
            "snapshot_id": self.found.snapshot_id,
            "checkpoint_id": self.found.checkpoint_id,
            "committed_at": self.found.committed_at.isoformat(),
        }

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name the job's newest commit."""
        wanted = [f"of checkpoint {self.checkpoint_id} or later"] if self.checkpoint_id else []
        wanted += [f"since {self.since:%Y-%m-%d %H:%M:%S} UTC"] if self.since else []
        seen = (
            "none of it"
            if self.found is None
            else f"checkpoint {self.found.checkpoint_id}, "
            f"committed at {self.found.committed_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        what = " ".join([f"a commit of job {self.job_id} to {self.table}", *wanted])
        return DeadlinePassed(what, seconds, seen)


@dataclass
class BacklogDrained:
    """A job has left nothing of a Pulsar subscription unread.

    It acknowledges what it has read when a checkpoint that holds it is complete, so an empty
    backlog says that too.
    """

    client: FlinkClient
    job_id: str
    subscription: Subscription
    backlog: int | None = None
    _missing_since: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.failures = FailureWatch(self.client, self.job_id)

    def look(self) -> bool:
        """Look once.

        :raises BacklogUnknown: there is no such topic; or the job runs, and there is still no such
            subscription.
        :raises JobEnded: the job has ended and left something unread.
        :raises JobFailed: it is restarted again and again.
        :raises JobNotFound: the JobManager does not know it.
        """
        job = self.client.job(self.job_id)
        self.backlog = self.subscription.backlog()
        if self.backlog == 0:
            return True
        refuse_end(self.client, job, JobEnded)
        self.failures.refuse_many(job)
        if self.backlog is None and job.runs_with_all_tasks:
            self._refuse_missing()
        return False

    def _refuse_missing(self) -> None:
        now = time.monotonic()
        self._missing_since = self._missing_since or now
        if now - self._missing_since >= SUBSCRIBED_SECONDS:
            raise BacklogUnknown(
                self.subscription.topic,
                self.subscription.name,
                f"there is no such subscription, though job {self.job_id} runs; there are: "
                f"{', '.join(self.subscription.others()) or 'none'}",
            )

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name what is unread."""
        what = f"job {self.job_id} reading all of {self.subscription.topic}"
        seen = "no subscription" if self.backlog is None else f"{self.backlog:,} entries unread"
        return DeadlinePassed(what, seconds, seen)
