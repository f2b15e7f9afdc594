"""Streaming: silver_detection → the four Gold tables, a view of now that the batch corrects.

And gold_late_events: what the four had to leave out.
"""

from __future__ import annotations

from flink_jobs import environment, gold, inserting, settings, sql


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
    # the watermark follows each row, so that what is late depends on the rows alone, and the count
    # of late events can tell what the windows left out
    config.set("pipeline.auto-watermark-interval", "0 ms")
    # Flink shows them, so that who ensures the job sees whether a day has been closed since
    config.set("pipeline.global-job-parameters", f"closed-days:{job.closed_days_shown}")
    tables.execute_sql(
        sql.render(
            "gold/source_streaming.sql",
            database=job.database,
            iceberg_source=sql.iceberg_source(job.connections, job.database),
            monitor_interval_seconds=job.monitor_interval_seconds,
            lateness=sql.interval(job.lateness_seconds),
        )
    )
    tables.execute_sql(
        sql.render("gold/detections_streaming.sql", open_days=gold.open_days(job, "ts"))
    )
    late = sql.render(
        "gold/late_detections.sql",
        lateness_seconds=job.lateness_seconds,
        open_days=gold.open_days(job, "TO_TIMESTAMP_LTZ(ts_ms, 3)"),
    )
    tables.create_temporary_view("late_detections", tables.sql_query(late))
    late_events = inserting.insert(
        tables,
        "gold/gold_late_events.sql",
        database=job.database,
        hint=gold.UPSERT,
        track_gap_seconds=job.track_gap_seconds,
    )
    gold.submit(tables, job, gold.streaming_mode(job), besides=[late_events])


if __name__ == "__main__":
    main()
