"""What a message's bytes say of whose they are, and the message without one track. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

import msgspec

from frame_contract import TimestampError, parse_capture_ts

_SPACE = re.compile(r"[ \t\r\n]*")
_VALUES = json.JSONDecoder(parse_int=str, parse_float=str)
"""Finds where a value ends; numbers stay text, since the longest make Python refuse."""
_WHOLE = re.compile(r"\s*[+-]?\d{1,4000}\s*", re.ASCII)
_READABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Told:
    """What a message says; None where it does not, or not as a text or time."""

    is_object: bool
    store_id: str | None = None
    camera_id: str | None = None
    run_id: str | None = None
    captured_at: datetime | None = None


def told(payload: bytes) -> Told:
    """Read whose a message is, whether or not it keeps the contract; never raises."""
    try:
        members = _READABLE.decode(payload)
        source = _value(members.get("source"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Told(is_object=False)
    parts = source if isinstance(source, dict) else {}
    return Told(
        is_object=True,
        store_id=_text(parts.get("store_id")),
        camera_id=_text(parts.get("camera_id")),
        run_id=_text(_value(members.get("run_id"))) or _text(parts.get("stream_id")),
        captured_at=moment(_text(_value(members.get("capture_ts")))),
    )


def moment(text: str | None) -> datetime | None:
    """The moment that a capture_ts names, or None if it names none."""
    try:
        return None if text is None else parse_capture_ts(text)
    except TimestampError:
        return None


def without_track(payload: bytes, track_id: int) -> bytes | None:
    """The message without the track's detections, all else byte for byte as it was.

    A detection of which nobody can tell whose it is goes too. None: the message cannot be looked
    into, so nobody can tell what of it is the track's.
    """
    try:
        text = payload.decode()
        if text.lstrip()[:1] != "{":
            return None
        arrays = [span for name, *span in _members(text) if name == "detections"]
        parts, place = [], 0
        # one that a later one of the same name overrides holds detections too
        for start, end in arrays:
            if text[start] == "[":
                parts += [text[place:start], _without(text, start, end, track_id)]
                place = end
            elif text[start:end] != "null":
                return None
        return "".join([*parts, text[place:]]).encode()
    except (ValueError, IndexError, RecursionError):
        return None


def may_be_of_track(detection: str, track_id: int) -> bool:
    """Whether a detection's JSON names the track, or says so little that nobody can tell."""
    try:
        members = json.loads(detection, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return True
    if not isinstance(members, _Pairs):
        return True
    return any(_may_be(value, track_id) for name, value in members if name == "track_id")


def _may_be(value: Any, track_id: int) -> bool:
    if value is None:
        return False
    try:
        return (int if _WHOLE.fullmatch(str(value)) else float)(value) == track_id
    except (TypeError, ValueError):
        return True


class _Pairs(list[tuple[str, Any]]):
    """An object's members, those of one name all of them."""


def _value(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else msgspec.json.decode(raw)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _without(text: str, start: int, end: int, track_id: int) -> str:
    """The text of an array without the track's entries."""
    spans = list(_elements(text, start))
    kept = [
        number
        for number, (first, last) in enumerate(spans)
        if not may_be_of_track(text[first:last], track_id)
    ]
    if len(kept) == len(spans):
        return text[start:end]
    parts: list[str] = []
    for number in kept:
        first, last = spans[number]
        if parts:
            parts.append(text[spans[number - 1][1] : first])
        parts.append(text[first:last])
    return f"[{''.join(parts)}]"


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of the value of each member of an object's text.

    :raises ValueError: it is none.
    """
    place = _past_space(text, _past_space(text, 0) + 1)
    while text[place] != "}":
        if text[place] != '"':
            raise ValueError(f"a name is missing at {place}")
        name, place = scanstring(text, place + 1)
        place = _past_space(text, place)
        if text[place] != ":":
            raise ValueError(f"no value at {place}")
        start = _past_space(text, place + 1)
        end = _VALUES.raw_decode(text, start)[1]
        yield name, start, end
        place = _past_comma(text, end, "}")
    if _past_space(text, place + 1) != len(text):
        raise ValueError(f"more than an object from {place + 1} on")


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    place = _past_space(text, start + 1)
    while text[place] != "]":
        end = _VALUES.raw_decode(text, place)[1]
        yield place, end
        place = _past_comma(text, end, "]")


def _past_comma(text: str, place: int, closing: str) -> int:
    place = _past_space(text, place)
    if text[place] == ",":
        return _past_space(text, place + 1)
    if text[place] != closing:
        raise ValueError(f"neither a comma nor an end at {place}")
    return place


def _past_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return place if match is None else match.end()
