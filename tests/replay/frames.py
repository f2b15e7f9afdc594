"""Files of frame metadata for the tests of replay."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from frame_contract import (
    BBox,
    Detection,
    Frame,
    ImageSize,
    Model,
    Source,
    encode,
    format_capture_ts,
)

STARTED_AT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
RUN = "store_01-cam_01-20261124T101500Z"


def frame(
    index: int, *, run_id: str = RUN, camera_id: str = "cam_01", store_id: str = "store_01"
) -> Frame:
    """Frame `index` of a capture at 25 frames a second."""
    return Frame(
        schema_version="1.0",
        run_id=run_id,
        source=Source(store_id=store_id, camera_id=camera_id, stream_id="stream_001"),
        frame_index=index,
        capture_ts=STARTED_AT + timedelta(milliseconds=40 * index),
        image_size=ImageSize(width=640, height=480),
        detections=(
            Detection(
                det_id=f"d_{index}",
                class_name="person",
                bbox=BBox(x1=1, y1=2, x2=3, y2=4),
                conf=0.5,
                track_id=1,
            ),
        ),
        model=Model(detector="hog", tracker="deepsort"),
    )


def line(
    index: int, *, run_id: str = RUN, camera_id: str = "cam_01", store_id: str = "store_01"
) -> bytes:
    """The frame's line without its line feed."""
    return encode(frame(index, run_id=run_id, camera_id=camera_id, store_id=store_id))


def first_generation_line(index: int, started_at: datetime = STARTED_AT) -> bytes:
    """A line as the first generation wrote it: no version, no run, no model."""
    captured_at = format_capture_ts(started_at + timedelta(milliseconds=40 * index))
    return (
        '{"source":{"store_id":"S001","camera_id":"CAM01","stream_id":"stream1"},'
        f'"frame_index":{index},"capture_ts":"{captured_at}",'
        '"image_size":{"width":1280,"height":720},"detections":[]}'
    ).encode()


def write(path: Path, lines: list[bytes]) -> Path:
    """The lines, each with its line feed."""
    path.write_bytes(b"".join(each + b"\n" for each in lines))
    return path
