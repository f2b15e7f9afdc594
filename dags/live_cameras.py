"""### Cameras, live

**What.** Runs the cameras of a `cameras.yaml` for some minutes. What vision sees goes straight into
Pulsar, no file is written, and the streaming jobs take it through Bronze and Silver to Gold while
the cameras run. At the end Bronze must hold every frame that the broker has acknowledged.

**When.** By hand: *Trigger* opens a form. One store at a time. For cameras that never stop, run
`python -m vision cameras` as a service beside Airflow: a task is not meant to last for months.

**Run it again.** A new run is a new capture of each camera. A task that is tried again runs the
cameras for the whole time once more.

**When a step fails**, the last line of its log says what and what to do. In short:

- `live`: no such file. Correct the form, trigger again.
- `ensure_tables`: the Iceberg catalogue is down. `make up`, then clear the task.
- `ensure_bronze`, `ensure_silver`, `ensure_gold_streaming`: Flink is down, has no free slot, or a
  start would double rows; the log names who takes the slots, or the table.
- `cameras`: the file is wrong (the log has the line), or a camera could not be used. A camera that
  is lost is tried again all the time, and a process that crashes is started again.
- `bronze_holds_every_frame`: the job lags or has failed; the log has the numbers.
- `live_runs`, `live_days`, `silver_is_updated`: Airflow's API server is down. Clear the task; the
  night rebuilds the days too.

More in `docs/airflow.md`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, TaskGroup, chain, task

from flink_rest.operators import FlinkRunJobOperator
from store_pipeline import jobs, steps, tasks
from store_pipeline.assets import SILVER
from store_pipeline.live import CamerasOperator
from store_pipeline.settings import CHECKS_DIR, PipelineSettings
from trino_checks.sensors import TrinoRowCountSensor

settings = PipelineSettings.from_env()

with DAG(
    dag_id="live_cameras",
    dag_display_name="Live cameras",
    description="The cameras of a store straight into Pulsar, for some minutes",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["video", "flink", "live"],
    user_defined_macros={"closed_days": steps.known_closed_days},
    template_searchpath=[str(CHECKS_DIR)],
    default_args=tasks.defaults(
        retries=1, retry_delay=timedelta(seconds=10), execution_timeout=timedelta(minutes=15)
    ),
    params={
        "cameras": Param(
            "cameras.yaml",
            type="string",
            minLength=1,
            title="Cameras",
            description_md="The store's *cameras.yaml* (relative paths start at the checkout); "
            "*docs/cameras.yaml* is an example. Passwords stand in the environment of Airflow, "
            "as *${CAM_PASSWORD}* in the file",
        ),
        "minutes": Param(
            60,
            type="number",
            exclusiveMinimum=0,
            maximum=7 * 24 * 60,
            title="Minutes",
            description_md="How long the cameras run, at most a week",
        ),
        "only": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "minLength": 1},
            title="Only these cameras",
            description_md="Their names in the file; empty: all",
        ),
    },
):
    pool = {"pool": "flink_submission"}
    inputs = task(steps.live)()
    ensure_tables = task(steps.ensure_tables)()
    with TaskGroup("streams", prefix_group_id=False, tooltip="The jobs that take frames on"):
        streams = [
            FlinkRunJobOperator(task_id="ensure_bronze", **jobs.bronze_ingest(settings), **pool),
            FlinkRunJobOperator(
                task_id="ensure_silver", **jobs.silver_detections(settings), **pool
            ),
            FlinkRunJobOperator(
                task_id="ensure_gold_streaming", **jobs.gold_streaming(settings), **pool
            ),
        ]
    cameras = CamerasOperator(
        task_id="cameras",
        inputs=inputs,
        pool="vision",
        execution_timeout=timedelta(days=8),
    )
    bronze_holds_every_frame = TrinoRowCountSensor.partial(
        task_id="bronze_holds_every_frame",
        table="bronze_raw",
        sql="bronze_frames_of_runs.sql",
        database=settings.database,
        deferrable=True,
        map_index_template="{{ task.parameters['camera_id'] }}",
    ).expand_kwargs(task(task_id="live_runs")(steps.live_cameras)(cameras.output))
    days = task(steps.live_days)()
    chain(
        *(inputs, ensure_tables, *streams, cameras, bronze_holds_every_frame, days),
        task(outlets=[SILVER])(steps.silver_is_updated)(days),
    )
