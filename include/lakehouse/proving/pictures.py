"""Image data in a message, and the message's text without it: docs/message.md, *Image data*.

Written from the words alone, as `reading` is. The text is cut into values and names first; what
they hold is judged afterwards.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import NamedTuple

MOST_NUMBERS = 511
LONGEST_RUN = 1024
LEAST_SIGNED = 64
MOST_UNWRITTEN = 63
KEPT_CHARACTERS = 1024
"""Of a payload that is no JSON object."""
SIGNATURES = (
    "FF D8 FF",
    "89 50 4E 47 0D 0A 1A 0A",
    "47 49 46 38 37 61",
    "47 49 46 38 39 61",
    "52 49 46 46 ?? ?? ?? ?? 57 45 42 50",
    "52 49 46 46 ?? ?? ?? ?? 41 56 49 20",
    "42 4D ?? ?? ?? ?? 00 00 00 00",
    "49 49 2A 00",
    "4D 4D 00 2A",
    "00 00 ?? ?? 66 74 79 70",
    "1A 45 DF A3",
)
"""How files of pictures and films begin, in hex; `??` is any byte."""
_DATA_URI = re.compile("data:(image|video)/", re.IGNORECASE | re.ASCII)
_LINE_BREAK = re.compile("[\r\n]")
_BETWEEN_RUNS = re.compile(r"[^A-Za-z0-9+/\-_]+")
_UNWRITTEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd]" r"|\\x[0-9a-fA-F][0-9a-fA-F]"
)
_SCALAR = re.compile(r"[^\s,\]}]+")
_HIDDEN = re.compile(r"\\u00[0-7]")
"""An escape in which a character of `data:image/` may hide."""
_LONG_STRETCH = re.compile(f'"[^"]{{{LEAST_SIGNED}}}')


class Picture(NamedTuple):
    """Image data at `text[start:end]`; `place` is that of the detection that has it, or None."""

    start: int
    end: int
    place: int | None
    placeholder: str


def taken_out(text: str) -> tuple[str, tuple[Picture, ...]]:
    """A sound JSON object's text with placeholders for image data, and what they stand for."""
    if not _is_suspected(text):
        return text, ()
    pictures = tuple(_pictures(text))
    kept, behind = "", 0
    for picture in pictures:
        kept += text[behind : picture.start] + f'"{picture.placeholder}"'
        behind = picture.end
    return kept + text[behind:], pictures


def beginning(payload: bytes) -> str:
    """What the quarantine keeps of bytes that are no JSON object."""
    text = payload.decode("utf-8", "backslashreplace")
    rest = f"… <{len(payload)} bytes>" if len(text) > KEPT_CHARACTERS else ""
    return text[:KEPT_CHARACTERS] + rest


def is_picture(text: str) -> bool:
    """Whether a text is image data by itself."""
    if _DATA_URI.match(text):
        return True
    runs = _BETWEEN_RUNS.split(_LINE_BREAK.sub("", text))
    if any(
        len(run) > LONGEST_RUN or (len(run) >= LEAST_SIGNED and _is_signed(run)) for run in runs
    ):
        return True
    return len(_UNWRITTEN.findall(text)) > MOST_UNWRITTEN


def _is_signed(run: str) -> bool:
    beginnings = [base64.urlsafe_b64decode(run[:16].replace("+", "-").replace("/", "_")).hex()]
    if all(character in "0123456789abcdef" for character in run[:24].lower()):
        beginnings.append(run[:24].lower())
    return any(_begins(each, signature) for each in beginnings for signature in SIGNATURES)


def _begins(of_file: str, signature: str) -> bool:
    digits = signature.lower().replace(" ", "")
    return all(wanted in ("?", digit) for wanted, digit in zip(digits, of_file, strict=False))


def _is_suspected(text: str) -> bool:
    """False for nearly every message; true wherever there is image data, and elsewhere too."""
    if text.count(",") >= MOST_NUMBERS or '"data:' in text.lower():
        return True
    if "\\" not in text:
        return _LONG_STRETCH.search(text) is not None
    # of the same length, so that a quote is where a string begins or ends
    unescaped = text.replace(r"\\", "__").replace(r"\"", "__")
    return bool(_LONG_STRETCH.search(unescaped) or _HIDDEN.search(unescaped))


@dataclass(slots=True, eq=False)
class _Part:
    """A value of the message, or the name of a member."""

    kind: str
    """Its first character; of a name, a colon."""
    start: int
    within: _Part | None
    place: int
    """Which part of its array or object it is, from 0."""
    end: int = 0
    string: str = ""
    parts: int = 0
    numbers: int = 0


def _pictures(text: str) -> Iterator[Picture]:
    parts = _parts(text)
    for part in reversed(parts):
        if part.within is not None and part.kind == part.within.kind == "[":
            part.within.numbers += part.numbers
    detections = _detections(parts)
    behind = 0
    for part in parts:
        if part.start < behind:
            continue
        if part.kind in ("[", "{") and part.numbers > MOST_NUMBERS:
            what = f"{part.numbers} numbers"
        elif part.kind in ('"', ":") and is_picture(part.string):
            what = f"{len(part.string)} characters"
        else:
            continue
        yield Picture(part.start, part.end, _place(part, detections), f"<image data: {what}>")
        behind = part.end


def _parts(text: str) -> list[_Part]:
    """All names and values but numbers and words, in the order of the text.

    Without recursion, for what is nested deep.
    """
    parts: list[_Part] = []
    within: _Part | None = None
    at = 0
    while at < len(text):
        first = text[at]
        if first in " \t\r\n,":
            at += 1
        elif first == ":":
            parts[-1].kind = ":"
            at += 1
        elif within is not None and first in "]}":
            at = within.end = at + 1
            within = within.within
        else:
            place = 0
            if within is not None:
                place = within.parts
                within.parts += 1
                within.numbers += first in "-0123456789tf"
            if first in '"[{':
                parts.append(part := _Part(first, at, within, place))
                at += 1
                if first == '"':
                    part.string, at = scanstring(text, at)
                    part.end = at
                else:
                    within = part
            elif (scalar := _SCALAR.match(text, at)) is not None:
                at = scalar.end()
    return parts


def _detections(parts: list[_Part]) -> _Part | None:
    """The array `detections` of the message: of members with this name, the last."""
    found = None
    for name, value in zip(parts, [*parts[1:], None], strict=True):
        if name.kind == ":" and name.string == "detections" and name.within is parts[0]:
            found = value  # or the next name, behind a number
    return found if found is not None and found.kind == "[" else None


def _place(part: _Part, detections: _Part | None) -> int | None:
    if detections is None:
        return None
    while part.within is not None and part.within is not detections:
        part = part.within
    return None if part.within is None else part.place
