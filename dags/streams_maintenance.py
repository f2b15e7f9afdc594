"""### What the streams write, kept quick to read

**What.** Of the tables to which the streams commit, one after the other: takes the files of deletes
of streaming Gold into the data, and lets old snapshots expire; the rest of maintenance is
`lakehouse_maintenance`'s, once a day. Each commit of streaming Gold leaves a file of deletes, which
everybody who reads that day applies until they are compacted: with an hour's a question takes a
second, with a day's half a minute (`docs/adr/021-streaming-gold-commits-once-a-minute.md`). Each of
Bronze and Silver leaves a snapshot that everybody reads of who opens the table
(`docs/adr/029-bronze-and-silver-keep-six-hours-of-snapshots.md`).

**When.** Half past every hour. By hand: *Trigger*, or `make lakehouse ARGS="maintain TABLE"`.

**Run it again.** As often as you like; it finds little to do.

**When a step fails**, the last line of its log says what and what to do. The next run tries again
by itself. In short:

- `ensure_tables`: the Iceberg catalogue is down. `make up`.
- `streamed_tables` only names the tables.
- `tidy`: Trino, MinIO or the catalogue is down, or refuses. What was done before stays done.
  `make up`.

More in `docs/operations.md`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, chain, task

from store_pipeline import maintaining, steps, tasks

with DAG(
    dag_id="streams_maintenance",
    dag_display_name="Maintenance of what streams write",
    description="Takes files of deletes into streaming Gold's data, and old snapshots away",
    doc_md=__doc__,
    schedule="30 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    # like the nightly one, it must run without anybody's unpausing it
    is_paused_upon_creation=False,
    tags=["lakehouse"],
    default_args=tasks.defaults(
        retries=1, retry_delay=timedelta(seconds=30), execution_timeout=timedelta(minutes=30)
    ),
    params={"forget": []},
):
    tables = task(maintaining.streamed_tables)()
    chain(
        task(steps.ensure_tables)(),
        tables,
        # one table at a time: Trino's memory is shared with whoever asks meanwhile
        task(max_active_tis_per_dag=1, map_index_template="{{ task.op_kwargs['table'] }}")(
            maintaining.tidy
        ).expand(table=tables),
    )
