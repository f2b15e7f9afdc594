"""Streaming: Pulsar → bronze_raw, every message untouched."""

from __future__ import annotations

from flink_jobs import environment, inserting, settings, sql

REMEMBERED_SECONDS = 2 * 3600
"""How long a message id is known. What can come again came since the last checkpoint; the job fails
when one takes longer than ten minutes, and begins again at the one before."""


def main() -> None:
    """Submit the job."""
    job = settings.parse("bronze_ingest")
    tables = environment.create(job, streaming=True)
    environment.remember_keys(tables, REMEMBERED_SECONDS)
    tables.execute_sql(
        sql.render(
            "bronze/source.sql",
            topic=job.topic,
            pulsar_url=job.connections.pulsar_url,
        )
    )
    tables.execute_sql(sql.render("bronze/frame_events.sql"))
    statements = tables.create_statement_set()
    statements.add_insert_sql(
        inserting.insert(tables, "bronze/bronze_raw.sql", database=job.database)
    )
    statements.execute()


if __name__ == "__main__":
    main()
