"""Asks Trino what Grafana would ask: a query's file, with macros and variables filled in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trino

from integration.conftest import Deployment
from integration.dashboard_rows import DAY

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "include" / "sql" / "dashboards"
ALL = "'__all'"
"""What Grafana puts in for a variable of which everything is chosen."""


def moment(text: str) -> str:
    """A time of the test's day, or a whole one, as the plugin writes it."""
    return f"TIMESTAMP '{text if ' ' in text else f'{DAY} {text}'}'"


def expand(name: str, database: str, begin: str, end: str, store: str, camera: str) -> str:
    """A query as the plugin sends it, over the test's tables."""
    sql = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    for macro, value in (
        ("$__timeFrom()", moment(begin)),
        ("$__timeTo()", moment(end)),
        ("$store", store),
        ("$camera", camera),
        ("lakehouse.rva.", f"lakehouse.{database}."),
    ):
        sql = sql.replace(macro, value)
    # Grafana leaves alone what is no variable of the dashboard
    assert "$" not in sql.replace("$snapshots", "").replace("'$.detections'", "")
    return sql


class Answer(list[list[Any]]):
    """Rows, with the names and types of their columns."""

    def __init__(self, rows: Sequence[list[Any]], description: Sequence[Any]) -> None:
        super().__init__(rows)
        self.columns = [column[0] for column in description]
        self.types = [column[1] for column in description]


def ask(
    deployment: Deployment,
    name: str,
    begin: str = "10:00:00",
    end: str = "12:00:00",
    *,
    store: str = ALL,
    camera: str = ALL,
    zone: str = "UTC",
) -> Answer:
    address = urlsplit(deployment.variables["RVA_TRINO_URL"])
    with trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host=address.hostname, port=address.port, user="test", timezone=zone
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(expand(name, deployment.database, begin, end, store, camera))
        rows = cursor.fetchall()
        return Answer(rows, cursor.description)
