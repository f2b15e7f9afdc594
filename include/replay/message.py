"""A line as it travels: its bytes and all that Pulsar is told beside them."""

from typing import NamedTuple

from frame_contract import (
    Frame,
    event_time_ms,
    explain,
    known_properties,
    message_key,
    message_properties,
    parse_capture_ts,
)
from frame_contract.timestamps import epoch_milliseconds
from replay.run import RunPlan


class Message(NamedTuple):
    """One line, ready to be sent; `key` and `event_time_ms` are None where nothing tells them."""

    producer_name: str
    sequence_id: int
    payload: bytes
    properties: dict[str, str]
    key: str | None
    event_time_ms: int | None


def frame_message(frame: Frame, line: bytes, run: RunPlan, position: int) -> Message:
    """How a frame is published: `line` is what is sent of it, `position` counts the run from 1."""
    return Message(
        run.producer_name,
        run.sequence_base + position,
        line,
        message_properties(frame),
        message_key(frame),
        event_time_ms(frame),
    )


def raw_message(payload: bytes, producer_name: str, sequence_id: int) -> Message:
    """How any bytes are published: beside them, whatever can be read of their identity."""
    known = explain(payload).known
    has_camera = known.store_id is not None and known.camera_id is not None
    captured_ms = None
    if known.capture_ts is not None:
        captured_ms = epoch_milliseconds(parse_capture_ts(known.capture_ts))
    return Message(
        producer_name,
        sequence_id,
        payload,
        known_properties(known),
        f"{known.store_id}/{known.camera_id}" if has_camera else None,
        captured_ms,
    )
