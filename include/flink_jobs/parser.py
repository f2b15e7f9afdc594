"""From a message to what Silver makes of it: detections, and what could not be used and why.

Pure: no Flink in here. `functions.py` hands these rows to Flink.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from frame_contract import (
    Detection,
    Frame,
    RejectedDetection,
    Report,
    event_time_ms,
    explain,
)

_KEY_BYTES = 16
"""128 bits tell any number of frames apart that a store will see in its life."""
_NUL = "\x00"
"""Between names: the contract lets no text have it."""


class Rejected(NamedTuple):
    """A detection, or a whole message, that goes to the quarantine."""

    name: str
    """Tells it apart in its frame: its place and a hash of its text; of a message: empty."""
    reason: str
    detail: str
    payload: str


class ParsedMessage(NamedTuple):
    """What one message comes to."""

    frame_key: bytes
    """Of the frame's identity, so that a second sending is known; of a bad message: of its id."""
    item_names: str
    """`det_id`s and names of rejected detections, each between two NULs (`named`). No det_id has
    the hash of a neighbour's text in it, so the two kinds do not meet."""
    store_id: str | None
    camera_id: str | None
    stream_id: str | None
    run_id: str | None
    frame_index: int | None = None
    capture_ms: int | None = None
    image_width: int | None = None
    image_height: int | None = None
    detections: Sequence[Detection] = ()
    """The usable ones."""
    rejected: Sequence[Rejected] = ()


def parse_message(payload: bytes | None, message_id: bytes) -> ParsedMessage | None:
    """Return what Silver keeps of one message; None of a frame without detections.

    Such a frame says that the camera saw nobody, and Bronze holds it. Never raises, whatever the
    bytes.

    :param message_id: Pulsar's, serialised: the key of a message that has no other.
    """
    report = explain(payload or b"")
    frame = report.frame
    if frame is None:
        return _bad_message(message_id, report)
    detections = frame.detections
    if not detections and not report.rejected:
        return None
    names = [each.det_id for each in detections]
    rejected = [_bad_detection(each) for each in report.rejected]
    names += [each.name for each in rejected]
    source, size, capture_ms = frame.source, frame.image_size, event_time_ms(frame)
    return ParsedMessage(
        _key("frame", _identity(frame, capture_ms).encode()),
        named(_NUL.join(names)),
        source.store_id,
        source.camera_id,
        source.stream_id,
        frame.run_id,
        frame.frame_index,
        capture_ms,
        size.width,
        size.height,
        detections,
        rejected,
    )


def named(name: str) -> str:
    """A name as `item_names` has it, so that no other contains it; as new_detections.sql does."""
    return f"{_NUL}{name}{_NUL}"


def _identity(frame: Frame, capture_ms: int) -> str:
    source = frame.source
    return (
        f"{source.store_id}\0{source.camera_id}\0{frame.run_id}\0{frame.frame_index}\0{capture_ms}"
    )


def _key(kind: str, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_KEY_BYTES, person=kind.encode()).digest()


def _bad_detection(rejected: RejectedDetection) -> Rejected:
    text = _escaped(rejected.json)
    return Rejected(
        name=f"{rejected.index} {_key('rejected', text.encode()).hex()}",
        reason=str(rejected.reason),
        detail=_escaped(rejected.detail),
        payload=text,
    )


def _bad_message(message_id: bytes, report: Report) -> ParsedMessage:
    known = report.known
    why = Rejected(
        name="", reason=str(report.reason), detail=_escaped(report.detail), payload=report.kept
    )
    return ParsedMessage(
        _key("message", message_id),
        named(why.name),
        known.store_id,
        known.camera_id,
        known.stream_id,
        known.run_id,
        rejected=[why],
    )


def _escaped(text: str) -> str:
    """Return the text with lone surrogates, which JSON allows and UTF-8 does not, escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
