"""Make the tables from their definitions, evolve them, count and empty them."""

from __future__ import annotations

from dataclasses import dataclass

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.schema import Schema
from pyiceberg.table import Table

from lakehouse.errors import SchemaConflict, TableMissing
from lakehouse.schema import TABLES, TableDefinition


@dataclass(frozen=True)
class Change:
    """What `ensure_tables` did to one table: created, evolved or nothing (unchanged)."""

    table: str
    action: str
    columns: tuple[str, ...] = ()


def ensure_tables(catalog: Catalog, database: str) -> list[Change]:
    """Bring every table of `database` to its definition; twice is as once.

    Missing tables are made, missing optional columns are added. All tables are compared before
    any is changed, so that a conflict leaves everything as it was.

    :raises SchemaConflict: a table differs in a way that cannot be evolved.
    """
    catalog.create_namespace_if_not_exists(database)
    found = {name: _load_or_none(catalog, database, name) for name in TABLES}
    for name, table in found.items():
        if table is not None:
            refuse_conflicts(TABLES[name], table.schema(), f"{database}.{name}")
            _refuse_other_partition(TABLES[name], table, f"{database}.{name}")
    return [
        _create(catalog, database, TABLES[name]) if table is None else _evolve(TABLES[name], table)
        for name, table in found.items()
    ]


def refuse_conflicts(definition: TableDefinition, actual: Schema, table: str) -> None:
    """Raise for the first column that cannot be evolved; say which and why.

    :raises SchemaConflict: a type or nullability differs, a required column is missing, or the
        table has a column that the definition lacks.
    """
    wanted = definition.schema
    actual_by_name = {each.name: each for each in actual.fields}
    for column in wanted.fields:
        there = actual_by_name.pop(column.name, None)
        if there is None:
            if column.required:
                raise SchemaConflict(table, f"column {column.name} is required and missing")
        elif there.field_type != column.field_type:
            raise SchemaConflict(
                table, f"column {column.name} is {there.field_type}, not {column.field_type}"
            )
        elif there.required != column.required:
            is_, not_ = ("required", "optional") if there.required else ("optional", "required")
            raise SchemaConflict(table, f"column {column.name} is {is_}, not {not_}")
    if actual_by_name:
        raise SchemaConflict(table, f"columns not in the definition: {', '.join(actual_by_name)}")


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
    return Change(definition.name, "created", tuple(each.name for each in definition.columns))


def _evolve(definition: TableDefinition, table: Table) -> Change:
    present = {each.name for each in table.schema().fields}
    added = tuple(each for each in definition.columns if each.name not in present)
    if not added:
        return Change(definition.name, "unchanged")
    with table.update_schema() as update:
        for column in added:
            update.add_column(column.name, column.type, doc=column.doc)
    return Change(definition.name, "evolved", tuple(each.name for each in added))


def _refuse_other_partition(definition: TableDefinition, table: Table, name: str) -> None:
    names = [each.name for each in table.spec().fields]
    wanted = [each.name for each in definition.partition_spec.fields]
    if names != wanted:
        raise SchemaConflict(name, f"it is partitioned by {names}, not {wanted}")
