"""Whether a row or a manifest's entry still tells of what was to be erased. Pure.

The proof's own way of looking: by the names of columns, whatever the table, and by the standard
library's JSON. It shares nothing with `rules` and `payloads`, which decide what is erased.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile
from pyiceberg.schema import Schema
from pyiceberg.types import NestedField, TimestamptzType

from lakehouse.erasure.selection import Selection

WORDS = ("example", "detail")
"""Columns of sentences that may name stores, cameras and runs."""
_BOUND_CHARACTERS = 16
"""So much of a text Iceberg keeps as a bound."""
_WINDOWS = {"ts_minute": timedelta(minutes=1), "ts_hour": timedelta(hours=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def candidates(rows: pa.Table, selection: Selection) -> Iterator[dict[str, Any]]:
    """The rows in which the store's id stands anywhere, or that may have it as an escape."""
    found = pa.array([False] * rows.num_rows, pa.bool_())
    for column in rows.columns:
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        if any(
            is_kind(kind)
            for is_kind in (
                pa.types.is_string,
                pa.types.is_large_string,
                pa.types.is_binary,
                pa.types.is_large_binary,
            )
        ):
            data = column.cast(pa.large_binary()).combine_chunks()
            for looked_for in (selection.store_id.encode(), b"\\u"):
                found = pc.or_(found, pc.fill_null(pc.match_substring(data, looked_for), False))
    yield from rows.filter(found).to_pylist()


def tells_of(
    row: Mapping[str, Any], selection: Selection, captured_at: Mapping[bytes, datetime]
) -> bool:
    """Whether a row as it was decoded tells of the selection.

    :param captured_at: when messages were captured that still stand in Bronze
    """
    if "payload" in row:
        return _message_tells(row, selection, captured_at)
    if any(name in row for name in WORDS):
        return any(_says_all(row[name], selection) for name in WORDS if row.get(name))
    if any(row.get(name) != value for name, value in selection.ids.items()):
        return False
    if selection.track_id is not None and row.get("track_id") != selection.track_id:
        return False
    return _is_of_time(row, selection)


def entry_tells(file: DataFile, schema: Schema, selection: Selection) -> bool:
    """Whether the bounds that a manifest keeps of a file that is gone name the selection."""
    for name, wanted in selection.ids.items():
        bounds = _bounds(file, schema, name)
        if not any(_is_bound_of(bound, wanted) for bound in bounds):
            return False
    if selection.track_id is not None:
        return selection.track_id in _bounds(file, schema, "track_id")
    times = [each for each in schema.fields if isinstance(each.field_type, TimestamptzType)]
    moments = {
        each.name: [_EPOCH + timedelta(microseconds=number) for number in _bounds_of(file, each)]
        for each in times
    }
    for name in ("capture_ts", "start_ts", "ts_minute", "ts_hour"):
        if len(moments.get(name, ())) == 2:
            return selection.overlaps(*moments[name])
    return True


def _message_tells(
    row: Mapping[str, Any], selection: Selection, captured_at: Mapping[bytes, datetime]
) -> bool:
    payload = row["payload"] or b""
    payload = payload.encode() if isinstance(payload, str) else payload
    message = _json(payload)
    is_detection = str(row.get("reason", "")).startswith("detection_")
    told = _ids(message) if not is_detection else {}
    by_columns = {name: row.get(name) for name in selection.ids}
    names = all(
        wanted in (by_columns[name], told.get(name))
        or (by_columns[name] is None and told.get(name) is None and wanted.encode() in payload)
        for name, wanted in selection.ids.items()
    )
    if not names or not _is_message_of_time(row, message, selection, captured_at):
        return False
    if selection.track_id is None:
        return True
    if is_detection:
        return _track(message) == str(selection.track_id)
    if not isinstance(message, dict):
        return True
    detections = message.get("detections")
    there = detections if isinstance(detections, list) else [detections]
    return any(_track(each) == str(selection.track_id) for each in there)


def _is_message_of_time(
    row: Mapping[str, Any],
    message: object,
    selection: Selection,
    captured_at: Mapping[bytes, datetime],
) -> bool:
    if not selection.is_timed:
        return True
    texts = [row.get("capture_ts"), message.get("capture_ts") if isinstance(message, dict) else ""]
    moments = [each for each in map(_moment, texts) if each is not None]
    moments = moments or [
        captured_at.get(row["message_id"] or b"") or row.get("publish_ts") or row["ingest_ts"]
    ]
    return any(map(selection.covers, moments))


def _is_of_time(row: Mapping[str, Any], selection: Selection) -> bool:
    """Whether all of the row is of the time, so that nothing else can have left it."""
    for name, length in _WINDOWS.items():
        if name in row:
            start = row[name]
            return (selection.since is None or start >= selection.since) and (
                selection.until is None or start + length <= selection.until
            )
    moments = [row[name] for name in ("capture_ts", "start_ts", "end_ts") if name in row]
    return not moments or any(map(selection.covers, moments))


def _says_all(text: str, selection: Selection) -> bool:
    return all(wanted in text for wanted in selection.ids.values())


def _json(payload: bytes) -> object:
    try:
        return json.loads(payload, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _ids(message: object) -> dict[str, Any]:
    if not isinstance(message, dict):
        return {}
    source = message.get("source")
    source = source if isinstance(source, dict) else {}
    return {
        "store_id": source.get("store_id"),
        "camera_id": source.get("camera_id"),
        "run_id": message.get("run_id") or source.get("stream_id"),
    }


def _track(detection: object) -> str | None:
    track = detection.get("track_id") if isinstance(detection, dict) else None
    return None if track is None else str(track)


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _bounds(file: DataFile, schema: Schema, name: str) -> Collection[Any]:
    field = next((each for each in schema.fields if each.name == name), None)
    return () if field is None else _bounds_of(file, field)


def _bounds_of(file: DataFile, field: NestedField) -> list[Any]:
    """The least and the greatest value, as far as they are kept; of times in microseconds."""
    kept = ((bounds or {}).get(field.field_id) for bounds in (file.lower_bounds, file.upper_bounds))
    return [from_bytes(field.field_type, each) for each in kept if each is not None]  # type: ignore[arg-type]


def _is_bound_of(bound: str, wanted: str) -> bool:
    """Whether a text, or what is left of it as a bound, is the id; the last character may be one
    more in a greatest value."""
    kept = bound[: _BOUND_CHARACTERS - 1]
    return bound == wanted or (len(bound) >= _BOUND_CHARACTERS and wanted.startswith(kept))
