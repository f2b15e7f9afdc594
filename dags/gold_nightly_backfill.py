"""### One day of Gold, rebuilt, audited, and only then published

**What.** Rebuilds the four Gold tables of one UTC day from Silver (`gold_batch`) on an Iceberg
branch, `backfill_2026_11_24`, where nobody sees them; audits them there against the Silver that the
batch read; measures how far the published day is from them (`gold_backfill`); closes the day, so
that streaming Gold, which is restarted from a savepoint, leaves it alone; and publishes, in one
commit a table. A stream that nobody has started stays so. A day without any rows is skipped, which
is no failure. The scheduled night also rebuilds, each by a run of its own, the other days of the
last 30 of which Silver has other rows than when they were rebuilt: late arrivals, repairs, nights
that were missed. Beside that it checks the quality of the day in every layer (`data_quality`); what
is violated there makes the run red, and keeps no day from being rebuilt.

**When.** At 02:00 UTC for the day that has just ended. The logical date is the day rebuilt. By
hand: *Trigger* with a day, `make backfill DAY=2026-11-24` (`FROM=… TO=…` for several days), or
`airflow backfill create`. Three days at a time; a day that another run is at is waited for.

**Run it again.** As often as you like: the day's files are replaced, so twice is as once.

**When a step fails** before `publish_day`, the published day is as it was. The branches are taken
away; what was not published stays readable for seven days, `FOR VERSION AS OF
'rejected_2026_11_24'`. The last line of the step's log says what and what to do. Then clear the run
from `claim_day` on, with all that follows: the steps belong to one claim.

- `day`: the form's day is not written as 2026-11-24, or has not ended. Trigger again.
- `skip_empty_day`, `audit_day`, `measure_drift`, `changed_days`: Trino is down. `make up`.
- `audit_day`: an identity does not hold; the log has all, with their numbers.
- `claim_day`: another run was at the day for an hour; the log says which. Or what the day would be
  rebuilt from is kept no longer (`docs/retention.md`): published Gold stays as it is.
- `rebuild_gold`: Flink is down, has no free slot, or the job failed; the log has its root cause.
- `ensure_gold_streaming`: the stream could not be stopped or resumed; the log says how to go on.
- `ensure_tables`, `close_days`, `publish_day`, `release_day`: the Iceberg catalogue is down, or
  others committed at each of ten attempts. `make up`.
- `day_is_rebuilt`: does nothing; it fails where `publish_day` or `release_day` has failed.
- `check_bronze`, `check_silver`, `check_gold`: the log has every check that is violated, by how
  much, with an example; `docs/quality.md` says what to do. One that could not be run fails too.
- `rebuild_changed_days`: Airflow could not begin a run for such a day. Trigger one with the day.

More in `docs/airflow.md`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, chain, task

from flink_rest.operators import FlinkRunJobOperator
from store_pipeline import checking, jobs, rebuilding, steps, tasks
from store_pipeline.assets import GOLD
from store_pipeline.settings import CHECKS_DIR, PipelineSettings
from store_pipeline.timetable import DayTimetable
from trino_checks.operators import TrinoSkipWhenZeroOperator

settings = PipelineSettings.from_env()

with DAG(
    dag_id="gold_nightly_backfill",
    dag_display_name="Gold nightly backfill",
    description="Rebuilds the Gold of one UTC day from Silver and checks it",
    doc_md=__doc__,
    schedule=DayTimetable(hours_after=2),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    # each takes a task slot of Flink while its batch runs; streams need three of the eight
    max_active_runs=3,
    user_defined_macros={"closed_days": steps.known_closed_days},
    # unlike the main DAG, which waits for a video, it must run without anybody's unpausing it
    is_paused_upon_creation=False,
    tags=["gold", "flink", "lakehouse"],
    template_searchpath=[str(CHECKS_DIR)],
    default_args=tasks.defaults(
        retry_delay=timedelta(seconds=30), execution_timeout=timedelta(minutes=30)
    ),
    params={
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Day",
            description_md="UTC day to rebuild, for example *2026-11-24*; empty: the day of the "
            "logical date",
        ),
        "late_days": Param(
            None,
            type=["null", "boolean"],
            title="Rebuild days with late arrivals too",
            description_md="The other days of the last 30 of which Silver has changed since; "
            "empty: only the scheduled night does",
        ),
    },
):
    day = task(steps.day)()
    tables = task(steps.ensure_tables)()
    claim = task.sensor(mode="reschedule", poke_interval=30, timeout=3600)(rebuilding.claim_day)(
        day
    )
    audited = task(rebuilding.audit_day)(claim)
    measured = task(rebuilding.measure_drift)(claim, audited)
    published = task(outlets=[GOLD])(rebuilding.publish_day)(claim, audited, measured)
    release = task(rebuilding.release_day)(claim)
    done = EmptyOperator(task_id="day_is_rebuilt")
    changed = task(rebuilding.changed_days)(day)
    _, _, check_gold = (
        task(task_id=f"check_{layer}")(checking.check)(layer, [[day]])
        for layer in ("bronze", "silver", "gold")
    )
    of_claim = "{{ ti.xcom_pull(task_ids='claim_day')['%s'] }}"
    chain(
        # the first night may come before the first video
        tables,
        day,
        TrinoSkipWhenZeroOperator(
            task_id="skip_empty_day",
            sql="day_is_empty.sql",
            database=settings.database,
            parameters={"day": day},
        ),
        claim,
        FlinkRunJobOperator(
            task_id="rebuild_gold",
            arguments=jobs.gold_batch_arguments(
                settings,
                day,
                branch=of_claim % "branch",
                silver=of_claim % "silver_snapshot_id",
            ),
            deferrable=True,
            timeout_seconds=1500,
            pool="flink_submission",
            **jobs.gold_batch(settings),
        ),
        audited,
        measured,
        task(steps.close_days)([day]),
        FlinkRunJobOperator(
            task_id="ensure_gold_streaming",
            start=False,
            pool="flink_submission",
            **jobs.gold_streaming(settings),
        ),
        published,
        # whatever happens after the claim
        release.as_teardown(setups=claim),
        # Airflow judges a run by its last tasks, of which a teardown is none
        done,
    )
    published >> done
    # the checks are leaves: Gold is rebuilt and audited whatever they find
    published >> check_gold
    chain(
        day,
        changed,
        TriggerDagRunOperator.partial(
            task_id="rebuild_changed_days",
            trigger_dag_id="gold_nightly_backfill",
            map_index_template="{{ task.conf['day'] }}",
        ).expand(conf=changed),
    )
