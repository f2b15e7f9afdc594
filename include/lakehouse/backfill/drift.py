"""How far what was published of a day is from what the batch makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyiceberg.types import DoubleType

from lakehouse.backfill.claims import Claim
from lakehouse.backfill.questions import ask
from lakehouse.query import session
from lakehouse.schema import DAILY_GOLD, TABLES, Column, TableDefinition
from lakehouse.settings import LakehouseSettings


@dataclass(frozen=True)
class Drift:
    """Keys of one Gold table's day: alike, with other values, and on one side only."""

    table: str
    keys_same: int
    keys_changed: int
    keys_only_published: int
    keys_only_rebuilt: int


def measure(
    settings: LakehouseSettings, claim: Claim, heads: Mapping[str, int]
) -> tuple[Drift, ...]:
    """Compare the published day with what the batch wrote, a row a Gold table.

    :param heads: the snapshot of each Gold table that the batch left

    :raises QueryFailed: Trino cannot tell.
    """
    with session(settings) as trino:
        return tuple(
            Drift(
                name,
                *ask(trino, "drift", claim, rebuilt=heads[name], **_names(TABLES[name])).rows[0],
            )
            for name in DAILY_GOLD
        )


def silver_rows(settings: LakehouseSettings, claim: Claim) -> int:
    """Person detections of the day and an hour either side, in the Silver that the claim names."""
    with session(settings) as trino:
        return int(ask(trino, "silver_rows", claim).rows[0][0])


def _names(table: TableDefinition) -> dict[str, str]:
    values = [column for column in table.columns if column.name not in table.key]
    same = " AND ".join(map(same_value, values))
    return {
        "table": table.name,
        "time": table.partition_by_day_of,
        "first_key": table.key[0],
        "same_key": " AND ".join(f"p.{name} = r.{name}" for name in table.key),
        "same": f"({same})",
    }


def same_value(column: Column) -> str:
    """SQL that tells, never as null, whether both sides have the same value or none."""
    same = f"p.{column.name} IS NOT DISTINCT FROM r.{column.name}"
    if not isinstance(column.type, DoubleType):
        return same
    # sums of floating point depend on the order of their parts
    close = f"abs(p.{column.name} - r.{column.name}) <= 1e-9 * (1 + abs(r.{column.name}))"
    return f"({same} OR coalesce({close}, FALSE))"
