"""What travels beside the payload: identity, key, event time and properties of a message."""

from datetime import datetime
from typing import NamedTuple

from frame_contract.message import Frame
from frame_contract.report import Known
from frame_contract.timestamps import epoch_milliseconds, format_capture_ts


class FrameIdentity(NamedTuple):
    """What makes a frame this frame: two messages with one identity are one frame sent twice."""

    store_id: str
    camera_id: str
    run_id: str
    frame_index: int
    capture_ts: datetime


def identity(frame: Frame) -> FrameIdentity:
    """The frame's identity; the capture time tells first-generation captures apart."""
    source = frame.source
    return FrameIdentity(
        source.store_id, source.camera_id, frame.run_id, frame.frame_index, frame.capture_ts
    )


def message_key(frame: Frame) -> str:
    """`store_id/camera_id`: what keeps one camera's frames in order."""
    return f"{frame.source.store_id}/{frame.source.camera_id}"


def event_time_ms(frame: Frame) -> int:
    """The capture time in milliseconds since 1970."""
    return epoch_milliseconds(frame.capture_ts)


def message_properties(frame: Frame) -> dict[str, str]:
    """The properties from which Bronze fills its columns without parsing the payload.

    `schema_version` is left out where the message has none.
    """
    properties = {
        "store_id": frame.source.store_id,
        "camera_id": frame.source.camera_id,
        "stream_id": frame.source.stream_id,
        "run_id": frame.run_id,
        "frame_index": str(frame.frame_index),
        "capture_ts": format_capture_ts(frame.capture_ts),
    }
    if frame.schema_version is not None:
        properties["schema_version"] = frame.schema_version
    return properties


def known_properties(known: Known) -> dict[str, str]:
    """The same properties for a message that cannot be used as a whole, as far as known."""
    values = {
        "store_id": known.store_id,
        "camera_id": known.camera_id,
        "stream_id": known.stream_id,
        "run_id": known.run_id,
        "frame_index": None if known.frame_index is None else str(known.frame_index),
        "capture_ts": known.capture_ts,
        "schema_version": known.schema_version,
    }
    return {name: value for name, value in values.items() if value is not None}
