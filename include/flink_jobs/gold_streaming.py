"""Streaming: silver_detection → the four Gold tables, a view of now that the batch corrects."""

from __future__ import annotations

from flink_jobs import environment, gold, settings, sql


def main() -> None:
    """Submit the job."""
    job = settings.parse("gold_streaming")
    tables = environment.create(job, streaming=True)
    config = tables.get_config()
    # the hour's key is computed one to one from the sink's key: nothing to materialise
    config.set("table.exec.sink.upsert-materialize", "NONE")
    # starts and ends of visits wait for each other; windows clear their state themselves
    config.set("table.exec.state.ttl", f"{job.state_ttl_seconds} s")
    # without it, a reader without files holds the watermark of the others back
    config.set("table.exec.source.idle-timeout", "10 s")
    # Flink shows them, so that who ensures the job sees whether a day has been closed since
    config.set("pipeline.global-job-parameters", f"closed-days:{job.closed_days_shown}")
    tables.execute_sql(
        sql.render(
            "gold/source_streaming.sql",
            database=job.database,
            iceberg_source=sql.iceberg_source(job.connections, job.database),
            monitor_interval_seconds=job.monitor_interval_seconds,
            lateness_seconds=job.lateness_seconds,
        )
    )
    tables.execute_sql(
        sql.render("gold/detections_streaming.sql", open_days=gold.open_days(job, "ts"))
    )
    gold.submit(tables, job, gold.streaming_mode(job))


if __name__ == "__main__":
    main()
