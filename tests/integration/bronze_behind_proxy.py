"""bronze_ingest whose commits a test treats as it wants, and messages that wait for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import trino

from flink_rest.jobs import EnsuredJob, JobSpec, ensure_job
from flink_rest.settings import FlinkSettings
from integration.catalogue_proxy import CatalogueProxy, Commit, Commits
from integration.conftest import Deployment, wait_until
from lakehouse import tables

JOBS = Path(__file__).parent / "jobs"
MESSAGES = 200


@dataclass
class Bronze:
    """bronze_ingest behind a proxy, and MESSAGES that wait for it in its topic."""

    deployment: Deployment
    proxy: CatalogueProxy
    job_id: str = ""

    @property
    def spec(self) -> JobSpec:
        described = self.deployment.spec("bronze_ingest")
        return replace(
            described,
            script=str(JOBS / "bronze_through.py"),
            arguments=(self.proxy.uri, *described.arguments),
        )

    def ensure(self) -> EnsuredJob:
        job = ensure_job(
            self.deployment.flink,
            self.spec,
            checkpoint_dir=FlinkSettings.from_env(self.deployment.variables).checkpoint_dir,
            target_rows=lambda table: tables.row_count(self.deployment.catalog, *table.split(".")),
        )
        self.job_id = job.job_id
        return job

    def rows(self) -> int:
        return tables.row_count(self.deployment.catalog, self.deployment.database, "bronze_raw")

    def wait_for_all_once(self) -> None:
        """Each message is a row, and no message is two once the job commits further checkpoints."""
        self.deployment.wait_for_rows("bronze_raw", MESSAGES)
        self.publish(1)
        self.deployment.wait_for_rows("bronze_raw", MESSAGES + 1)
        [[distinct]] = self.deployment.query("SELECT count(DISTINCT message_id) FROM bronze_raw")
        assert distinct == MESSAGES + 1

    def can_be_read(self) -> bool:
        try:
            self.deployment.query("SELECT count(*) FROM bronze_raw")
        except trino.exceptions.TrinoQueryError:
            return False
        return True

    def publish(self, messages: int) -> None:
        with self.deployment.producer() as producer:
            for number in range(messages):
                producer.send(b"%d" % number)

    def wait_for_commit(self) -> None:
        wait_until("a commit has arrived", lambda: bool(self.proxy.seen))

    def lose_an_answer(self, how: Commits) -> Commit:
        """Start the job and let its first commit, and no other, come to that."""

        def others_pass() -> None:
            self.proxy.commits = Commits.PASS

        self.proxy.commits = how
        self.proxy.before_commit = others_pass
        self.ensure()
        flink = self.deployment.flink
        wait_until("the job has failed by it", lambda: bool(flink.failures(self.job_id)))
        return self.proxy.seen[0]
