"""The end of a finite replay: streaming Gold closes what the last captures keep open (ADR 018).

Only what is needed is imported: without a Flink that answers, the catalogue is not asked.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flink_rest.client import FlinkClient
from flink_rest.commits import committed_checkpoints
from flink_rest.errors import DeadlinePassed, FlinkRestError
from flink_rest.records import JobStatus
from flink_rest.settings import FlinkSettings
from flink_rest.waits import CheckpointCommitted, JobRuns, Wait, wait_for
from store_pipeline import jobs
from store_pipeline.errors import EndAhead, NothingToFinish, StreamNotRunning
from store_pipeline.settings import PipelineSettings
from store_pipeline.streams import STREAMS

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table.snapshots import Snapshot

    from replay.retained import RetainedMessage

log = logging.getLogger(__name__)

WAIT_SECONDS = 300.0
"""How long each layer may take to have what the one before it has: a commit a minute, as compose
has it, and a backlog of some minutes."""
_LOOK_AGAIN_SECONDS = 0.5


@dataclass
class HasRead:
    """A job has read all that a table had by a snapshot: its newest checkpoint says so.

    Each look that finds it has not asks for a further checkpoint.
    """

    client: FlinkClient
    job_id: str
    checkpoints: Path
    """The folder of this job's own checkpoints, not of those with its name."""
    catalog: Catalog
    table: tuple[str, str]
    snapshot: Snapshot
    _asked: CheckpointCommitted | None = None

    def look(self) -> bool:
        """Look once.

        :raises CheckpointFailed: it failed, or was declined.
        :raises JobEnded: the job has ended.
        :raises JobNotFound: the JobManager does not know it.
        """
        from lakehouse.read_positions import has_read, newest_content
        from lakehouse.tables import load

        if self._asked is None or self._asked.look():
            self._asked = CheckpointCommitted(self.client, self.job_id)
            newest = newest_content(self.checkpoints)
            if newest is None:
                return False
            return has_read(load(self.catalog, *self.table), self.snapshot, newest[1])
        return False

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name the table and the snapshot."""
        what = f"job {self.job_id} reading {'.'.join(self.table)} up to its newest snapshot"
        return DeadlinePassed(what, seconds, f"no checkpoint in {self.checkpoints} that says so")


@dataclass
class BronzeHolds:
    """Bronze has messages of the topic, and as a job reads them in their order, those before."""

    catalog: Catalog
    database: str
    topic: str
    messages: Sequence[RetainedMessage]

    def look(self) -> bool:
        """Look once."""
        from lakehouse.audit.auditing import holds

        return holds(self.catalog, self.database, self.messages)

    def too_late(self, seconds: float) -> FlinkRestError:
        """Name the topic."""
        what = f"bronze_raw having what was published to {self.topic}"
        return DeadlinePassed(what, seconds, "it lacks the newest message")


def finish(
    client: FlinkClient,
    settings: PipelineSettings,
    flink: FlinkSettings,
    *,
    ahead: bool = False,
    wait_seconds: float = WAIT_SECONDS,
) -> Iterator[str]:
    """Wait until streaming Gold has read what was published, and have it close what is open.

    Told step by step; at the end Gold's tables have the rows. Run twice, it changes nothing.

    :param ahead: also where windows are open that reach into the future
    :param wait_seconds: for each layer
    :raises StreamNotRunning: one of the three jobs does not run, or is of an older version.
    :raises NothingToFinish: Silver has no row.
    :raises EndAhead: windows are open that reach into the future.
    :raises FlinkRestError: Flink is down, a job ends meanwhile, or the time is up.
    :raises LakehouseError: the catalogue is down, or lacks a table.
    :raises ReplayError: Pulsar is down.
    """
    running = {job: _running(client, job, settings) for job in STREAMS}
    reading, longest_gap = _shown(client, running["gold_streaming"])

    from lakehouse import replay_ends
    from lakehouse.catalog import connect
    from lakehouse.schema import DAILY_GOLD
    from lakehouse.settings import LakehouseSettings
    from lakehouse.tables import load

    database = settings.database
    catalog = connect(replace(LakehouseSettings.from_env(), database=database))

    def wait(for_it: Wait) -> None:
        wait_for(for_it, wait_seconds, tell=log.warning, every_seconds=_LOOK_AGAIN_SECONDS)

    def wait_until_read(job: str, table: str) -> None:
        snapshot = load(catalog, database, table).current_snapshot()
        if snapshot is not None:
            folder = flink.checkpoint_dir / jobs.job_name(job, database) / running[job]
            wait(HasRead(client, running[job], folder, catalog, (database, table), snapshot))

    def wait_until_committed(job: str, *tables: str) -> None:
        newest = [committed_checkpoints(settings.table(each), running[job]) for each in tables]
        wait(CheckpointCommitted(client, running[job], lambda: _oldest(newest)))

    for job_id in running.values():
        wait(JobRuns(client, job_id))
    wait(BronzeHolds(catalog, database, settings.topic, _newest_of(settings.topic)))
    wait_until_read("silver_detections", "bronze_raw")
    wait_until_committed("silver_detections", "silver_detection")
    silver = load(catalog, database, "silver_detection")
    newest = replay_ends.newest_of(silver)
    if newest is None:
        raise NothingToFinish(settings.table("silver_detection"))
    yield f"Silver has everything, the last of {newest.captured:%Y-%m-%d %H:%M:%S} UTC"
    up_to = replay_ends.end_after(newest.captured, longest_gap)
    if up_to > datetime.now(UTC) and not ahead:
        raise EndAhead(newest.captured, up_to)
    wait_until_read("gold_streaming", "silver_detection")
    end = replay_ends.ReplayEnd(up_to, reading, newest.ingested)
    # a container's user may have no name
    user = os.environ.get("USER") or str(os.getuid())
    is_new = replay_ends.declare(catalog, database, end, by=f"{user}@{socket.gethostname()}")
    yield f"the end of {up_to:%Y-%m-%d %H:%M:%S} UTC {'is' if is_new else 'was'} declared"
    wait_until_read("gold_streaming", replay_ends.TABLE)
    wait_until_committed("gold_streaming", *DAILY_GOLD)
    yield "streaming Gold has closed all that was open before it"


def _newest_of(topic: str) -> tuple[RetainedMessage, ...]:
    from replay.retained import RetainedTopic
    from replay.settings import ReplaySettings

    with RetainedTopic(replace(ReplaySettings.from_env(), topic=topic)) as there:
        return there.newest()


def _running(client: FlinkClient, job: str, settings: PipelineSettings) -> str:
    name = jobs.job_name(job, settings.database)
    for each in client.jobs():
        if each.name == name and each.status is JobStatus.RUNNING:
            return each.job_id
    raise StreamNotRunning(name, "does not run")


def _shown(client: FlinkClient, job_id: str) -> tuple[str, timedelta]:
    """What gold_streaming calls its reading of Silver, and how long its longest gap is."""
    shown = client.parameters(job_id)
    try:
        return shown["reading"], timedelta(seconds=int(shown["longest-gap-seconds"]))
    except KeyError:
        why = "runs in an older version, which knows no ends (cancel it in Flink's UI)"
        raise StreamNotRunning("gold_streaming", why) from None


def _oldest(newest: list[Callable[[], int | None]]) -> int | None:
    found = [each() for each in newest]
    return None if None in found else min(each for each in found if each is not None)
