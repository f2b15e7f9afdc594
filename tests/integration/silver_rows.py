"""What the Silver job makes of messages, without the job: by its parser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from flink_jobs.parser import parse_message
from frame_contract import Frame, encode
from integration.conftest import Deployment
from lakehouse import tables
from lakehouse.schema import TABLES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


def silver_rows(payload: bytes, message_id: bytes, ingest_ts: datetime) -> dict[str, list[Row]]:
    """Return the rows of one message, by table."""
    parsed = parse_message(payload, message_id)
    rows: dict[str, list[Row]] = {"silver_detection": [], "silver_quarantine": []}
    if parsed is None:
        return rows
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
        rows["silver_detection"].append(_row("silver_detection", of_message | values))
    for rejected in parsed.rejected:
        values = {name: getattr(rejected, name) for name in ("reason", "detail", "payload")}
        rows["silver_quarantine"].append(_row("silver_quarantine", of_message | values))
    return rows


def _row(table: str, values: Row) -> Row:
    return {column.name: values.get(column.name) for column in TABLES[table].columns}


def put_into_silver(deployment: Deployment, frames: Sequence[Frame], ingest_ts: datetime) -> None:
    """Append the frames' detections in one commit."""
    rows = [
        row
        for frame in frames
        for row in silver_rows(encode(frame), b"id", ingest_ts)["silver_detection"]
    ]
    table = tables.load(deployment.catalog, deployment.database, "silver_detection")
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
