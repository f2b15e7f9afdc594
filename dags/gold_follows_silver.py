"""### Days whose Silver has new detections are rebuilt

**What.** Begins a run of `gold_nightly_backfill` for each ended day of which Silver has got new
detections, so that their Gold is audited and published as every night's is. A day that has not
ended is left out: streaming Gold shows it, and the night rebuilds it.

**When.** By itself, when a run of `retail_video_analytics` or `live_cameras` has brought its
detections into Silver: they update the asset `silver_detection`. Several updates that come while a
run is under way are taken together by the next one.

**Run it again.** As often as you like: rebuilt twice is as once.

**When a step fails**, the last line of its log says what and what to do.

- `ended_days`: an update that names no days. Look at the task that made it; the next one goes on.
- `rebuild_day`: Airflow could not begin the run. Trigger `gold_nightly_backfill` with the day.

More in `docs/airflow.md`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, task

from store_pipeline import rebuilding, tasks
from store_pipeline.assets import SILVER

with DAG(
    dag_id="gold_follows_silver",
    dag_display_name="Gold follows Silver",
    description="Has the ended days rebuilt of which Silver has new detections",
    doc_md=__doc__,
    schedule=[SILVER],
    catchup=False,
    max_active_runs=1,
    # like the nightly one, it must run without anybody's unpausing it
    is_paused_upon_creation=False,
    tags=["gold", "lakehouse"],
    default_args=tasks.defaults(
        retry_delay=timedelta(seconds=30), execution_timeout=timedelta(minutes=10)
    ),
):
    TriggerDagRunOperator.partial(
        task_id="rebuild_day",
        trigger_dag_id="gold_nightly_backfill",
        map_index_template="{{ task.conf['day'] }}",
    ).expand(conf=task(rebuilding.ended_days)())
