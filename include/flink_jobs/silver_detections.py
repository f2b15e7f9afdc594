"""Streaming: bronze_raw → silver_detection, and beside it silver_quarantine."""

from __future__ import annotations

from flink_jobs import environment, inserting, settings, sql
from flink_jobs.functions import parse_frame
from flink_jobs.parser import ParsedRow

ROWS_OF = {"silver_detection": "IS NULL", "silver_quarantine": "IS NOT NULL"}
"""Which of the parser's rows a table takes, by their reason."""


def main() -> None:
    """Submit the job."""
    job = settings.parse("silver_detections")
    tables = environment.create(job, streaming=True)
    environment.remember_keys(tables, job.state_ttl_seconds)
    config = tables.get_config()
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
    statements = tables.create_statement_set()
    for table, reason in ROWS_OF.items():
        tables.execute_sql(
            sql.render(
                "silver/parsed_once.sql",
                table=table,
                reason=reason,
                columns=", ".join(ParsedRow._fields),
            )
        )
        statements.add_insert_sql(
            inserting.insert(tables, f"silver/{table}.sql", database=job.database)
        )
    statements.execute()


if __name__ == "__main__":
    main()
