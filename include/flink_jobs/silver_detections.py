"""Streaming: bronze_raw → silver_detection, and beside it silver_quarantine."""

from __future__ import annotations

from flink_jobs import environment, inserting, settings, sql
from flink_jobs.functions import parse_message
from flink_jobs.parser import ParsedMessage

_OF_FRAME = ("frame_key", "store_id", "camera_id", "stream_id", "run_id")
_OF_DETECTIONS = (
    *("frame_index", "capture_ms", "image_width", "image_height"),
    *("det_ids", "class_names", "confs", "boxes", "track_ids"),
)


def main() -> None:
    """Submit the job."""
    job = settings.parse("silver_detections")
    tables = environment.create(job, streaming=True)
    environment.remember_keys(tables, job.state_ttl_seconds)
    config = tables.get_config()
    # Flink waits for Python at the end of each bundle (docs/performance.md)
    config.set("python.fn-execution.bundle.size", "3000")
    config.set("python.fn-execution.bundle.time", "500")
    tables.create_temporary_system_function("parse_message", parse_message)
    tables.execute_sql(
        sql.render(
            "silver/source.sql",
            database=job.database,
            iceberg_source=sql.iceberg_source(job.connections, job.database),
            monitor_interval_seconds=job.monitor_interval_seconds,
        )
    )
    for view, columns in (
        ("parsed_messages", [f"m.parsed.{name} AS {name}" for name in ParsedMessage._fields]),
        ("sendings", []),
        ("new_detections", [*_OF_FRAME, *_OF_DETECTIONS]),
        ("new_rejections", _OF_FRAME),
    ):
        tables.execute_sql(sql.render(f"silver/{view}.sql", columns=", ".join(columns)))
    statements = tables.create_statement_set()
    for table in ("silver_detection", "silver_quarantine"):
        statements.add_insert_sql(
            inserting.insert(tables, f"silver/{table}.sql", database=job.database)
        )
    statements.execute()


if __name__ == "__main__":
    main()
