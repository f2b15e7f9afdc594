"""The stack on which faults are played: its variables, its processes, its jobs, its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from pyiceberg.catalog import Catalog

from flink_rest.client import FlinkClient
from flink_rest.errors import FlinkRestError
from flink_rest.jobs import ENDING_SECONDS
from flink_rest.settings import FlinkSettings
from lakehouse.catalog import connect
from lakehouse.settings import LakehouseSettings
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.supervision import Supervisor
from store_pipeline.jobs import job_name
from store_pipeline.streams import STREAMS


class StageFailed(Exception):
    """A command that must work did not; carries its last lines."""


@dataclass(frozen=True)
class Stage:
    """One deployment (database, topic, jobs) on a running local stack."""

    settings: StackSettings
    variables: dict[str, str]
    """RVA_*: of the stack, with the deployment's database and topic."""
    folder: Path
    """For frames, logs and findings."""
    say: Callable[[str], None]

    @property
    def environment(self) -> dict[str, str]:
        """For a command of ours."""
        return {**os.environ, **self.variables, "PYTHONPATH": _source_roots()}

    @property
    def database(self) -> str:
        """The deployment's tables."""
        return self.variables["RVA_DATABASE"]

    def catalog(self) -> Catalog:
        """The Iceberg catalogue, by a connection that no fault has met."""
        return connect(LakehouseSettings.from_env(self.variables))

    def process_of(self, server: str) -> psutil.Process | None:
        """The process that the supervisor runs for a server; None while there is none."""
        state = Supervisor(self.settings).states().get(server)
        try:
            return psutil.Process(state.pid) if state and state.pid else None
        except psutil.NoSuchProcess:
            return None

    def run(self, *command: str) -> str:
        """Run a command of ours to its end and return what it printed.

        :raises StageFailed: it did not end with 0
        """
        done = subprocess.run(
            [sys.executable, "-m", *command],
            env=self.environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
            raise StageFailed(
                f"`python -m {' '.join(command)}` ended with {done.returncode}: {tail}"
            )
        return done.stdout

    def start_jobs(self) -> None:
        """Make the tables and start the three streaming jobs."""
        self.run("store_pipeline", "ensure")

    def bring_jobs_back(self) -> bool:
        """Do what a person would: look, and bring back what does not run. Whether all run now.

        A server that does not answer yet is looked for again by the next call.
        """
        try:
            if self._all_run():
                return True
            self.run("store_pipeline", "ensure", "--resume-only")
        except (FlinkRestError, StageFailed) as error:
            self.say(f"    {str(error).splitlines()[-1][:200]}")
            return False
        return True

    def _all_run(self) -> bool:
        with self._flink() as client:
            running = {
                job.name
                for job in client.jobs()
                if not job.status.is_terminal and client.job(job.job_id).runs_with_all_tasks
            }
        return self._job_names <= running

    def clear(self) -> None:
        """Leave nothing of the deployment: jobs, checkpoints, tables, topic."""
        with self._flink() as client:
            for job in client.jobs():
                if job.name in self._job_names and not job.status.is_terminal:
                    client.cancel(job.job_id)
                    self._await_end(client, job.job_id)
        checkpoints = FlinkSettings.from_env(self.variables).checkpoint_dir
        for name in self._job_names:
            shutil.rmtree(checkpoints / name, ignore_errors=True)
        catalog = self.catalog()
        for _, table in catalog.list_tables(self.database):
            catalog.purge_table((self.database, table))
        httpx.delete(self._topic_url, params={"force": "true"}, timeout=60).raise_for_status()

    def unload_topic(self) -> None:
        """Have the broker let the topic go and load it again, as when it moves to another."""
        httpx.put(f"{self._topic_url}/unload", timeout=60).raise_for_status()

    @property
    def _topic_url(self) -> str:
        topic = self.variables["RVA_TOPIC"].replace("://", "/")
        return f"{self.variables['RVA_PULSAR_ADMIN_URL']}/admin/v2/{topic}"

    @property
    def _job_names(self) -> set[str]:
        return {job_name(job, self.database) for job in STREAMS}

    def _flink(self) -> FlinkClient:
        flink = FlinkSettings.from_env(self.variables)
        return FlinkClient(flink.url, python_jar=flink.python_jar)

    def _await_end(self, client: FlinkClient, job_id: str) -> None:
        """Wait: a job that is ending still writes checkpoints and commits."""
        give_up_at = time.monotonic() + ENDING_SECONDS
        while not client.job(job_id).status.is_terminal:
            if time.monotonic() > give_up_at:
                raise StageFailed(f"job {job_id} is not cancelled after {ENDING_SECONDS:.0f} s")
            time.sleep(0.5)


def _source_roots() -> str:
    return os.pathsep.join(str(CHECKOUT / root) for root in ("include", "plugins"))
