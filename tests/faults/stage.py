"""The stack on which faults are played: its variables, its processes, its jobs, its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from pyiceberg.catalog import Catalog

from flink_rest.client import FlinkClient
from flink_rest.errors import FlinkRestError
from flink_rest.settings import FlinkSettings
from lakehouse.catalog import connect
from lakehouse.settings import LakehouseSettings
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.supervision import Supervisor
from store_pipeline.jobs import job_name

JOBS = ("bronze_ingest", "silver_detections", "gold_streaming")


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
        settings = FlinkSettings.from_env(self.variables)
        client = FlinkClient(self.variables["RVA_FLINK_URL"], python_jar=settings.python_jar)
        try:
            running = {
                job.name
                for job in client.jobs()
                if not job.status.is_terminal and client.job(job.job_id).runs_with_all_tasks
            }
        finally:
            client.close()
        return {job_name(job, self.database) for job in JOBS} <= running

    def clear(self) -> None:
        """Leave nothing of the deployment: jobs, checkpoints, tables, topic."""
        flink = FlinkSettings.from_env(self.variables)
        client = FlinkClient(self.variables["RVA_FLINK_URL"], python_jar=flink.python_jar)
        names = {job_name(job, self.database) for job in JOBS}
        for job in client.jobs():
            if job.name in names and not job.status.is_terminal:
                client.cancel(job.job_id)
        client.close()
        for name in names:
            shutil.rmtree(flink.checkpoint_dir / name, ignore_errors=True)
        catalog = self.catalog()
        for _, table in catalog.list_tables(self.database):
            catalog.purge_table((self.database, table))
        httpx.delete(
            f"{self.variables['RVA_PULSAR_ADMIN_URL']}/admin/v2/"
            + self.variables["RVA_TOPIC"].replace("://", "/"),
            params={"force": "true"},
            timeout=60,
        ).raise_for_status()


def _source_roots() -> str:
    return os.pathsep.join(str(CHECKOUT / root) for root in ("include", "plugins"))
