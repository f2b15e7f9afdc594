"""Streaming: bronze_raw → silver_detection, and beside it silver_quarantine."""

from __future__ import annotations

from flink_jobs import environment, settings, sql
from flink_jobs.functions import parse_frame
from flink_jobs.parser import ParsedRow


def main() -> None:
    """Submit the job."""
    job = settings.parse("silver_detections")
    tables = environment.create(job, streaming=True)
    config = tables.get_config()
    config.set("table.exec.state.ttl", f"{job.state_ttl_seconds} s")
    # larger bundles run out of direct buffer memory; smaller ones are slower
    config.set("python.fn-execution.bundle.size", "1000")
    config.set("python.fn-execution.bundle.time", "500")
    tables.create_temporary_system_function("parse_frame", parse_frame)
    tables.execute_sql(
        sql.render(
            "silver/source.sql",
            database=job.database,
            iceberg_source=sql.iceberg_source(job.connections, job.database),
            monitor_interval_seconds=job.monitor_interval_seconds,
        )
    )
    tables.execute_sql(sql.render("silver/parsed.sql", columns=", ".join(ParsedRow._fields)))
    statements = tables.create_statement_set()
    for table in ("silver_detection", "silver_quarantine"):
        statements.add_insert_sql(sql.render(f"silver/{table}.sql", database=job.database))
    statements.execute()


if __name__ == "__main__":
    main()
