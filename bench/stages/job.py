"""A stage's ceiling or alternative as a Flink job: `job.py VARIANT ARGUMENTS`.

Or a job of ours with other options of Flink's, or of the tables it reads (JSON, both):
`job.py changed JOB OPTIONS SOURCE ARGUMENTS`.
It runs in Flink's environment, where only the jobs' own packages can be imported.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from uuid import uuid4

from pyflink.table import TableConfig, TableEnvironment

from flink_jobs import environment as jobs_environment
from flink_jobs import settings, sql
from flink_jobs.settings import JobSettings

HERE = Path(__file__).parent
SOURCES = ("bronze/source.sql", "silver/source.sql", "gold/source_streaming.sql")


def bronze_ceiling(tables: TableEnvironment, job: JobSettings) -> None:
    """Bronze's source, and nothing is done with what it gives."""
    text = sql.render("bronze/source.sql", topic=job.topic, pulsar_url=job.connections.pulsar_url)
    subscription = "'source.subscription-name' = '{}'"
    tables.execute_sql(
        text.replace(subscription.format("bronze"), subscription.format(uuid4().hex))
    )
    columns = "payload BYTES, properties MAP<STRING, STRING>, message_id BYTES"
    _to_nowhere(tables, columns, "SELECT payload, properties, message_id FROM given_events")


def silver_ceiling(tables: TableEnvironment, job: JobSettings) -> None:
    """Silver's source, and nothing is done with what it gives."""
    _source(tables, job, "silver/source.sql")
    columns = "payload BYTES, message_id BYTES"
    _to_nowhere(tables, columns, "SELECT payload, message_id FROM bronze_stream")


def silver_by_sql(tables: TableEnvironment, job: JobSettings) -> None:
    """Silver with Flink's own JSON functions: no Python."""
    jobs_environment.remember_keys(tables, job.state_ttl_seconds)
    _source(tables, job, "silver/source.sql")
    query = (HERE / "silver_detection.sql").read_text(encoding="utf-8")
    tables.execute_sql(
        f"INSERT INTO lakehouse.{job.database}.silver_detection "
        f"({', '.join(tables.sql_query(query).get_schema().get_field_names())}) {query}"
    )


def gold_ceiling(tables: TableEnvironment, job: JobSettings) -> None:
    """Streaming Gold's source, and nothing is done with what it gives."""
    _source(tables, job, "gold/source_streaming.sql")
    columns = "store_id STRING, camera_id STRING, run_id STRING, track_id BIGINT, x1 DOUBLE"
    query = "SELECT store_id, camera_id, run_id, track_id, x1 FROM arriving_detections"
    _to_nowhere(tables, columns, query)


def _source(tables: TableEnvironment, job: JobSettings, name: str) -> None:
    tables.execute_sql(
        sql.render(
            name,
            database=job.database,
            iceberg_source=sql.iceberg_source(job.connections, job.database),
            monitor_interval_seconds=job.monitor_interval_seconds,
        )
    )


def _to_nowhere(tables: TableEnvironment, columns: str, query: str) -> None:
    tables.execute_sql(
        f"CREATE TEMPORARY TABLE nowhere ({columns}) WITH ('connector' = 'blackhole')"
    )
    tables.execute_sql(f"INSERT INTO nowhere {query}")


def run_changed(job: str, options: dict[str, str], source: dict[str, str]) -> None:
    """Submit a job of ours in which these options have these values, whatever it sets itself."""
    set_option, set_up, render = TableConfig.set, jobs_environment._set_up, sql.render

    def set_as_told(config: TableConfig, key: str, value: str) -> TableConfig:
        return set_option(config, key, options.get(key, value))

    def set_up_as_told(
        environment: TableEnvironment, settings: JobSettings, *, streaming: bool
    ) -> None:
        set_up(environment, settings, streaming=streaming)
        for key, value in options.items():
            set_option(environment.get_config(), key, value)

    def render_as_told(name: str, **values: object) -> str:
        text = render(name, **values)
        if name not in SOURCES:
            return text
        more = "".join(f"'{key}' = '{value}', " for key, value in source.items())
        return text.replace("WITH (", f"WITH ({more}")

    TableConfig.set, jobs_environment._set_up = set_as_told, set_up_as_told
    sql.render = render_as_told
    importlib.import_module(f"flink_jobs.{job}").main()


if __name__ == "__main__":
    name = sys.argv.pop(1)
    if name == "changed":
        run_changed(sys.argv.pop(1), json.loads(sys.argv.pop(1)), json.loads(sys.argv.pop(1)))
    else:
        job = settings.parse(name)
        globals()[name](jobs_environment.create(job, streaming=True), job)
