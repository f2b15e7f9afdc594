"""From a message to what Silver makes of it: detections, and what could not be used and why.

Pure: no Flink in here. `functions.py` hands these rows to Flink.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from frame_contract import Frame, RejectedDetection, Report, event_time_ms, explain

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
    payload: str | None


class ParsedMessage(NamedTuple):
    """A row a message. Its detections lie in columns of their own, one entry each.

    Flink takes a list of numbers for a fraction of what it takes for as many rows.
    """

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
    places: list[int] = []  # noqa: RUF012 - never changed: a tuple's default
    """1 to n, for the n usable detections."""
    det_ids: list[str] = []  # noqa: RUF012
    class_names: list[str] = []  # noqa: RUF012
    confs: list[float] = []  # noqa: RUF012
    boxes: list[float] = []  # noqa: RUF012
    """x1, y1, x2, y2 of the first detection, then of the next."""
    track_ids: list[int | None] = []  # noqa: RUF012
    rejected: list[Rejected] = []  # noqa: RUF012


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
    det_ids = [each.det_id for each in detections]
    rejected = [_bad_detection(each) for each in report.rejected]
    names = det_ids + [each.name for each in rejected] if rejected else det_ids
    boxes: list[float] = []
    for each in detections:
        box = each.bbox
        boxes += (box.x1, box.y1, box.x2, box.y2)
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
        list(range(1, len(det_ids) + 1)),
        det_ids,
        [each.class_name for each in detections],
        [each.conf for each in detections],
        boxes,
        [each.track_id for each in detections],
        rejected,
    )


def named(name: str) -> str:
    """A name as `item_names` has it: no other name contains it (sendings.sql does the same)."""
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
