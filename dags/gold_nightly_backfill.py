"""### One day of Gold, rebuilt

**What.** Rebuilds the four Gold tables of one UTC day from Silver (`gold_batch`), overwriting that
day in one commit a table, closes it, restarts streaming Gold from a savepoint so that it leaves the
day alone, and compares Gold's sums with Silver's. A stream that nobody has started stays so. Late
and corrected data are counted here: the batch is Gold's truth. A day without any rows is skipped,
which is no failure.

**When.** At 02:00 UTC for the day that has just ended. The logical date is the day rebuilt. By
hand: *Trigger* with a day, or `make backfill DAY=2026-11-24` (`FROM=… TO=…` for several days).

**Run it again.** As often as you like: the day's partitions are replaced, so twice is as once.

**When a step fails**, the last line of its log says what and what to do. In short:

- `day`: the form's day is not written as 2026-11-24. Trigger again.
- `skip_empty_day`: Trino is down. `make status`, `make up`, then clear the task.
- `rebuild_gold`: Flink is down, has no free slot, or the job failed; the log has its root cause.
  Mend it, then clear the task.
- `ensure_gold_streaming`: the stream could not be stopped or resumed; the log says how to go on.
- `ensure_tables`, `close_days`: the Iceberg catalogue is down. `make up`, then clear the task.
- `gold_equals_silver`: rows of the day reached Silver during the rebuild; the log has all sums.
  Clear `rebuild_gold`.

More in `docs/airflow.md`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, chain, task

from flink_rest.operators import FlinkRunJobOperator
from store_pipeline import jobs, steps
from store_pipeline.settings import CHECKS_DIR, PipelineSettings
from trino_checks.operators import TrinoEqualityCheckOperator, TrinoSkipWhenZeroOperator

settings = PipelineSettings.from_env()

with DAG(
    dag_id="gold_nightly_backfill",
    dag_display_name="Gold nightly backfill",
    description="Rebuilds the Gold of one UTC day from Silver and checks it",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    # unlike the main DAG, which waits for a video, it must run without anybody's unpausing it
    is_paused_upon_creation=False,
    tags=["gold", "flink", "lakehouse"],
    template_searchpath=[str(CHECKS_DIR)],
    default_args={
        "owner": "retail-video-analytics",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(minutes=30),
    },
    params={
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Day",
            description="UTC day to rebuild, for example `2026-11-24`; empty: the day of the "
            "logical date",
        ),
    },
):
    day = task(steps.day)()
    check = {
        "sql": "gold_equals_silver.sql",
        "database": settings.database,
        "parameters": {"day": day},
    }
    chain(
        # the first night may come before the first video
        task(steps.ensure_tables)(),
        day,
        TrinoSkipWhenZeroOperator(task_id="skip_empty_day", **check),
        FlinkRunJobOperator(
            task_id="rebuild_gold",
            arguments=jobs.gold_batch_arguments(settings, day),
            deferrable=True,
            timeout_seconds=1500,
            pool="flink_submission",
            **jobs.gold_batch(settings),
        ),
        task(steps.close_days)([day]),
        FlinkRunJobOperator(
            task_id="ensure_gold_streaming",
            start=False,
            pool="flink_submission",
            **jobs.gold_streaming(settings, closed_days_from="close_days"),
        ),
        TrinoEqualityCheckOperator(task_id="gold_equals_silver", **check),
    )
