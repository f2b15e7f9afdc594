"""Where a benchmark works on a running stack: a database, a topic and jobs of its own."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import RESTError

from flink_rest.client import FlinkClient
from flink_rest.errors import DeadlinePassed, FlinkRestError
from flink_rest.jobs import How, JobSpec, ensure_job, submit
from flink_rest.settings import FlinkSettings
from flink_rest.waits import CheckpointCommitted, Wait, wait_for
from lakehouse import snapshots, tables
from lakehouse.catalog import connect
from lakehouse.errors import LakehouseError
from lakehouse.settings import LakehouseSettings
from store_simulator.cli import DONE, STOPPED

STEP_SECONDS = 1800.0
"""How long one step may take; the longest needs some three minutes on two free cores."""
LOOK_AGAIN_SECONDS = 0.5
CANNOT_SAY = (
    FlinkRestError,
    LakehouseError,
    RESTError,
    httpx.HTTPError,
    OSError,
    subprocess.CalledProcessError,
)
"""A server is down, or a step failed."""
log = logging.getLogger("bench")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the benchmark works."""

    database: str
    topic: str
    lakehouse: LakehouseSettings
    catalog: Catalog
    flink: FlinkClient

    def start(self, job: str, *arguments: str, stand_in: Sequence[str] = ()) -> str:
        """Submit a job; returns its id.

        :param stand_in: a script in place of the job's own, and what it takes first
        """
        of_flink = FlinkSettings.from_env()
        spec = self._spec(of_flink, job, arguments, stand_in)
        return submit(self.flink, spec, checkpoint_dir=of_flink.checkpoint_dir)

    def resume(self, job: str, *arguments: str) -> str:
        """Submit a job that was cancelled, from its newest checkpoint; returns its id.

        :raises FlinkRestError: there is none
        """
        of_flink = FlinkSettings.from_env()
        spec = self._spec(of_flink, job, arguments)
        done = ensure_job(
            self.flink, spec, checkpoint_dir=of_flink.checkpoint_dir, target_rows=self.rows
        )
        if done.how is not How.RESUMED:
            raise FlinkRestError(f"{spec.name} was {done.how}, not resumed")
        return done.job_id

    def _spec(
        self,
        of_flink: FlinkSettings,
        job: str,
        arguments: Sequence[str],
        stand_in: Sequence[str] = (),
    ) -> JobSpec:
        script, *first = stand_in or (f"{of_flink.jobs_dir}/{job}.py",)
        return JobSpec(
            name=f"{job}@{self.database}",
            script=script,
            arguments=(*first, "--database", self.database, *arguments),
        )

    def simulator(self, scenario: str, *arguments: str) -> list[str]:
        """The command that publishes a scenario into the topic."""
        to = f"{os.environ['RVA_PULSAR_URL']}/{self.topic.removeprefix('persistent://')}"
        return [sys.executable, "-m", "store_simulator", scenario, "--to", to, *arguments]

    def rows(self, table: str) -> int:
        """Committed rows of a table."""
        return tables.row_count(self.catalog, self.database, table)

    def committed_rows(self, table: str) -> int:
        """What the newest snapshot says that it has: quick, and without deletes counted off."""
        newest = next(snapshots.history(tables.load(self.catalog, self.database, table)), None)
        return newest.total_rows if newest else 0

    def last_commit(self, table: str) -> float:
        """When the newest rows were committed, in seconds of the epoch; 0 for none."""
        for facts in snapshots.history(tables.load(self.catalog, self.database, table)):
            if facts.added_rows:
                return facts.committed_at.timestamp()
        return 0.0


@contextmanager
def own_place() -> Iterator[Place]:
    """A database, a topic and jobs of this run alone; afterwards nothing of them is left."""
    name = f"bench_{os.getpid()}"
    settings = LakehouseSettings.from_env({**os.environ, "RVA_DATABASE": f"rva_{name}"})
    of_flink = FlinkSettings.from_env()
    catalog = connect(settings)
    topic = f"persistent://retail/metadata/{name}"
    with FlinkClient(of_flink.url, python_jar=of_flink.python_jar) as flink:
        place = Place(
            database=settings.database,
            topic=topic,
            lakehouse=settings,
            catalog=catalog,
            flink=flink,
        )
        tables.ensure_tables(catalog, place.database)
        try:
            yield place
        finally:
            remove(place)


def remove(place: Place) -> None:
    """Cancel the jobs, delete their checkpoints, drop the tables, delete a topic."""
    for job in place.flink.jobs():
        if not job.name.endswith(f"@{place.database}"):
            continue
        if not job.status.is_terminal:
            place.flink.cancel(job.job_id)
            await_that(
                f"{job.name} is cancelled",
                lambda job_id=job.job_id: place.flink.job(job_id).status.is_terminal,  # type: ignore[misc]
            )
        shutil.rmtree(FlinkSettings.from_env().checkpoint_dir / job.name, ignore_errors=True)
    for _, name in place.catalog.list_tables(place.database):
        place.catalog.purge_table((place.database, name))
    place.catalog.drop_namespace(place.database)
    delete_topic(place.topic)


def delete_topic(topic: str) -> None:
    """Delete a topic with its subscriptions; one that is not there is no error."""
    answer = httpx.delete(_admin_url(topic), params={"force": "true"}, timeout=30)
    if answer.status_code != httpx.codes.NOT_FOUND:
        answer.raise_for_status()


def published_so_far(topic: str) -> int:
    """Messages that the broker has taken into a topic since it was loaded; 0 for no topic."""
    answer = httpx.get(f"{_admin_url(topic)}/stats", timeout=30)
    if answer.status_code == httpx.codes.NOT_FOUND:
        return 0
    return int(answer.raise_for_status().json()["msgInCounter"])


def _admin_url(topic: str) -> str:
    return f"{os.environ['RVA_PULSAR_ADMIN_URL']}/admin/v2/{topic.replace('://', '/')}"


def await_look(wait: Wait) -> None:
    """Look until it has come about.

    :raises FlinkRestError: it never will, or the time is up.
    """
    wait_for(wait, STEP_SECONDS, tell=log.warning, every_seconds=LOOK_AGAIN_SECONDS)


def await_that(
    what: str, condition: Callable[[], bool], every_seconds: float = LOOK_AGAIN_SECONDS
) -> None:
    """Look until the condition holds.

    :raises DeadlinePassed: the time is up.
    """
    give_up_at = time.monotonic() + STEP_SECONDS
    while not condition():
        if time.monotonic() > give_up_at:
            raise DeadlinePassed(what, STEP_SECONDS, "not yet")
        time.sleep(every_seconds)


def await_silence(place: Place, job_id: str, table: str) -> None:
    """Wait until a checkpoint of a streaming job has held nothing new for its table."""
    committed = lambda: snapshots.committed_checkpoint(  # noqa: E731
        place.catalog, place.database, table, job_id
    )
    while True:
        wait = CheckpointCommitted(place.flink, job_id, committed)
        await_look(wait)
        if wait.nothing_new:
            return


def part_of(start: datetime, lasting: timedelta) -> tuple[str, ...]:
    """The simulator's arguments for so much of a scenario."""
    minutes = lasting / timedelta(minutes=1)
    return ("--start", start.isoformat(), "--duration-minutes", f"{minutes:g}")


def published_messages(simulator: Sequence[str]) -> int:
    """Run the simulator's command, which publishes; returns how many messages."""
    with in_background(simulator) as run:
        return messages_of(run)


@contextmanager
def in_background(simulator: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Yields the simulator's command at work; at the end it is stopped, if it has not ended."""
    with subprocess.Popen(simulator, stdout=subprocess.PIPE, text=True) as run:
        try:
            yield run
        finally:
            run.terminate()


def messages_of(run: subprocess.Popen[str]) -> int:
    """Wait until the simulator has ended, or has stopped as it was told; returns its messages.

    :raises CalledProcessError: it has ended otherwise
    """
    printed, _ = run.communicate()
    if run.returncode not in (DONE, STOPPED):
        raise subprocess.CalledProcessError(run.returncode, run.args)
    # `topic: 581,642 simulated, 581,642 published, …`
    words = printed.split()
    return int(words[words.index("published,") - 1].replace(",", ""))


def say(line: str) -> None:
    """Tell how far it is."""
    print(line, file=sys.stderr, flush=True)
