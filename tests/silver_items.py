"""What Silver has of messages, by the job's parser and without the job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from flink_jobs.parser import parse_message
from lakehouse.schema import TABLES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


class Item(NamedTuple):
    """A detection or a rejected thing."""

    table: str
    key: tuple[bytes, str]
    """Of a second sending the same."""
    row: Row


def items(payload: bytes, message_id: bytes, ingest_ts: datetime) -> Iterator[Item]:
    """Yield what comes of one message."""
    parsed = parse_message(payload, message_id)
    if parsed is None:
        return
    of_message = parsed._asdict() | {"ingest_ts": ingest_ts, "message_id": message_id}
    for found in parsed.detections:
        assert parsed.capture_ms is not None
        assert parsed.image_width is not None
        assert parsed.image_height is not None
        box = found.bbox
        values = {
            "capture_ts": EPOCH + timedelta(milliseconds=parsed.capture_ms),
            "det_id": found.det_id,
            "class_name": found.class_name,
            "conf": found.conf,
            "track_id": found.track_id,
            **{name: getattr(box, name) for name in ("x1", "y1", "x2", "y2")},
            "zone_x": min(9, int((box.x1 + box.x2) * 5 / parsed.image_width)),
            "zone_y": min(9, int((box.y1 + box.y2) * 5 / parsed.image_height)),
        }
        row = _row("silver_detection", of_message | values)
        yield Item("silver_detection", (parsed.frame_key, found.det_id), row)
    for rejected in parsed.rejected:
        values = {name: getattr(rejected, name) for name in ("reason", "detail", "payload")}
        row = _row("silver_quarantine", of_message | values)
        yield Item("silver_quarantine", (parsed.frame_key, rejected.name), row)


def _row(table: str, values: Row) -> Row:
    return {column.name: values.get(column.name) for column in TABLES[table].columns}
