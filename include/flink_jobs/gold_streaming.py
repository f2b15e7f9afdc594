"""Streaming: silver_detection → the four Gold tables, a view of now that the batch corrects.

And gold_late_events: what the four had to leave out.
"""

from __future__ import annotations

from uuid import uuid4

from pyflink.table import Schema, StreamTableEnvironment

from flink_jobs import environment, gold, inserting, settings, sql
from flink_jobs.settings import JobSettings


def main() -> None:
    """Submit the job."""
    job = settings.parse("gold_streaming")
    tables = environment.create_over_streams(job)
    reading = uuid4().hex
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
    # Flink shows them: who ensures the job sees whether a day has been closed since, or the
    # lateness is another; who declares the end of a replay sees for which reading, and when the
    # last track is over
    shown = {
        "closed-days": job.closed_days_shown,
        "reading": reading,
        "lateness-seconds": job.lateness_seconds,
        "longest-gap-seconds": max(job.visit_gap_seconds, job.track_gap_seconds),
    }
    config.set(
        "pipeline.global-job-parameters",
        ",".join(f"{name}:{value}" for name, value in shown.items()),
    )
    for source in ("gold/source_streaming.sql", "gold/source_ends.sql"):
        tables.execute_sql(
            sql.render(
                source,
                database=job.database,
                iceberg_source=sql.iceberg_source(job.connections, job.database),
                monitor_interval_seconds=job.monitor_interval_seconds,
            )
        )
    join_arrivals(tables, job, reading)
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
        slice_ms=gold.slice_seconds(job) * 1000,
    )
    gold.submit(tables, job, gold.streaming_mode(job), besides=[late_events])


def join_arrivals(tables: StreamTableEnvironment, job: JobSettings, reading: str) -> None:
    """Make `detection_stream` of `arriving_detections` and `arriving_ends`, with a watermark.

    :param reading: names this start of the job: ends declared for another move nothing
    """
    arrivals = sql.render(
        "gold/arrivals.sql", lateness=sql.interval(job.lateness_seconds), reading=reading
    )
    # by way of a stream, since SQL can give a watermark to a source only
    stream = tables.to_data_stream(tables.sql_query(arrivals))
    watermark = Schema.new_builder().watermark("ts", "passed_ts").build()
    tables.create_temporary_view("detection_stream", tables.from_data_stream(stream, watermark))


if __name__ == "__main__":
    main()
