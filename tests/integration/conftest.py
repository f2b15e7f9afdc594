"""A deployment of its own on the running local stack: database, topic, jobs; removed afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import pulsar
import pytest
import trino
from pyiceberg.catalog import Catalog

from flink_rest.client import FlinkClient
from flink_rest.errors import NoFreeSlots
from flink_rest.jobs import EnsuredJob, JobSpec, ensure_job, submit
from flink_rest.records import JobStatus
from flink_rest.settings import FlinkSettings
from lakehouse import snapshots, tables
from lakehouse.catalog import connect
from lakehouse.errors import LakehouseError
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.snapshots import snapshot_time

Started = TypeVar("Started")
ROOT = Path(__file__).resolve().parents[2]
JOB_SECONDS = 400.0
"""How long a job may take to run, to commit or to finish.

It needs about 20 s on two cores that are free, and some 100 s when a TaskManager was killed and
the machine has other work.
"""
ANSWER_SECONDS = 60.0
"""How long a server may take to answer; it needs milliseconds where nothing keeps it waiting."""

TARGETS = {
    "bronze_ingest": "bronze_raw",
    "silver_detections": "silver_detection",
    "gold_streaming": None,
}


def stack_variables() -> dict[str, str]:
    """RVA_* of the checkout's stack, those that are set already first."""
    printed = subprocess.run(
        [sys.executable, "-m", "local_stack", "env"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    named = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    return {name: os.environ.get(name, value) for name, value in named.items()}


@pytest.fixture(scope="session")
def stack() -> dict[str, str]:
    """The running stack's RVA_* variables; without a stack the test is skipped, saying so.

    `make test` brings the stack up and sets RVA_REQUIRE_STACK, under which it fails instead.
    """
    variables = stack_variables()
    try:
        connect(LakehouseSettings.from_env(variables))
        overview = f"{variables['RVA_FLINK_URL']}/overview"
        httpx.get(overview, timeout=ANSWER_SECONDS).raise_for_status()
    except (LakehouseError, httpx.HTTPError) as error:
        if os.environ.get("RVA_REQUIRE_STACK"):
            raise
        pytest.skip(f"the local stack is down ({error}): `make up` starts it")
    return variables


@dataclass
class Deployment:
    """One database and one topic on the stack, and what a test needs to work with them."""

    variables: dict[str, str]
    database: str
    topic: str
    catalog: Catalog
    flink: FlinkClient

    def job_name(self, job: str) -> str:
        return f"{job}@{self.database}"

    def spec(self, job: str, *arguments: str) -> JobSpec:
        target = TARGETS.get(job)
        return JobSpec(
            name=self.job_name(job),
            script=f"{FlinkSettings.from_env(self.variables).jobs_dir}/{job}.py",
            arguments=(
                "--database",
                self.database,
                "--checkpoint-interval-seconds",
                "2",
                *(("--topic", self.topic) if job == "bronze_ingest" else ()),
                *arguments,
            ),
            refuse_fresh_start_when_rows_in=(f"{self.database}.{target}",) if target else (),
        )

    def uncovered_spec(self, hole: str, *arguments: str) -> JobSpec:
        """A job without what covers a hole that begins with its name (jobs/uncovered.py)."""
        described = self.spec(hole.partition(" ")[0], *arguments)
        script = str(Path(__file__).parent / "jobs" / "uncovered.py")
        return replace(described, script=script, arguments=(hole, *described.arguments))

    def newer_spec(self, job: str) -> JobSpec:
        """The job as a newer version has it, which fills one column more (jobs/newer.py)."""
        described = self.spec(job)
        script = str(Path(__file__).parent / "jobs" / "newer.py")
        return replace(described, script=script, arguments=(job, *described.arguments))

    def ensure(self, job: str, *arguments: str) -> EnsuredJob:
        """Ensure a streaming job and wait until all its tasks run."""
        return self.ensure_as(self.spec(job, *arguments))

    def ensure_as(self, spec: JobSpec) -> EnsuredJob:
        """Ensure a streaming job as it is described and wait until all its tasks run."""
        job = when_slots_are_free(
            spec.name,
            lambda: ensure_job(
                self.flink,
                spec,
                checkpoint_dir=FlinkSettings.from_env(self.variables).checkpoint_dir,
                target_rows=lambda table: tables.row_count(self.catalog, *table.split(".")),
            ),
        )
        wait_until(
            f"{spec.name} runs with all its tasks",
            lambda: self.flink.job(job.job_id).runs_with_all_tasks,
        )
        return job

    def submit(self, spec: JobSpec) -> str:
        """Start a job without its checkpoints; its id."""
        checkpoints = FlinkSettings.from_env(self.variables).checkpoint_dir
        return when_slots_are_free(
            spec.name, lambda: submit(self.flink, spec, checkpoint_dir=checkpoints)
        )

    def start_afresh(self, job: str, *arguments: str) -> None:
        """Start a job without its checkpoints and wait until all its tasks run."""
        job_id = self.submit(self.spec(job, *arguments))
        wait_until(
            f"{job} runs with all its tasks",
            lambda: self.flink.job(job_id).runs_with_all_tasks,
        )

    def run_batch(self, job: str, *arguments: str) -> None:
        """Run a batch job to its end; it must finish."""
        job_id = self.submit(self.spec(job, *arguments))
        wait_until(f"{job} ends", lambda: self.flink.job(job_id).status.is_terminal)
        status = self.flink.job(job_id).status
        assert status is JobStatus.FINISHED, self.flink.failure(job_id)

    def running(self) -> dict[str, str]:
        """Ids of this deployment's jobs that have not ended, by script's name."""
        return {
            job.name.partition("@")[0]: job.job_id
            for job in self.flink.jobs()
            if job.name.endswith(f"@{self.database}") and not job.status.is_terminal
        }

    def cancel(self, job_id: str) -> None:
        self.flink.cancel(job_id)
        wait_until("the job is cancelled", lambda: self.flink.job(job_id).status.is_terminal)

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[list[object]]:
        """Ask Trino, in this database."""
        address = urlsplit(self.variables["RVA_TRINO_URL"])
        with trino.dbapi.connect(
            host=address.hostname,
            port=address.port,
            user="test",
            catalog="lakehouse",
            schema=self.database,
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(sql, list(parameters) or None)
            return list(cursor.fetchall())

    def rows(self, table: str) -> list[dict[str, object]]:
        """All rows of a table as dictionaries, as Trino reads them."""
        columns = [column.name for column in TABLES[table].columns]
        return [
            dict(zip(columns, row, strict=True))
            for row in self.query(f"SELECT {', '.join(columns)} FROM {table}")
        ]

    def wait_for_rows(self, table: str, expected: int) -> None:
        """Wait until a table holds as many rows; more is an error at once."""
        seen: list[int] = []

        def there() -> bool:
            actual = self.query(f"SELECT count(*) FROM {table}")[0][0]
            assert isinstance(actual, int)
            assert actual <= expected, f"{table} has {actual} rows, more than {expected}"
            seen.append(actual)
            return actual == expected

        self.wait_for_tables(
            lambda: f"{table} has {expected} rows; it has {seen[-1]}", there, [table]
        )

    def wait_for_tables(
        self,
        what: str | Callable[[], str],
        condition: Callable[[], bool],
        names: Sequence[str],
        seconds: float = JOB_SECONDS,
    ) -> None:
        """Wait until a condition of what Trino shows of the tables holds.

        It is asked once a snapshot of theirs: asking Trino costs a tenth of a second of processor
        or more, which those that are waited for could use.
        """
        asked: set[tuple[int | None, ...]] = set()

        def holds() -> bool:
            newest = tuple(self.newest_snapshot(name) for name in names)
            if newest in asked:
                return False
            asked.add(newest)
            return condition()

        wait_until(what, holds, seconds)

    def newest_snapshot(self, table: str) -> int | None:
        snapshot = tables.load(self.catalog, self.database, table).current_snapshot()
        return snapshot.snapshot_id if snapshot else None

    def newest_commit(self, table: str) -> datetime:
        """When the table's newest snapshot was committed."""
        snapshot = tables.load(self.catalog, self.database, table).current_snapshot()
        assert snapshot is not None, f"{table} has no snapshot"
        return snapshot_time(snapshot)

    def committed_checkpoint(self, table: str, job_id: str) -> int | None:
        return snapshots.committed_checkpoint(self.catalog, self.database, table, job_id)

    @contextmanager
    def producer(self) -> Iterator[pulsar.Producer]:
        """An unbatched producer to the topic."""
        client = pulsar.Client(
            self.variables["RVA_PULSAR_URL"], logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error)
        )
        try:
            # else a full queue, or a broker that is slow, drops messages and tells the callback
            yield client.create_producer(
                self.topic,
                batching_enabled=False,
                block_if_queue_full=True,
                send_timeout_millis=0,
            )
        finally:
            client.close()

    def close(self) -> None:
        """Cancel what runs, delete the checkpoints, drop the tables, delete the topic."""
        checkpoints = FlinkSettings.from_env(self.variables).checkpoint_dir
        for job in self.flink.jobs():
            if job.name.endswith(f"@{self.database}"):
                if not job.status.is_terminal:
                    self.cancel(job.job_id)
                shutil.rmtree(checkpoints / job.name, ignore_errors=True)
        self.flink.close()
        for _, name in self.catalog.list_tables(self.database):
            self.catalog.purge_table((self.database, name))
        self.catalog.drop_namespace(self.database)
        path = self.topic.replace("://", "/")
        httpx.delete(
            f"{self.variables['RVA_PULSAR_ADMIN_URL']}/admin/v2/{path}",
            params={"force": "true"},
            timeout=ANSWER_SECONDS,
        )


@contextmanager
def new_deployment(
    stack: dict[str, str], namespace: str = "retail/metadata"
) -> Iterator[Deployment]:
    """A fresh deployment with its tables made; removed at the end."""
    name = uuid.uuid4().hex[:8]
    database = f"rva_test_{name}"
    topic = f"persistent://{namespace}/test-{name}"
    variables = {**stack, "RVA_DATABASE": database, "RVA_TOPIC": topic}
    catalog = connect(LakehouseSettings.from_env(variables))
    tables.ensure_tables(catalog, database)
    made = Deployment(
        variables=variables,
        database=database,
        topic=topic,
        catalog=catalog,
        flink=FlinkClient(
            variables["RVA_FLINK_URL"], python_jar=FlinkSettings.from_env(variables).python_jar
        ),
    )
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def deployment(stack: dict[str, str]) -> Iterator[Deployment]:
    """A fresh deployment for a module of tests, with its tables made."""
    with new_deployment(stack) as made:
        yield made


def when_slots_are_free(name: str, start: Callable[[], Started]) -> Started:
    """Start a job; the tests beside may have taken all slots, with a batch for a while."""
    started: list[Started] = []

    def had_slots() -> bool:
        with suppress(NoFreeSlots):
            started.append(start())
        return bool(started)

    wait_until(f"the cluster has slots for {name}", had_slots)
    return started[0]


def wait_until(
    what: str | Callable[[], str], condition: Callable[[], bool], seconds: float = JOB_SECONDS
) -> None:
    """Look every half second until the condition holds; fail, naming it, when time is up."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up_at:
            named = what if isinstance(what, str) else what()
            pytest.fail(f"after {seconds:.0f} s still not: {named}")
        time.sleep(0.5)
