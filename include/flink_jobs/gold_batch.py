"""Batch: one day of silver_detection → the four Gold tables, overwriting that day."""

from __future__ import annotations

from flink_jobs import environment, gold, settings, sql


def main() -> None:
    """Submit the job."""
    job = settings.parse("gold_batch")
    read_from, read_until = job.read_range
    snapshot = job.silver_snapshot_id
    tables = environment.create(job, streaming=False)
    tables.execute_sql(
        sql.render(
            "gold/source_batch.sql",
            database=job.database,
            iceberg_source=sql.iceberg_source(job.connections, job.database),
            snapshot="" if snapshot is None else f",\n  'snapshot-id' = '{snapshot}'",
        )
    )
    tables.execute_sql(
        sql.render("gold/detections_batch.sql", read_from=read_from, read_until=read_until)
    )
    gold.submit(tables, job, gold.batch_mode(job))


if __name__ == "__main__":
    main()
