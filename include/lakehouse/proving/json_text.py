"""JSON by RFC 8259 to the letter, out of the standard library's more lenient reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn

LONGEST_INTEGER = 4000
"""Digits that Python turns into a number without complaint; a double holds 309."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")
_HIGH, _LOW = range(0xD800, 0xDC00), range(0xDC00, 0xE000)


class TooVast(int):
    """An integer of more digits than any field can hold; its own value means nothing."""


def read(text: str) -> Any:
    """The value that the text stands for; of members with one name, the last.

    :raises ValueError: it is no JSON, or holds half of a surrogate pair.
    :raises RecursionError: too many arrays and objects stand in one another.
    """
    value = json.loads(text, parse_int=_integer, parse_constant=_refuse)
    if "\\u" in text:
        _refuse_half_pairs(text)
    return value


def entries(text: str, name: str) -> list[str]:
    """The texts of the array's entries that is the object's member `name`, as they stand there."""
    found = [(start, end) for each, start, end in _members(text) if each == name]
    start, end = found[-1]
    return list(_elements(text[start:end]))


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of the value of each member of a sound object's text."""
    place = _past_space(text, 0) + 1
    while text[place := _past_space(text, place)] != "}":
        name, place = scanstring(text, place + 1)
        start = _past_space(text, _past_space(text, place) + 1)
        end = _value_end(text, start)
        yield name, start, end
        place = _past_space(text, end)
        place += text[place] == ","


def _elements(text: str) -> Iterator[str]:
    """Yield the text of each element of a sound array's text."""
    place = 1
    while text[place := _past_space(text, place)] != "]":
        end = _value_end(text, place)
        yield text[place:end]
        place = _past_space(text, end)
        place += text[place] == ","


_DECODER = json.JSONDecoder(parse_int=lambda _: TooVast())


def _value_end(text: str, start: int) -> int:
    return _DECODER.raw_decode(text, start)[1]


def _past_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return place if match is None else match.end()


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_INTEGER else TooVast()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _refuse_half_pairs(text: str) -> None:
    """Refuse `\\ud800` without its other half right behind it, in any text or name."""
    high_ends_at = -1
    for escape in _ESCAPE.finditer(text):
        code = -1 if escape[1] is None else int(escape[1], 16)
        if high_ends_at >= 0 and (code not in _LOW or escape.start() != high_ends_at):
            break
        if high_ends_at < 0 and code in _LOW:
            break
        high_ends_at = escape.end() if code in _HIGH else -1
    else:
        if high_ends_at < 0:
            return
    raise ValueError("half of a surrogate pair")
