"""The operators under a running Airflow: what runs them is killed, and one Flink job ends well."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flink_rest.client import FlinkClient
from flink_rest.records import JobStatus
from flink_rest.settings import FlinkSettings
from integration.airflow_servers import PATIENCE_SECONDS, AirflowServers, running
from integration.conftest import Deployment, wait_until
from local_stack import stack as local_stack
from local_stack.servers import airflow as of_stack
from local_stack.settings import StackSettings
from local_stack.supervision import Supervisor

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
]

HERE = Path(__file__).parent
LONG = 6_000
"""Rows, a hundred a second."""
BUSY_SECONDS = 8
"""SQLite itself waits for five."""


@pytest.fixture(scope="module")
def lineage_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lineage") / "events.jsonl"


@pytest.fixture(scope="module")
def airflow(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory, lineage_file: Path
) -> Iterator[AirflowServers]:
    of_flink = FlinkSettings.from_env(deployment.variables)
    script = os.path.relpath(HERE / "jobs" / "datagen_to_blackhole.py", of_flink.jobs_dir)
    with running(
        tmp_path_factory.mktemp("airflow"),
        deployment.variables,
        HERE / "dags" / "flink_steps.py",
        RVA_TEST_FLINK_SCRIPT=script,
        RVA_CHECKPOINT_DIR=str(of_flink.checkpoint_dir),
        AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps(
            {"type": "file", "log_file_path": str(lineage_file), "append": True}
        ),
    ) as made:
        yield made


@pytest.fixture(scope="module")
def flink(deployment: Deployment) -> FlinkClient:
    return deployment.flink


def jobs_of(flink: FlinkClient, dag_id: str, run_id: str) -> list[tuple[str, JobStatus]]:
    name = f"{dag_id}_{run_id}"
    return [(job.job_id, job.status) for job in flink.jobs() if job.name == name]


def one_job_runs(flink: FlinkClient, dag_id: str, run_id: str) -> Callable[[], bool]:
    return lambda: [status for _, status in jobs_of(flink, dag_id, run_id)] == [JobStatus.RUNNING]


def the_job_that_finished(flink: FlinkClient, dag_id: str, run_id: str) -> str:
    # what a worker was at that Airflow had given up, it has cancelled
    ended = [each for each in jobs_of(flink, dag_id, run_id) if each[1] is not JobStatus.CANCELED]
    assert [status for _, status in ended] == [JobStatus.FINISHED]
    return ended[0][0]


def assert_ended_well_with_one_job(
    airflow: AirflowServers, flink: FlinkClient, dag_id: str, run_id: str
) -> None:
    assert airflow.wait_for_run(dag_id, run_id) == "success"
    the_job_that_finished(flink, dag_id, run_id)


def test_worker_that_is_killed_in_mid_job_leaves_one_job_that_the_retry_waits_for(
    airflow: AirflowServers, flink: FlinkClient
) -> None:
    run_id = airflow.trigger("batch_in_worker", rows=LONG)
    wait_until("the job runs", one_job_runs(flink, "batch_in_worker", run_id))
    airflow.kill_busy_workers()
    assert_ended_well_with_one_job(airflow, flink, "batch_in_worker", run_id)
    assert airflow.tasks("batch_in_worker", run_id)["job"]["try_number"] == 2
    assert "Found job" in airflow.log("batch_in_worker", run_id, "job", 2)


def test_triggerer_that_is_killed_goes_on_waiting_when_it_is_back(
    airflow: AirflowServers, flink: FlinkClient
) -> None:
    run_id = airflow.trigger("batch_in_triggerer", rows=LONG)
    airflow.wait_for_trigger("batch_in_triggerer", run_id, "job")
    airflow.kill("airflow-triggerer")
    airflow.start("airflow-triggerer")
    assert_ended_well_with_one_job(airflow, flink, "batch_in_triggerer", run_id)
    assert airflow.tasks("batch_in_triggerer", run_id)["job"]["try_number"] == 1


def test_scheduler_that_is_killed_goes_on_when_it_is_back(
    airflow: AirflowServers, flink: FlinkClient
) -> None:
    run_id = airflow.trigger("batch_in_worker", rows=LONG)
    wait_until("the job runs", one_job_runs(flink, "batch_in_worker", run_id))
    airflow.kill("airflow-scheduler")
    airflow.start("airflow-scheduler")
    assert_ended_well_with_one_job(airflow, flink, "batch_in_worker", run_id)


def test_database_that_is_busy_for_longer_than_sqlite_waits_is_waited_for(
    airflow: AirflowServers,
) -> None:
    airflow.wait_for_dag("stream")
    began = time.monotonic()
    with contextlib.closing(
        sqlite3.connect(
            airflow.folder / of_stack.DATABASE,
            timeout=60,
            isolation_level=None,
            check_same_thread=False,
        )
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        ends = threading.Timer(BUSY_SECONDS, other.rollback)
        ends.start()
        airflow.ask("PATCH", "dags/stream", json={"is_paused": False})
        assert time.monotonic() - began >= BUSY_SECONDS
        ends.join()


@pytest.mark.parametrize(
    ("dag_id", "state"), [("batch_in_worker", "running"), ("batch_in_triggerer", "deferred")]
)
def test_task_that_is_marked_failed_cancels_its_job(
    airflow: AirflowServers, flink: FlinkClient, dag_id: str, state: str
) -> None:
    run_id = airflow.trigger(dag_id, rows=100 * LONG)
    wait_until("the job runs", one_job_runs(flink, dag_id, run_id))
    airflow.wait_for_task(dag_id, run_id, "job", state)
    if state == "deferred":
        airflow.wait_for_trigger(dag_id, run_id, "job")
    airflow.ask(
        "PATCH",
        f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/job",
        json={"new_state": "failed"},
    )
    wait_until(
        "the job is cancelled",
        lambda: [each for _, each in jobs_of(flink, dag_id, run_id)] == [JobStatus.CANCELED],
    )
    assert airflow.wait_for_run(dag_id, run_id) == "failed"


def test_job_that_fails_in_flink_fails_the_task_with_its_root_cause(
    airflow: AirflowServers, flink: FlinkClient
) -> None:
    run_id = airflow.trigger("fails_in_flink")
    assert airflow.wait_for_run("fails_in_flink", run_id) == "failed"
    assert "java.lang.ArithmeticException: / by zero" in airflow.log(
        "fails_in_flink", run_id, "job"
    )


def test_openlineage_is_told_what_a_job_writes_and_what_a_check_finds_of_it(
    airflow: AirflowServers, deployment: Deployment, flink: FlinkClient, lineage_file: Path
) -> None:
    run_id = airflow.trigger("told_to_openlineage")
    assert airflow.wait_for_run("told_to_openlineage", run_id) == "success"
    ended: dict[str, Any] = {}

    def both_have_ended() -> bool:
        events = [json.loads(line) for line in lineage_file.read_text().splitlines()]
        names = {f"told_to_openlineage.{task}": task for task in ("job", "check")}
        ended.update(
            {
                names[each["job"]["name"]]: each
                for each in events
                if each["eventType"] == "COMPLETE" and each["job"]["name"] in names
            }
        )
        return set(ended) == {"job", "check"}

    wait_until("OpenLineage has both events", both_have_ended)
    written, counted = ended["job"]["outputs"][0], ended["check"]["inputs"][0]
    name = f"lakehouse.{deployment.database}.bronze_raw"
    assert (written["namespace"], written["name"]) == (counted["namespace"], name)
    assert counted["name"] == name
    (assertion,) = counted["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (assertion["assertion"], assertion["success"]) == ("row_count", True)
    assert ended["job"]["inputs"][0]["name"] == "topic"
    job_id = the_job_that_finished(flink, "told_to_openlineage", run_id)
    assert ended["job"]["run"]["facets"]["externalQuery"]["externalQueryId"] == job_id
    assert ended["check"]["run"]["facets"]["externalQuery"]["source"] == counted["namespace"]


@pytest.mark.alone
def test_flink_that_is_down_for_a_minute_is_healed_from(
    airflow: AirflowServers, flink: FlinkClient
) -> None:
    settings = StackSettings.load()
    Supervisor(settings).stop("flink-jobmanager")
    back_at = time.monotonic() + 60
    run_id = airflow.trigger("stream")
    airflow.wait_for_task("stream", run_id, "ensure", "up_for_retry")
    time.sleep(max(0.0, back_at - time.monotonic()))
    wait_until(
        "it is tried again",
        lambda: airflow.tasks("stream", run_id)["ensure"]["try_number"] > 1,
        PATIENCE_SECONDS,
    )
    local_stack.restart(settings, ["flink-jobmanager"])
    assert airflow.wait_for_run("stream", run_id) == "success"
    ((job_id, status),) = jobs_of(flink, "stream", run_id)
    assert status is JobStatus.RUNNING
    flink.cancel(job_id)
