"""Messages that the tests of the contract start from."""

import json
from typing import Any

EXAMPLE: dict[str, Any] = {
    "schema_version": "1.0",
    "run_id": "store_01-cam_01-20261124T101500Z",
    "source": {"store_id": "store_01", "camera_id": "cam_01", "stream_id": "stream_001"},
    "frame_index": 1234,
    "capture_ts": "2026-11-24T10:15:41.133Z",
    "image_size": {"width": 1280, "height": 720},
    "detections": [
        {
            "det_id": "d_1795515341_001",
            "class": "person",
            "bbox": {"x1": 100, "y1": 200, "x2": 300, "y2": 400},
            "conf": 0.92,
            "track_id": 5,
        }
    ],
    "model": {"detector": "yolo11n", "tracker": "deepsort"},
}
GONE = object()
"""Set a path to this to take the field out."""


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """The example with the values at dotted paths replaced: `("detections.0.bbox.x2", 5)`."""
    message: dict[str, Any] = json.loads(json.dumps(EXAMPLE))
    for path, value in changes:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = message
        for part in parents:
            place = place[part]
        if value is GONE:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return message


def payload(*changes: tuple[str, Any]) -> bytes:
    """The changed example as it would be sent."""
    return json.dumps(changed(*changes)).encode()


def spliced(path: str, text: str) -> bytes:
    """The example with raw JSON text, which Python would not write, at a path."""
    return payload((path, "<here>")).replace(b'"<here>"', text.encode())
