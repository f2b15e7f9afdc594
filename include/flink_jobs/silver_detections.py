"""Streaming: bronze_raw → silver_detection, and beside it silver_quarantine."""

from __future__ import annotations

from flink_jobs import environment, inserting, settings, sql
from flink_jobs.functions import DETECTION, parse_message
from flink_jobs.parser import ParsedMessage

_NAMES = {
    "of_message": ", ".join(f"m.parsed.{name} AS {name}" for name in ParsedMessage._fields),
    "of_frame": "frame_key, store_id, camera_id, stream_id, run_id, "
    "frame_index, capture_ms, image_width, image_height",
    "of_detection": ", ".join(DETECTION),
}
"""Columns that the SQL texts write more than once."""
_VIEWS = ("parsed_messages", "sendings", "new_detections", "new_rejections")


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
    for view in _VIEWS:
        tables.execute_sql(sql.render(f"silver/{view}.sql", **_NAMES))
    statements = tables.create_statement_set()
    for table in ("silver_detection", "silver_quarantine"):
        statements.add_insert_sql(
            inserting.insert(tables, f"silver/{table}.sql", database=job.database, **_NAMES)
        )
    statements.execute()


if __name__ == "__main__":
    main()
