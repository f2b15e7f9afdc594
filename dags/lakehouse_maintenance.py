"""### The tables kept small and quick

**What.** Of each table, one after the other: lets whole days go that are older than the table is
kept (`RVA_KEEP_…_DAYS`, `docs/retention.md`; unset: none), compacts small files (Silver's when
their day is over) and takes delete files into them, lets snapshots older than a day (of Bronze and
Silver, six hours) expire, removes files that no snapshot has named for three days. Whatever the
newest checkpoint of a streaming job still needs stays, whether the job runs, lags or is down; the
log names what stays for whom, and has the figures before and after. What is beyond its budget
(`include/lakehouse/maintenance/budgets.py`) after all is a warning.

**When.** Daily at 04:00 UTC, after the nightly rebuild. By hand: *Trigger*, or
`make lakehouse ARGS=maintain`.

**Run it again.** As often as you like; it finds little to do.

**When a step fails**, the last line of its log says what and what to do. In short:

- `ensure_tables`: the Iceberg catalogue is down. `make up`, then clear the task.
- `tables`: a setting of how long to keep cannot be used; the log names it.
- `maintain`: Trino, MinIO or the catalogue is down, or refuses. What was done before stays done.
  `make up`, then clear the task.

More in `docs/operations.md`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Param, chain, task

from store_pipeline import maintaining, steps, tasks

with DAG(
    dag_id="lakehouse_maintenance",
    dag_display_name="Lakehouse maintenance",
    description="Lets old days go, compacts the tables, expires their past and removes orphans",
    doc_md=__doc__,
    schedule="0 4 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    # like the nightly one, it must run without anybody's unpausing it
    is_paused_upon_creation=False,
    tags=["lakehouse"],
    default_args=tasks.defaults(
        retry_delay=timedelta(seconds=30), execution_timeout=timedelta(hours=2)
    ),
    params={
        "forget": Param(
            [],
            type="array",
            items={"enum": ["bronze_ingest", "silver_detections", "gold_streaming"]},
            title="Jobs to forget",
            description_md="Go on though these jobs have lost their checkpoints, since they will "
            "be rebuilt",
        ),
    },
):
    tables = task(maintaining.tables)()
    chain(
        task(steps.ensure_tables)(),
        tables,
        # one table at a time: Trino's memory is shared with whoever asks meanwhile
        task(max_active_tis_per_dag=1, map_index_template="{{ task.op_kwargs['table'] }}")(
            maintaining.maintain
        ).expand(table=tables),
    )
