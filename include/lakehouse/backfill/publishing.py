"""A rebuilt day, from its branch to what everybody reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from lakehouse.backfill.claims import branch_heads, branch_of, require
from lakehouse.backfill.day_files import day_files
from lakehouse.backfill.errors import DayLetGo, DayUnpublishable
from lakehouse.commits import change
from lakehouse.retention.horizons import kept_since
from lakehouse.schema import DAILY_GOLD

DAY_PROPERTY = "rva.backfill.day"
OWNER_PROPERTY = "rva.backfill.owner"
"""What a publishing snapshot's summary says of itself."""


@dataclass(frozen=True)
class PublishedTable:
    """One table's day as it is now; `changed` is False where it was so already."""

    table: str
    rows: int
    changed: bool


def publish(
    catalog: Catalog, database: str, day: date, owner: str, heads: Mapping[str, int]
) -> tuple[PublishedTable, ...]:
    """Replace the day by what its branch has of it, in one commit a table.

    The branch's files themselves become the day's, so what is read is what was audited. Days that
    a stream writes meanwhile stay as they are. Run again, it changes nothing more.

    :param heads: the snapshot of each table's branch that was audited (`claims.branch_heads`)

    :raises NotClaimed: the day is not this owner's.
    :raises DayLetGo: Gold has let the day go meanwhile.
    :raises DayUnpublishable: a branch is not as it was audited, or holds deletes.
    :raises CommitsCollide: others committed during every attempt.
    """
    require(catalog, database, day, owner)
    if branch_heads(catalog, database, day) != dict(heads):
        raise DayUnpublishable(database, branch_of(day), "it has changed since it was audited")
    return tuple(
        change(catalog, database, name, lambda table: _publish(table, day, owner, heads))
        for name in DAILY_GOLD
    )


def _publish(table: Table, day: date, owner: str, heads: Mapping[str, int]) -> PublishedTable:
    name, branch = ".".join(table.name()[-2:]), branch_of(day)
    first = kept_since(table)
    if first is not None and day < first:
        raise DayLetGo([day], f"{name} is kept since {first}", first)
    rebuilt = day_files(table, table.snapshot_by_id(heads[table.name()[-1]]), day)
    if rebuilt.has_deletes:
        raise DayUnpublishable(name, branch, "its files have deletes, so it was upserted into")
    published = day_files(table, table.current_snapshot(), day)
    if published.paths == rebuilt.paths and not published.has_deletes:
        return PublishedTable(table.name()[-1], rebuilt.rows, changed=False)
    summary = {DAY_PROPERTY: day.isoformat(), OWNER_PROPERTY: owner}
    with (
        table.transaction() as transaction,
        transaction.update_snapshot(snapshot_properties=summary).overwrite() as update,
    ):
        for file in published.data:
            update.delete_data_file(file)
        for file in rebuilt.data:
            update.append_data_file(file)
    return PublishedTable(table.name()[-1], rebuilt.rows, changed=True)
