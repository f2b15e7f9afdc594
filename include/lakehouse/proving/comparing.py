"""Comparing what the tables hold with what they must hold, key by key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyiceberg.types import DoubleType

from lakehouse.proving.scope import Scope
from lakehouse.proving.workbench import Workbench
from lakehouse.schema import DAILY_GOLD, TABLES

KINDS = ("missing", "surplus", "doubled", "differing")
"""No row has an expected key; a row has a key that none is expected under; more rows than one have
an expected key; a row has other values."""
TOLERANCE = 1e-9
"""Relative: doubles summed in another order differ in their last digits."""


@dataclass(frozen=True)
class Comparison:
    """One table: rows that it must have and has, and how many keys differ in which way."""

    table: str
    expected: int
    actual: int
    missing: int
    surplus: int
    doubled: int
    differing: int

    @property
    def agrees(self) -> bool:
        """Whether the table holds exactly what it must."""
        return not any(getattr(self, kind) for kind in KINDS)


@dataclass(frozen=True)
class Compared:
    """A table's key and values; `quarantine` is known by message and place, not by its words."""

    name: str
    key: tuple[str, ...]
    exact: tuple[str, ...]
    doubles: tuple[str, ...]
    added_later: frozenset[str] = frozenset()
    """Of the values: those that rows from before the column came do not have."""


def compared(name: str) -> Compared:
    """What is compared of a table: all its columns but `ingest_ts`, and `detail`'s wording."""
    if name == "silver_quarantine":
        return Compared(
            name,
            key=("message_id", "place"),
            exact=("reason", "store_id", "camera_id", "run_id", "payload"),
            doubles=(),
        )
    definition = TABLES[name]
    values = [
        column
        for column in definition.columns
        if column.name not in definition.key and column.name != "ingest_ts"
    ]
    doubles = [column.name for column in values if isinstance(column.type, DoubleType)]
    exact = tuple(column.name for column in values if column.name not in doubles)
    added_later = frozenset(column.name for column in values if column.added_later)
    return Compared(name, definition.key, exact, tuple(doubles), added_later)


COMPARED = tuple(compared(name) for name in ("silver_detection", "silver_quarantine", *DAILY_GOLD))


def choose(bench: Workbench, scope: Scope, days: frozenset[date] | None) -> None:
    """Say which rows are compared: those of the scope, and the Gold of the days (None: of all).

    Makes `expected_<table>` and `shown_<table>` of each.
    """
    bench.execute("SET VARIABLE all_days = CAST(? AS BOOLEAN)", [days is None])
    bench.execute("SET VARIABLE run_id = CAST(? AS VARCHAR)", [scope.run_id])
    bench.execute("CREATE TABLE gold_day (day DATE)")
    for day in days or ():
        bench.execute("INSERT INTO gold_day VALUES (?)", [day])
    bench.run("left_out")
    bench.run("compared_silver")
    for name in DAILY_GOLD:
        definition = TABLES[name]
        bench.run(
            "compared_gold",
            table=name,
            key=", ".join(definition.key),
            time=definition.partition_by_day_of,
        )
    bench.run("difference")


def compare(bench: Workbench, table: Compared) -> Comparison:
    """Compare one table; the keys that differ go to the workbench's table `difference`."""
    bench.run(
        "compare", table=table.name, key=", ".join(table.key), differing=_differing_columns(table)
    )
    counts = dict(
        bench.rows(
            'SELECT kind, count(*) FROM difference WHERE "table" = ? GROUP BY kind', [table.name]
        )
    )
    return Comparison(
        table=table.name,
        expected=bench.count(f"expected_{table.name}"),
        actual=bench.count(f"shown_{table.name}"),
        **{kind: counts.get(kind, 0) for kind in KINDS},
    )


def _differing_columns(table: Compared) -> str:
    """SQL that gives, of an expected row `e` and a shown `s`, the name of each unlike column."""
    unlike = {name: f"e.{name} IS DISTINCT FROM s.{name}" for name in table.exact}
    unlike |= {name: f"NOT coalesce({_alike(name)}, FALSE)" for name in table.doubles}
    for name in table.added_later:
        unlike[name] = f"s.{name} IS NOT NULL AND {unlike[name]}"
    return ", ".join(f"CASE WHEN {wrong} THEN '{name}' END" for name, wrong in unlike.items())


def _alike(name: str) -> str:
    close = f"abs(e.{name} - s.{name}) <= {TOLERANCE} * greatest(abs(e.{name}), abs(s.{name}))"
    return f"({close} OR (e.{name} IS NULL AND s.{name} IS NULL))"
