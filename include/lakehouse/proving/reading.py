"""A message's bytes to what can be used of it, or the reason why not: docs/message.md in code.

Written from the words alone, over the standard library, so that an error in what the jobs read
with (`frame_contract`) is seen as a difference. Never raises, whatever the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from lakehouse.proving import json_text, pictures

MAX_BYTES = 4 * 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAJOR_ONE = re.compile(r"1(\.[0-9]+)*")
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))", re.ASCII
)
_CORNERS = ("x1", "y1", "x2", "y2")
_ABSENT = object()


class Unusable(Exception):
    """A message or detection cannot be used, for `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReadDetection:
    """A usable detection; `place` counts from 0 in its message; the box in pixels."""

    place: int
    det_id: str
    class_name: str
    x1: float
    y1: float
    x2: float
    y2: float
    conf: float
    track_id: int | None


@dataclass(frozen=True, slots=True)
class RejectedDetection:
    """A detection that cannot be used; `text` is its JSON as the quarantine keeps it."""

    place: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message says. With a `reason` it is unusable and the rest is what is known of it."""

    reason: str | None
    store_id: str | None = None
    camera_id: str | None = None
    stream_id: str | None = None
    run_id: str | None = None
    frame_index: int | None = None
    capture_ms: int | None = None
    """Milliseconds since 1970, UTC."""
    width: int | None = None
    height: int | None = None
    detections: tuple[ReadDetection, ...] = ()
    rejected: tuple[RejectedDetection, ...] = ()
    kept: str | None = None
    """What the quarantine keeps of an unusable message."""


def read(payload: bytes) -> Reading:
    """Read one message."""
    try:
        text, message = _object(payload)
    except Unusable as error:
        return Reading(error.reason, kept=pictures.beginning(payload))
    text, found = pictures.taken_out(text)
    if found:
        message = json_text.read(text)
    places = {each.place for each in found}
    try:
        if None in places:
            raise Unusable("message_image_data")
        return _frame(text, message, places)
    except Unusable as error:
        return _known(error.reason, message, text)


def _object(payload: bytes) -> tuple[str, dict[str, Any]]:
    if len(payload) > MAX_BYTES:
        raise Unusable("message_too_large")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("message_not_utf8") from None
    try:
        message = json_text.read(text)
    except ValueError:
        raise Unusable("message_not_json") from None
    except RecursionError:
        raise Unusable("message_nested_too_deeply") from None
    if not isinstance(message, dict):
        raise Unusable("message_not_an_object")
    return text, message


def _frame(text: str, message: dict[str, Any], pictured: Collection[int | None]) -> Reading:
    """Judge the frame field by field in the order of docs/message.md, then its detections.

    Those at the places `pictured` had image data in them.
    """
    level = "message"
    version = message.get("schema_version")
    if isinstance(version, str) and version and "\0" not in version:
        if not _MAJOR_ONE.fullmatch(version):
            raise Unusable("message_unsupported_schema_version")
    else:
        _optional(message, "schema_version", level, _text)
    run_id = _optional(message, "run_id", level, _text)
    source = _required(message, "source", level, _members)
    store_id, camera_id, stream_id = (
        _required(source, name, level, _text) for name in ("store_id", "camera_id", "stream_id")
    )
    frame_index = _required(message, "frame_index", level, _integer(0, 2**63 - 1))
    capture_ms = _required(message, "capture_ts", level, _capture_ms)
    image = _required(message, "image_size", level, _members)
    width, height = (
        _required(image, name, level, _integer(1, 2**31 - 1)) for name in ("width", "height")
    )
    entries = _required(message, "detections", level, _list)
    model = _optional(message, "model", level, _members)
    if model is not None:
        for name in ("detector", "tracker"):
            _required(model, name, level, _text)
    _optional(message, "dropped_frames", level, _integer(0, 2**63 - 1))
    detections, rejected = _detections(text, entries, width, height, pictured)
    return Reading(
        reason=None,
        store_id=store_id,
        camera_id=camera_id,
        stream_id=stream_id,
        run_id=stream_id if run_id is None else run_id,
        frame_index=frame_index,
        capture_ms=capture_ms,
        width=width,
        height=height,
        detections=detections,
        rejected=rejected,
    )


def _detections(
    text: str, entries: list[Any], width: int, height: int, pictured: Collection[int | None]
) -> tuple[tuple[ReadDetection, ...], tuple[RejectedDetection, ...]]:
    usable: list[ReadDetection] = []
    reasons: dict[int, str] = {}
    taken: set[str] = set()
    for place, entry in enumerate(entries):
        try:
            if place in pictured:
                raise Unusable("detection_image_data")
            detection = _detection(place, entry, width, height)
            if detection.det_id in taken:
                raise Unusable("detection_duplicate_det_id")
        except Unusable as error:
            reasons[place] = error.reason
        else:
            usable.append(detection)
            taken.add(detection.det_id)
    texts = json_text.entries(text, "detections") if reasons else []
    rejected = tuple(
        RejectedDetection(place, reason, texts[place]) for place, reason in reasons.items()
    )
    return tuple(usable), rejected


def _detection(place: int, entry: Any, width: int, height: int) -> ReadDetection:
    level = "detection"
    if not isinstance(entry, dict):
        raise Unusable("detection_not_an_object")
    det_id = _required(entry, "det_id", level, _text)
    class_name = _required(entry, "class", level, _text)
    box = _required(entry, "bbox", level, _members)
    x1, y1, x2, y2 = (_required(box, corner, level, _double) for corner in _CORNERS)
    conf = _required(entry, "conf", level, _double)
    if not 0 <= conf <= 1:
        raise Unusable("detection_out_of_range")
    track_id = _optional(entry, "track_id", level, _integer(-(2**63), 2**63 - 1))
    if not (x1 < x2 and y1 < y2):
        raise Unusable("detection_bad_bbox")
    if min(x1, y1) < 0 or x2 > width or y2 > height:
        raise Unusable("detection_outside_image")
    return ReadDetection(place, det_id, class_name, x1, y1, x2, y2, conf, track_id)


def _known(reason: str, message: Any, text: str) -> Reading:
    """An unusable message: the names in it that are right by themselves."""
    if not isinstance(message, dict):  # the whole of it was image data
        return Reading(reason, kept=text)
    source = message.get("source")
    source = source if isinstance(source, dict) else {}
    stream_id, run_id = _sound(source.get("stream_id")), message.get("run_id")
    return Reading(
        reason,
        store_id=_sound(source.get("store_id")),
        camera_id=_sound(source.get("camera_id")),
        stream_id=stream_id,
        run_id=stream_id if run_id is None else _sound(run_id),
        kept=text,
    )


def _sound(value: Any) -> str | None:
    return value if isinstance(value, str) and value and "\0" not in value else None


def _required(
    members: Mapping[str, Any], name: str, level: str, kind: Callable[[Any, str], Any]
) -> Any:
    value = members.get(name, _ABSENT)
    if value is _ABSENT:
        raise Unusable(f"{level}_missing_field")
    return kind(value, level)


def _optional(
    members: Mapping[str, Any], name: str, level: str, kind: Callable[[Any, str], Any]
) -> Any:
    value = members.get(name)
    return None if value is None else kind(value, level)


def _members(value: Any, level: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unusable(f"{level}_wrong_type")
    return value


def _list(value: Any, level: str) -> list[Any]:
    if not isinstance(value, list):
        raise Unusable(f"{level}_wrong_type")
    return value


def _text(value: Any, level: str) -> str:
    if not isinstance(value, str):
        raise Unusable(f"{level}_wrong_type")
    if not value or "\0" in value:
        raise Unusable(f"{level}_bad_text")
    return value


def _integer(least: int, most: int) -> Callable[[Any, str], int]:
    def integer(value: Any, level: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unusable(f"{level}_wrong_type")
        if isinstance(value, json_text.TooVast) or not least <= value <= most:
            raise Unusable(f"{level}_out_of_range")
        return value

    return integer


def _double(value: Any, level: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Unusable(f"{level}_wrong_type")
    try:
        number = float("inf") if isinstance(value, json_text.TooVast) else float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")):
        raise Unusable(f"{level}_out_of_range")
    return number


def _capture_ms(value: Any, level: str) -> int:
    text = _text(value, level)
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise Unusable("message_bad_timestamp")
    date, clock, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if offset >= timedelta(days=1) or int(minutes or 0) > 59:
        raise Unusable("message_bad_timestamp")
    zone = timezone(-offset if sign == "-" else offset)
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}").replace(tzinfo=zone)
        moment = moment.astimezone(UTC) + timedelta(microseconds=_microseconds(fraction or ""))
    except (ValueError, OverflowError):
        raise Unusable("message_bad_timestamp") from None
    if moment < _EPOCH:
        raise Unusable("message_bad_timestamp")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _microseconds(fraction: str) -> int:
    """Digits behind the second's point in microseconds, rounded to the nearest."""
    return int(fraction[:6].ljust(6, "0")) + (fraction[6:7] >= "5")
