"""### The streaming jobs, kept running

**What.** Looks whether `bronze_ingest`, `silver_detections` and `gold_streaming` run, and brings
one that does not back from its newest checkpoint, with no row lost or doubled: after a JobManager's
death, which forgets its jobs, or a job's failure. A job that runs is left as it is. So is one that
nobody has started yet, and one that somebody has cancelled or stopped in Flink, for a rebuild for
example. The JobManager knows of that for 30 days, and until it is started again: pause this DAG for
a stop that must outlast either.

**When.** Every five minutes. `make up` does the same once when the servers have started, and
`make streams` at any time.

**Run it again.** As often as you like: a job that runs is adopted, never started twice.

**When a step fails**, the last line of its log says what and what to do. The next run tries again
by itself. In short:

- `ensure_tables`: the Iceberg catalogue is down. `make up`.
- `keep_bronze`, `keep_silver`, `keep_gold_streaming`: Flink is down or has no free slot (the log
  names who takes the slots), or the job has changed so that its checkpoint does not fit: go back to
  the version that wrote it, or rebuild as the log says.

More in `docs/airflow.md`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, chain, task

from flink_rest.operators import FlinkRunJobOperator
from store_pipeline import jobs, steps, tasks
from store_pipeline.settings import PipelineSettings

settings = PipelineSettings.from_env()

with DAG(
    dag_id="keep_streams_running",
    dag_display_name="Keep streams running",
    description="Brings the streaming jobs back from their newest checkpoints when they do not run",
    doc_md=__doc__,
    schedule="*/5 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    user_defined_macros={"closed_days": steps.known_closed_days},
    # like the nightly one, it must run without anybody's unpausing it
    is_paused_upon_creation=False,
    tags=["flink"],
    default_args=tasks.defaults(
        retries=1, retry_delay=timedelta(seconds=30), execution_timeout=timedelta(minutes=10)
    ),
):
    keep = {"start": False, "leave_ended_by_hand": True, "pool": "flink_submission"}
    chain(
        task(steps.ensure_tables)(),
        # side by side: one that cannot be brought back keeps none down
        [
            FlinkRunJobOperator(task_id="keep_bronze", **jobs.bronze_ingest(settings), **keep),
            FlinkRunJobOperator(task_id="keep_silver", **jobs.silver_detections(settings), **keep),
            FlinkRunJobOperator(
                task_id="keep_gold_streaming",
                **jobs.gold_streaming(settings)
                # what was closed when this task began may be old when its turn comes: whoever
                # closes a day restarts the stream
                | {"restart_when_changed": {}},
                **keep,
            ),
        ],
    )
