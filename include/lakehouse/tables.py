"""Make the tables from their definitions, evolve them, count and empty them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.table import Table

from lakehouse.errors import SchemaConflict, TableMissing
from lakehouse.evolution import compare
from lakehouse.schema import TABLES, TableDefinition

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """What `ensure_tables` did to one table: created, evolved or nothing (unchanged)."""

    table: str
    action: str
    columns: tuple[str, ...] = ()
    """What it was given, if it was evolved."""

    def __str__(self) -> str:
        """For people."""
        return f"{self.table} {self.action}" + (f": {', '.join(self.columns)}" * bool(self.columns))


def ensure_tables(catalog: Catalog, database: str) -> list[Change]:
    """Bring every table of `database` to its definition; twice is as once.

    Missing tables are made, missing optional columns are added, while jobs run. All tables are
    compared before any is changed, so that a conflict leaves everything as it was. Optional columns
    that only a table has are left to the newer version that added them, with a warning.

    :raises SchemaConflict: a table differs in a way that cannot be evolved.
    """
    catalog.create_namespace_if_not_exists(database)
    found = {name: _load_or_none(catalog, database, name) for name in TABLES}
    for name, table in found.items():
        if table is not None:
            _check(TABLES[name], table, f"{database}.{name}")
    return [
        _create(catalog, database, TABLES[name]) if table is None else _evolve(TABLES[name], table)
        for name, table in found.items()
    ]


def load(catalog: Catalog, database: str, name: str) -> Table:
    """Load one table.

    :raises TableMissing: it does not exist.
    """
    table = _load_or_none(catalog, database, name)
    if table is None:
        raise TableMissing(f"{database}.{name}")
    return table


def row_count(catalog: Catalog, database: str, name: str) -> int:
    """Rows of the newest snapshot; 0 for a table without one or one that does not exist.

    For tables that are only appended to (Bronze, Silver): PyIceberg cannot read the equality
    deletes of streaming Gold, Trino can.
    """
    table = _load_or_none(catalog, database, name)
    if table is None or table.current_snapshot() is None:
        return 0
    return table.scan().count()


def empty(catalog: Catalog, database: str, name: str) -> int:
    """Delete every row in one commit, before a rebuild; returns how many there were."""
    rows = row_count(catalog, database, name)
    if rows:
        load(catalog, database, name).delete()
    return rows


def _load_or_none(catalog: Catalog, database: str, name: str) -> Table | None:
    try:
        return catalog.load_table((database, name))
    except NoSuchTableError:
        return None


def _create(catalog: Catalog, database: str, definition: TableDefinition) -> Change:
    catalog.create_table(
        (database, definition.name),
        definition.schema,
        partition_spec=definition.partition_spec,
        properties={**definition.properties, "comment": definition.doc},
    )
    return Change(definition.name, "created")


def _check(definition: TableDefinition, table: Table, name: str) -> None:
    found = compare(definition, table.schema(), table.spec())
    if found.conflicts:
        raise SchemaConflict(name, found.conflicts)
    if found.unknown:
        log.warning(
            "table %s has columns that this version does not know, left as they are: %s",
            name,
            ", ".join(found.unknown),
        )


def _evolve(definition: TableDefinition, table: Table) -> Change:
    added = compare(definition, table.schema(), table.spec()).lacking
    if not added:
        return Change(definition.name, "unchanged")
    try:
        with table.update_schema() as update:
            for column in added:
                update.add_column(column.name, column.type, doc=column.doc)
    except CommitFailedException:
        # somebody else has committed meanwhile, perhaps the same columns
        return _evolve(definition, table.refresh())
    return Change(definition.name, "evolved", tuple(each.name for each in added))
