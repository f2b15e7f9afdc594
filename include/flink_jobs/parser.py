"""From a message's bytes to Silver's rows: detections, or what could not be used and why.

Pure: no Flink in here. `functions.py` hands these rows to Flink.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from frame_contract import (
    BBox,
    Detection,
    Frame,
    ImageSize,
    RejectedDetection,
    Report,
    event_time_ms,
    explain,
)

GRID_CELLS = 10
"""The image is divided into 10 x 10 cells, at any resolution."""
_KEY_BYTES = 16
"""128 bits tell any number of detections apart that a store will see in its life."""


class ParsedRow(NamedTuple):
    """A detection (reason is None) or a quarantined thing (reason, detail, bad_payload)."""

    item_key: bytes
    reason: str | None = None
    detail: str | None = None
    bad_payload: str | None = None
    store_id: str | None = None
    camera_id: str | None = None
    stream_id: str | None = None
    run_id: str | None = None
    frame_index: int | None = None
    capture_ms: int | None = None
    image_width: int | None = None
    image_height: int | None = None
    det_id: str | None = None
    class_name: str | None = None
    conf: float | None = None
    x1: float | None = None
    y1: float | None = None
    x2: float | None = None
    y2: float | None = None
    track_id: int | None = None
    zone_x: int | None = None
    zone_y: int | None = None


def parse_message(payload: bytes | None, message_id: bytes) -> Iterator[ParsedRow]:
    """Yield a row for each detection, usable or not; or one for a message that is not usable.

    A frame without detections yields nothing: it says that the camera saw nobody, and Bronze
    holds it. Never raises, whatever the bytes.

    :param message_id: Pulsar's, serialised: the key of a message that has no other.
    """
    payload = payload or b""
    report = explain(payload)
    if report.frame is None:
        yield _quarantined_message(message_id, report)
        return
    frame = report.frame
    capture_ms = event_time_ms(frame)
    frame_key = _frame_key(frame, capture_ms)
    for detection in frame.detections:
        yield _detection_row(frame, frame_key, capture_ms, detection)
    for rejected in report.rejected:
        yield _quarantined_detection(frame, frame_key, rejected)


def zone(box: BBox, size: ImageSize) -> tuple[int, int]:
    """Cell (zone_x, zone_y) of the box's centre, 0 to 9 each, (0, 0) top left."""
    return (
        _cell((box.x1 + box.x2) / 2, size.width),
        _cell((box.y1 + box.y2) / 2, size.height),
    )


def _cell(centre_px: float, side_px: int) -> int:
    return min(GRID_CELLS - 1, max(0, int(centre_px * GRID_CELLS / side_px)))


def _frame_key(frame: Frame, capture_ms: int) -> bytes:
    source = frame.source
    return b"\x00".join(
        (
            source.store_id.encode(),
            source.camera_id.encode(),
            frame.run_id.encode(),
            str(frame.frame_index).encode(),
            str(capture_ms).encode(),
        )
    )


def _key(kind: bytes, *parts: bytes) -> bytes:
    return hashlib.blake2b(b"\x00".join((kind, *parts)), digest_size=_KEY_BYTES).digest()


def _detection_row(
    frame: Frame, frame_key: bytes, capture_ms: int, detection: Detection
) -> ParsedRow:
    box, size = detection.bbox, frame.image_size
    zone_x, zone_y = zone(box, size)
    return ParsedRow(
        item_key=_key(b"detection", frame_key, detection.det_id.encode()),
        store_id=frame.source.store_id,
        camera_id=frame.source.camera_id,
        stream_id=frame.source.stream_id,
        run_id=frame.run_id,
        frame_index=frame.frame_index,
        capture_ms=capture_ms,
        image_width=size.width,
        image_height=size.height,
        det_id=detection.det_id,
        class_name=detection.class_name,
        conf=float(detection.conf),
        x1=float(box.x1),
        y1=float(box.y1),
        x2=float(box.x2),
        y2=float(box.y2),
        track_id=detection.track_id,
        zone_x=zone_x,
        zone_y=zone_y,
    )


def _quarantined_detection(
    frame: Frame, frame_key: bytes, rejected: RejectedDetection
) -> ParsedRow:
    return ParsedRow(
        item_key=_key(
            b"rejected", frame_key, str(rejected.index).encode(), _escaped(rejected.json).encode()
        ),
        reason=str(rejected.reason),
        detail=_escaped(rejected.detail),
        bad_payload=_escaped(rejected.json),
        store_id=frame.source.store_id,
        camera_id=frame.source.camera_id,
        stream_id=frame.source.stream_id,
        run_id=frame.run_id,
    )


def _quarantined_message(message_id: bytes, report: Report) -> ParsedRow:
    known = report.known
    return ParsedRow(
        item_key=_key(b"message", message_id),
        reason=str(report.reason),
        detail=_escaped(report.detail),
        bad_payload=report.kept,
        store_id=known.store_id,
        camera_id=known.camera_id,
        stream_id=known.stream_id,
        run_id=known.run_id,
    )


def _escaped(text: str) -> str:
    """Return the text with lone surrogates, which JSON allows and UTF-8 does not, escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
