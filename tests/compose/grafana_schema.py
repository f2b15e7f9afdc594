"""Judges JSON by the classes that Grafana generates from its own schema (grafana-foundation-sdk).

Reading into those classes is lenient: what they do not know is dropped, and no type is looked at.
So what was read is compared with what was given, and each value with the type of its field.
"""

from __future__ import annotations

import enum
import json
import types
import typing
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins

register_default_plugins()


def problems(given: dict[str, Any], kind: Any) -> list[str]:
    """What of an object Grafana's class `kind` does not know or has with another type."""
    read = kind.from_json(given)
    written = json.loads(JSONEncoder().encode(read))
    return [*_lost(given, written, ""), *_mistyped(read, kind, "")]


def _lost(given: Any, written: Any, path: str) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(written, dict):
        for key, value in given.items():
            if key not in written:
                # null says what leaving it out says
                yield from [] if value is None else [f"{path}/{key} is unknown"]
            else:
                yield from _lost(value, written[key], f"{path}/{key}")
    elif isinstance(given, list) and isinstance(written, list) and len(given) == len(written):
        for number, (one, other) in enumerate(zip(given, written, strict=True)):
            yield from _lost(one, other, f"{path}/{number}")
    elif given != written:
        yield f"{path} is read as {written!r}, not {given!r}"


def _mistyped(value: Any, kind: Any, path: str) -> list[str]:
    if kind is Any:
        return []
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        found = [_mistyped(value, each, path) for each in inner]
        return [] if [] in found else max(found, key=len)
    if origin is typing.Literal:
        return [] if value in inner else [f"{path} is {value!r}, not one of {inner}"]
    if origin in (list, dict) and isinstance(value, origin):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [each for key, item in items for each in _mistyped(item, inner[-1], f"{path}/{key}")]
    if not isinstance(kind, type):
        return [f"{path} is {value!r}, not {kind}"]
    if issubclass(kind, enum.Enum):
        known = [each.value for each in kind]
        return [] if value in known else [f"{path} is {value!r}, not one of {known}"]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return []
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        return [f"{path} is {value!r}, not {kind.__name__}"]
    fields = typing.get_type_hints(type(value)) if hasattr(value, "to_json") else {}
    return [
        each
        for name, hint in fields.items()
        for each in _mistyped(getattr(value, name), hint, f"{path}/{name}")
    ]
