"""A camera's rows of a Gold table as a file, CSV or Parquet."""

from __future__ import annotations

import csv
import errno
import io
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from lakehouse.errors import LakehouseError
from lakehouse.query import session
from lakehouse.settings import LakehouseSettings
from store_page.errors import ChoiceUnusable, NoRoom
from store_page.numbers import ANSWER_SECONDS, for_people, text_of
from store_page.selection import Selection
from trino_checks.query import bind

TABLES = {
    "people": "gold_people_per_minute",
    "tracks": "gold_track_summary",
    "dwell": "gold_zone_dwell",
    "heatmap": "gold_zone_heatmap",
}
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
ROWS_AT_ONCE = 10_000
IN_MEMORY_BYTES = 4 << 20
"""A larger file waits on the disk until it is sent."""
_PIECE_BYTES = 1 << 16
_DOWNLOAD_SECONDS = 120
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Download:
    """A file that is ready to be sent."""

    name: str
    media_type: str
    content: IO[bytes]

    def pieces(self) -> Iterator[bytes]:
        """Yield the content; the file is gone after it."""
        with self.content:
            while piece := self.content.read(_PIECE_BYTES):
                yield piece


def download(
    settings: LakehouseSettings, what: str, file_format: str, selection: Selection
) -> Download:
    """Write the file whole before the first byte is sent: an error is still one then.

    :raises ChoiceUnusable: there is no such table or format.
    :raises PageError: Trino is away, has no tables, took too long, or failed.
    """
    if what not in TABLES:
        raise ChoiceUnusable(f"Choose one of {', '.join(TABLES)} to download.")
    if file_format not in MEDIA_TYPES:
        raise ChoiceUnusable(f"Choose one of {', '.join(MEDIA_TYPES)} as the format.")
    query = bind(
        text_of(f"download/{what}"), database=settings.database, parameters=selection.values
    )
    content: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - `pieces` closes it
    properties = {"query_max_run_time": f"{_DOWNLOAD_SECONDS}s"}
    write = _write_csv if file_format == "csv" else _write_parquet
    try:
        with session(settings, properties, ANSWER_SECONDS) as trino:
            write(TABLES[what], trino.ask_in_parts(query.sql, query.values, ROWS_AT_ONCE), content)
    except BaseException as error:
        content.close()
        if getattr(error.__cause__ or error, "errno", None) in _NO_ROOM:
            raise NoRoom from error
        if isinstance(error, LakehouseError):
            raise for_people(error, f"download of {what}", _DOWNLOAD_SECONDS) from error
        raise
    content.seek(0)
    return Download(_file_name(what, file_format, selection), MEDIA_TYPES[file_format], content)


def _file_name(what: str, file_format: str, selection: Selection) -> str:
    span = selection.span
    parts = [what, selection.store, selection.camera, str(span.first_day)]
    if span.last_day != span.first_day:
        parts.append(str(span.last_day))
    return f"{_NOT_IN_A_FILE_NAME.sub('_', '-'.join(parts))}.{file_format}"


def _columns(table: str) -> list[str]:
    from lakehouse.schema import TABLES as DEFINITIONS

    return [column.name for column in DEFINITIONS[table].columns]


def _write_csv(table: str, parts: Iterator[list[tuple[Any, ...]]], content: IO[bytes]) -> None:
    text = io.TextIOWrapper(content, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(_columns(table))
    for part in parts:
        writer.writerows([_in_csv(value) for value in row] for row in part)
    text.detach()


def _in_csv(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    # names come with the messages: what a spreadsheet would take for a formula stays a text
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _write_parquet(table: str, parts: Iterator[list[tuple[Any, ...]]], content: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lakehouse.schema import TABLES as DEFINITIONS

    schema = DEFINITIONS[table].schema.as_arrow()
    names = _columns(table)
    with pq.ParquetWriter(content, schema, compression="zstd") as writer:
        for part in parts:
            rows = [dict(zip(names, row, strict=True)) for row in part]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
