"""Since which day a table is whole: what was let go before stands in a property of the table.

The property is written before the rows go, and only ever moves on: whoever compares layers by it
never takes what was let go for lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from lakehouse.commits import change
from lakehouse.schema import DAILY_GOLD, SILVER_DETECTION
from lakehouse.tables import load

PROPERTY = "rva.kept-since"
"""The first UTC day of which nothing was let go, as 2026-11-24."""


def kept_since(table: Table) -> date | None:
    """The first day that the table has whole; None: it has never let anything go."""
    told = table.properties.get(PROPERTY)
    return None if told is None else date.fromisoformat(told)


def horizons(catalog: Catalog, database: str, names: Iterable[str]) -> dict[str, date]:
    """The first whole day of each of these tables that has let days go."""
    found = {name: kept_since(load(catalog, database, name)) for name in names}
    return {name: day for name, day in found.items() if day is not None}


def advance(catalog: Catalog, database: str, name: str, day: date) -> None:
    """Record that days before this one may be gone from now on. A later day that stands stays.

    :raises CommitsCollide: others committed during every attempt.
    """

    def write(table: Table) -> None:
        known = kept_since(table)
        if known is None or known < day:
            with table.transaction() as transaction:
                transaction.set_properties({PROPERTY: day.isoformat()})

    change(catalog, database, name, write)


def first_rebuildable(catalog: Catalog, database: str) -> tuple[date, str] | None:
    """The first day of Gold that can be rebuilt, and why no earlier one; None: any day can be.

    Of Silver the evening before a day is needed too, so that a track or visit that began there is
    not taken for one that begins at midnight.
    """
    found = horizons(catalog, database, (SILVER_DETECTION.name, *DAILY_GOLD))
    if SILVER_DETECTION.name in found:
        found[SILVER_DETECTION.name] += timedelta(days=1)
    if not found:
        return None
    name, day = max(found.items(), key=lambda each: each[1])
    kept = day - timedelta(days=1) if name == SILVER_DETECTION.name else day
    needed = ", and the evening before a day is needed" if name == SILVER_DETECTION.name else ""
    return day, f"{name} is kept since {kept}{needed}"


def midnight(day: date) -> datetime:
    """The moment (UTC) at which a day begins."""
    return datetime.combine(day, time(), tzinfo=UTC)
