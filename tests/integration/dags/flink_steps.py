"""DAGs of one Flink job each, for tests that kill what runs them."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG

from flink_rest.operators import FlinkRunJobOperator
from flink_rest.sensors import FlinkJobRunningSensor
from trino_checks.operators import TrinoRowCountOperator

SCRIPT = os.environ["RVA_TEST_FLINK_SCRIPT"]
NAME = "{{ dag.dag_id }}_{{ run_id }}"
DEFAULTS = {
    "retries": 3,
    "retry_delay": timedelta(seconds=2),
    "execution_timeout": timedelta(minutes=5),
}
BATCH = {
    "task_id": "job",
    "job_name": NAME,
    "script": SCRIPT,
    "arguments": ["--name", NAME, "--rows", "{{ params.rows }}"],
    "batch": True,
}

for dag_id, deferrable in (("batch_in_worker", False), ("batch_in_triggerer", True)):
    with DAG(dag_id, schedule=None, default_args=DEFAULTS, params={"rows": 2500}):
        FlinkRunJobOperator(**BATCH, deferrable=deferrable)

with DAG("fails_in_flink", schedule=None, default_args=DEFAULTS):
    FlinkRunJobOperator(
        **BATCH | {"arguments": ["--name", NAME, "--divide-by-zero"]}, deferrable=True, retries=0
    )

with DAG("stream", schedule=None, default_args=DEFAULTS | {"retries": 30}):
    ensured = FlinkRunJobOperator(
        task_id="ensure",
        job_name=NAME,
        script=SCRIPT,
        arguments=[
            "--name",
            NAME,
            "--checkpoint-dir",
            f"{os.environ['RVA_CHECKPOINT_DIR']}/{NAME}",
        ],
    )
    FlinkJobRunningSensor(task_id="runs", job_id=ensured.output, deferrable=True)

with DAG("told_to_openlineage", schedule=None, default_args=DEFAULTS, params={"rows": 100}):
    table = (
        "trino://{{ conn.trino.host }}:{{ conn.trino.port }}",
        f"lakehouse.{os.environ['RVA_DATABASE']}.bronze_raw",
    )
    job = FlinkRunJobOperator(
        **BATCH, deferrable=True, reads=[("pulsar://broker:6650", "topic")], writes=[table]
    )
    check = TrinoRowCountOperator(
        task_id="check",
        sql="SELECT count(*) FROM lakehouse.{database}.bronze_raw",
        database=os.environ["RVA_DATABASE"],
        table="bronze_raw",
        min_threshold=0,
        deferrable=True,
    )
    job >> check
