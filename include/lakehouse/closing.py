"""Which days of Gold a batch has closed: they are out of streaming Gold's reach.

A day is closed by a property of its own on gold_people_per_minute, so that two batches that end
at once cannot undo each other's. A day that has not ended (UTC) is never closed: streaming Gold
goes on writing into it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from lakehouse.commits import change
from lakehouse.tables import load

TABLE = "gold_people_per_minute"
_PREFIX = "rva.closed-day."


def close_days(
    catalog: Catalog, database: str, days: Iterable[date], *, now: datetime | None = None
) -> tuple[date, ...]:
    """Record that the batch has rebuilt these days; returns those that it could close.

    Days that have not ended are left open. Twice is as once, save for the time recorded.

    :raises CommitsCollide: others committed during every attempt.
    """
    now = now or datetime.now(UTC)
    ended = tuple(sorted(day for day in set(days) if day < now.astimezone(UTC).date()))
    if ended:
        closed_at = now.astimezone(UTC).isoformat(timespec="seconds")
        properties = {f"{_PREFIX}{day.isoformat()}": closed_at for day in ended}

        def close(table: Table) -> None:
            with table.transaction() as transaction:
                transaction.set_properties(properties)

        change(catalog, database, TABLE, close)
    return ended


def closed_days(catalog: Catalog, database: str) -> tuple[date, ...]:
    """Return the closed days in order."""
    return tuple(
        sorted(
            date.fromisoformat(name.removeprefix(_PREFIX))
            for name in load(catalog, database, TABLE).properties
            if name.startswith(_PREFIX)
        )
    )
