"""A line as it travels: its bytes and all that Pulsar is told beside them."""

from typing import NamedTuple

from frame_contract import Frame, event_time_ms, message_key, message_properties
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
