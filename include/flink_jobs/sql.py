"""The SQL texts of include/sql with their settings filled in."""

from __future__ import annotations

import re
from pathlib import Path

from flink_jobs.settings import Connections

SQL_DIR = Path(__file__).resolve().parents[1] / "sql"
_PLACE = re.compile(r"\$\{(\w+)\}")


def render(name: str, **values: object) -> str:
    """Return the text of `include/sql/<name>` with every `${value}` filled in.

    Values come from `JobSettings` and `Connections`, which have refused whatever could leave a
    quoted literal or an identifier.

    :raises KeyError: the text asks for a value that was not given.
    """
    text = (SQL_DIR / name).read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: str(values[place[1]]), text)


def interval(seconds: int) -> str:
    """Return SQL's literal of a length of time; a plain one of seconds ends at 99 of them."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"INTERVAL '{days} {hours:02}:{minutes:02}:{seconds:02}' DAY TO SECOND"


def catalog(connections: Connections) -> str:
    """Statement that makes the Iceberg catalogue known to Flink."""
    return render("catalog/lakehouse.sql", catalog_options=_catalog_options(connections))


def iceberg_source(connections: Connections, database: str) -> str:
    """Options of a temporary table that reads one Iceberg table of `database`."""
    options = _catalog_options(connections)
    return render("catalog/source.sql", database=database, catalog_options=options).rstrip()


def _catalog_options(connections: Connections) -> str:
    return render("catalog/options.sql", **vars(connections)).rstrip()
