"""In what a table differs from its definition, and which of that cannot be evolved (ADR 017).

Pure: schemas and partitions in, words out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.types import NestedField

from lakehouse.schema import Column, TableDefinition


@dataclass(frozen=True)
class Difference:
    """What a table lacks, what it has beyond its definition, and what must not be."""

    lacking: tuple[Column, ...]
    """Columns of the definition that the table does not have yet."""
    unknown: tuple[str, ...]
    """Columns that only the table has: a newer version has added them."""
    conflicts: tuple[str, ...]
    """What keeps the table from being evolved, each with what to do instead."""


def compare(definition: TableDefinition, schema: Schema, spec: PartitionSpec) -> Difference:
    """Compare a table's schema and partition with its definition."""
    there = {each.name for each in schema.fields}
    wanted = {each.name for each in definition.columns}
    lacking = tuple(each for each in definition.columns if each.name not in there)
    unknown = tuple(each for each in schema.fields if each.name not in wanted)
    return Difference(
        lacking=lacking,
        unknown=tuple(each.name for each in unknown),
        conflicts=(
            *_of_columns(definition, schema),
            *_of_names(lacking, unknown),
            *_of_key(definition, schema),
            *_of_partition(definition, schema, spec),
        ),
    )


def _of_columns(definition: TableDefinition, schema: Schema) -> Iterator[str]:
    """Columns that both have, of another type or nullability."""
    there = {each.name: each for each in schema.fields}
    for column in definition.columns:
        field = there.get(column.name)
        if field is None:
            continue
        if field.field_type != column.type:
            yield (
                f"column {column.name} is {field.field_type}, not {column.type} (jobs have the "
                "type in their checkpoints: add a column of the new type beside it)"
            )
        if field.required and not column.required:
            yield (
                f"column {column.name} is required, not optional (who reads it counts on a value: "
                "add an optional column beside it)"
            )
        if column.required and not field.required:
            yield (
                f"column {column.name} is optional, not required (rows without a value may be "
                "there: leave it optional)"
            )


def _of_names(lacking: Sequence[Column], unknown: Sequence[NestedField]) -> Iterator[str]:
    """Columns that only one of the two has."""
    yield from (
        f"column {each.name} is required and missing (the rows that are there would have no value: "
        "make it optional)"
        for each in lacking
        if each.required
    )
    yield from (
        f"required column {each.name} is not in the definition (new rows would have no value: "
        "bring it back)"
        for each in unknown
        if each.required
    )
    if lacking and unknown:
        yield (
            f"it has {_listed(unknown)} and lacks {_listed(lacking)} (a rename, or versions that "
            "went apart: keep the old columns in the definition, the new ones beside them)"
        )


def _of_key(definition: TableDefinition, schema: Schema) -> Iterator[str]:
    keys = [sorted(each.identifier_field_names()) for each in (schema, definition.schema)]
    if keys[0] != keys[1]:
        there, wanted = (f"({', '.join(each)})" if each else "no key" for each in keys)
        yield f"its rows are replaced by {there}, not by {wanted} (make a new table)"


def _of_partition(
    definition: TableDefinition, schema: Schema, spec: PartitionSpec
) -> Iterator[str]:
    there = _partition(spec, schema)
    wanted = _partition(definition.partition_spec, definition.schema)
    if there != wanted:
        yield f"it is partitioned by {there}, not by {wanted} (make a new table)"


def _partition(spec: PartitionSpec, schema: Schema) -> str:
    """`day(capture_ts)`; what the fields are called does not matter."""
    fields = (
        f"{each.transform}({schema.find_column_name(each.source_id)})" for each in spec.fields
    )
    return ", ".join(fields) or "nothing"


def _listed(columns: Sequence[Column | NestedField]) -> str:
    return ", ".join(each.name for each in columns)
