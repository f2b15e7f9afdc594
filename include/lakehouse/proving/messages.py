"""The messages of bronze_raw, and of files, onto the workbench."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.table import Table

from lakehouse.proving.errors import FileUnusable
from lakehouse.proving.reading import read
from lakehouse.proving.rows import batches
from lakehouse.proving.scope import GoldDays, Scope, day_of
from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import Workbench

BRONZE = "bronze_raw"
_COLUMNS = ("payload", "message_id", "ingest_ts")


def days_of_run(bronze: Table, run_id: str, settings: ProofSettings) -> frozenset[date]:
    """The days (UTC) in which the run's frames were captured."""
    days = set()
    for batch in _slices(bronze, settings):
        for payload in batch.filter(_contains(batch["payload"], [run_id]))["payload"].to_pylist():
            reading = read(payload)
            if reading.run_id == run_id and reading.capture_ms is not None:
                days.add(day_of(reading.capture_ms))
    return frozenset(days)


def load(
    bench: Workbench, bronze: Table, scope: Scope, gold: GoldDays, settings: ProofSettings
) -> None:
    """Read every message in scope, and those that touch the Gold of the days.

    All of Bronze is looked through, since its columns come from what a producer said beside the
    message, and may be null; only what may be concerned is parsed.
    """
    for batch in _slices(bronze, settings):
        concerned = batch.filter(_may_concern(batch, scope, gold))
        ingest_us = concerned["ingest_ts"].cast(pa.int64()).to_pylist()
        for (payload, message_id, ingest_ts), us in zip(
            zip(*(concerned[name].to_pylist() for name in _COLUMNS), strict=True),
            ingest_us,
            strict=True,
        ):
            reading = read(payload)
            bench.add(
                reading,
                message_id=message_id,
                ingest_ts=ingest_ts,
                in_scope=(in_scope := scope.holds(reading, us // 1000)),
                with_detections=in_scope
                or (reading.capture_ms is not None and gold.need(reading.capture_ms)),
            )
        bench.flush()


def load_files(bench: Workbench, paths: Iterable[Path], scope: Scope, batch_lines: int) -> None:
    """Read frames that were published out of files of JSON lines.

    Lines that are no frame are passed over: they are no frame in Bronze either.

    :raises FileUnusable: a file cannot be read.
    """
    bench.execute("CREATE TABLE published AS FROM message LIMIT 0")
    for path in paths:
        try:
            with path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    reading = read(line.rstrip(b"\r\n"))
                    if reading.reason is None and scope.holds(reading, 0):
                        bench.add(reading, with_detections=False)
                    if number % batch_lines == 0:
                        bench.flush("published")
        except OSError as error:
            raise FileUnusable("--messages", path, error.strerror or str(error)) from error
    bench.flush("published")


def _slices(bronze: Table, settings: ProofSettings) -> Iterator[pa.RecordBatch]:
    for batch in batches(bronze, _COLUMNS):
        for start in range(0, batch.num_rows, settings.batch_rows):
            yield batch.slice(start, settings.batch_rows)


def _may_concern(batch: pa.RecordBatch, scope: Scope, gold: GoldDays) -> pa.Array:
    """Which messages are in scope or touch Gold, and some more: true where it is not sure."""
    if scope.is_all:
        return pa.array([True] * batch.num_rows)
    named = [*gold.written_dates(), *([] if scope.run_id is None else [scope.run_id])]
    mask = _contains(batch["payload"], named)
    if scope.day is not None:
        received = pc.equal(batch["ingest_ts"].cast(pa.date32()), pa.scalar(scope.day))
        mask = pc.or_(mask, received)
    return mask


def _contains(payloads: pa.Array, texts: Iterable[str]) -> pa.Array:
    """Where a payload has one of the texts in it, or an escape, behind which it may hide."""
    mask = pc.match_substring(payloads, b"\\")
    for text in texts:
        mask = pc.or_(mask, pc.match_substring(payloads, text.encode()))
    return mask
