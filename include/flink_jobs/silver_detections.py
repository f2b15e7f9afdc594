"""Streaming: bronze_raw → silver_detection, and beside it silver_quarantine."""

from __future__ import annotations

from flink_jobs import environment, settings, sql
from flink_jobs.functions import parse_frame
from flink_jobs.parser import ParsedRow

ROWS_OF = {"silver_detection": "IS NULL", "silver_quarantine": "IS NOT NULL"}
"""Which of the parser's rows a table takes, by their reason."""
STATE_MEMORY = "128 mb"
"""Of RocksDB, beside the TaskManager's managed memory: a slot's share of that, 28 MB, is less than
the write buffers take, so that each few keys made a file."""


def main() -> None:
    """Submit the job."""
    job = settings.parse("silver_detections")
    tables = environment.create(job, streaming=True)
    config = tables.get_config()
    config.set("table.exec.state.ttl", f"{job.state_ttl_seconds} s")
    # on the heap a key takes 250 bytes, and each checkpoint writes them all (ADR 012)
    config.set("state.backend.type", "rocksdb")
    config.set("execution.checkpointing.incremental", "true")
    config.set("state.backend.rocksdb.memory.fixed-per-slot", STATE_MEMORY)
    # nearly every key that is looked up is new: the filter says so without reading a file
    config.set("state.backend.rocksdb.use-bloom-filter", "true")
    # a whole filter of 2 million keys has no place in the cache: it was read anew for each key
    config.set("state.backend.rocksdb.memory.partitioned-index-filters", "true")
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
        statements.add_insert_sql(sql.render(f"silver/{table}.sql", database=job.database))
    statements.execute()


if __name__ == "__main__":
    main()
