"""The files of a table as they lie in the object store: listed, read, written.

Read by PyArrow, file by file, with delete files applied as Iceberg's specification says, since
PyIceberg reads no equality deletes.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    PyArrowFileIO,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestEntry
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

_GONE = ("RESOURCE_NOT_FOUND", "NO_SUCH_KEY")
"""What PyArrow's S3 says, as a plain OSError, of an object that it could open a moment ago."""
ROWS_AT_ONCE = 8192
"""Read, judged and written at once; of 4 MiB payloads some are less."""


@dataclass(frozen=True)
class Stored:
    """An object under a table's location, and when it was written (UTC)."""

    path: str
    written_at: datetime


def stored(table: Table) -> Iterator[Stored]:
    """Every object under the table's location, whoever names it."""
    scheme, netloc, path = PyArrowFileIO.parse_location(table.location())
    prefix = table.location()[: len(table.location()) - len(path)] if path else ""
    found = _file_system(table, scheme, netloc).get_file_info(
        pafs.FileSelector(path, recursive=True, allow_not_found=True)
    )
    for each in found:
        if each.type == pafs.FileType.File:
            yield Stored(prefix + each.path, each.mtime.astimezone(UTC))


def read(table: Table, path: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """A Parquet file's rows as they lie there, some thousand at a time.

    :param columns: those of them that the file has
    :raises FileNotFoundError: it is gone.
    :raises pyarrow.ArrowInvalid: it is no Parquet.
    """
    with (
        gone_as_not_found(path),
        table.io.new_input(path).open() as opened,
        pq.ParquetFile(opened) as file,
    ):
        names = None
        if columns is not None:
            names = [name for name in file.schema_arrow.names if name in columns]
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=names):
            yield pa.Table.from_batches([batch])


@contextmanager
def gone_as_not_found(path: str) -> Iterator[None]:
    """Tell of an object that goes between its opening and its reading as of one that is not there.

    :raises FileNotFoundError: it is gone.
    """
    try:
        yield
    except OSError as error:
        if any(sign in str(error) for sign in _GONE):
            raise FileNotFoundError(path) from error
        raise


def live_entries(table: Table, snapshot: Snapshot | None) -> list[ManifestEntry]:
    """The data and delete files of a snapshot."""
    if snapshot is None:
        return []
    return [
        entry
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    ]


def live_rows(
    table: Table, entry: ManifestEntry, deletes: Iterable[ManifestEntry]
) -> Iterator[pa.Table]:
    """A data file's rows without those that delete files take out, in the table's columns.

    :param deletes: the delete files of its partition
    """
    is_deleted = _deletes_of(table, entry, list(deletes))
    schema = _written_schema(table)
    place = 0
    for rows in read(table, entry.data_file.file_path):
        if is_deleted is not None:
            numbered = zip(range(place, place + rows.num_rows), rows.to_pylist(), strict=True)
            kept = [not is_deleted(number, row) for number, row in numbered]
            place += rows.num_rows
            rows = rows.filter(pa.array(kept, pa.bool_()))
        yield pa.table(
            [
                rows[each.name].cast(each.type)
                if each.name in rows.schema.names
                else pa.nulls(rows.num_rows, each.type)
                for each in schema
            ],
            schema=schema,
        )


def write(table: Table, like: DataFile, parts: Iterable[pa.Table]) -> DataFile | None:
    """Write rows into a new file beside one of their partition; None if there are none."""
    path = f"{like.file_path.rpartition('/')[0]}/{uuid.uuid4()}.parquet"
    parts = (part for part in parts if part.num_rows)
    first = next(parts, None)
    if first is None:
        return None
    schema = _written_schema(table)
    output = table.io.new_output(path)
    with output.create() as opened, pq.ParquetWriter(opened, schema, compression="zstd") as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(part)
    with table.io.new_input(path).open() as written:
        metadata = pq.read_metadata(written)
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=metadata,
        stats_columns=compute_statistics_plan(table.schema(), table.properties),
        parquet_column_mapping=parquet_path_to_id_mapping(table.schema()),
    )
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=like.partition,
        file_size_in_bytes=len(output),
        sort_order_id=None,
        spec_id=like.spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )


def _written_schema(table: Table) -> pa.Schema:
    return schema_to_pyarrow(table.schema())


def _file_system(table: Table, scheme: str, netloc: str) -> pafs.FileSystem:
    if not isinstance(table.io, PyArrowFileIO):
        raise TypeError(f"{table.io} lists no files: py-io-impl must be PyArrowFileIO")
    return table.io.fs_by_scheme(scheme, netloc)


def _deletes_of(
    table: Table, entry: ManifestEntry, deletes: Sequence[ManifestEntry]
) -> Callable[[int, Mapping[str, Any]], bool] | None:
    """Tell of a row's place and values whether it is deleted; None: no row is."""
    age = entry.sequence_number or 0
    places: set[int] = set()
    keys: dict[tuple[str, ...], set[tuple[Any, ...]]] = defaultdict(set)
    for each in deletes:
        file, younger_by = each.data_file, (each.sequence_number or 0) - age
        if file.content == DataFileContent.POSITION_DELETES and younger_by >= 0:
            for rows in read(table, file.file_path, ("file_path", "pos")):
                places.update(
                    row["pos"]
                    for row in rows.to_pylist()
                    if row["file_path"] == entry.data_file.file_path
                )
        elif file.content == DataFileContent.EQUALITY_DELETES and younger_by > 0:
            names = tuple(map(_column(table), file.equality_ids or ()))
            for rows in read(table, file.file_path, names):
                keys[names].update(tuple(row[name] for name in names) for row in rows.to_pylist())
    if not places and not any(keys.values()):
        return None
    return lambda place, row: (
        place in places
        or any(tuple(row[name] for name in names) in found for names, found in keys.items())
    )


def _column(table: Table) -> Callable[[int], str]:
    schema = table.schema()
    return lambda field_id: schema.find_column_name(field_id) or ""
