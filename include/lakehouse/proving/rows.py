"""A table's rows in batches, without the whole table in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.table import Table

from lakehouse.proving.errors import TableOutdated


def batches(
    table: Table, columns: Sequence[str], row_filter: BooleanExpression | None = None
) -> Iterator[pa.RecordBatch]:
    """Rows of the newest snapshot in the order within each file, one data file at a time.

    PyIceberg's own batch reader starts on all files at once and holds what it has read of each.
    Timestamps come without a zone, in UTC.

    :raises TableOutdated: the table lacks a column.
    """
    if table.current_snapshot() is None:
        return
    lacking = set(columns) - set(table.schema().column_names)
    if lacking:
        raise TableOutdated(".".join(table.name()), sorted(lacking))
    scan = table.scan(row_filter=row_filter or AlwaysTrue(), selected_fields=tuple(columns))
    reader = ArrowScan(table.metadata, table.io, scan.projection(), scan.row_filter)
    for task in scan.plan_files():
        for batch in reader.to_record_batches([task]):
            yield without_zone(batch.select(list(columns)))


def without_zone(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same with every timestamp as microseconds in UTC without a zone, as DuckDB's."""
    schema = pa.schema(
        [
            each.with_type(pa.timestamp("us")) if pa.types.is_timestamp(each.type) else each
            for each in batch.schema
        ]
    )
    return batch.cast(schema)
