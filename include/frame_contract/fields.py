"""Reading raw JSON values by the definition: the types and ranges come from the Structs.

There is nothing here to keep equal to `message.py`. A value stays raw JSON text until its own
type is known, so a number that no machine holds spoils only its own field.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, Raw, Struct, inspect

from frame_contract.reasons import Problem, Reason
from frame_contract.timestamps import TimestampError, parse_capture_ts

EXCERPT_CHARACTERS = 60
"""How much of a wrong value a detail quotes."""

UNUSABLE: Final = object()
"""In place of a value that is missing or wrong."""


class Codes(Struct, frozen=True):
    """The reasons of one level: the message's own fields, or those of a detection."""

    missing: Reason
    wrong_type: Reason
    out_of_range: Reason
    bad_text: Reason
    image_data: Reason


OF_MESSAGE = Codes(
    Reason.MESSAGE_MISSING_FIELD,
    Reason.MESSAGE_WRONG_TYPE,
    Reason.MESSAGE_OUT_OF_RANGE,
    Reason.MESSAGE_BAD_TEXT,
    Reason.MESSAGE_IMAGE_DATA,
)
OF_DETECTION = Codes(
    Reason.DETECTION_MISSING_FIELD,
    Reason.DETECTION_WRONG_TYPE,
    Reason.DETECTION_OUT_OF_RANGE,
    Reason.DETECTION_BAD_TEXT,
    Reason.DETECTION_IMAGE_DATA,
)


def read_member(
    field: inspect.Field,
    members: Mapping[str, Raw],
    path: str,
    codes: Codes,
    problems: list[Problem],
) -> Any:
    """The field's value out of `members`; null stands for a missing optional field."""
    path = f"{path}.{field.encode_name}" if path else field.encode_name
    raw = members.get(field.encode_name)
    if raw is None or (not field.required and kind_of(raw) == "null"):
        if field.required:
            problems.append(Problem(codes.missing, path, "missing"))
            return UNUSABLE
        return None if field.default is NODEFAULT else field.default
    return _value(field.type, raw, path, codes, problems)


def _value(
    expected: inspect.Type, raw: Raw, path: str, codes: Codes, problems: list[Problem]
) -> Any:
    if isinstance(expected, inspect.UnionType):  # X | None, and null was dealt with
        expected = next(t for t in expected.types if not isinstance(t, inspect.NoneType))
    if isinstance(expected, inspect.StructType):
        return _struct(expected.cls, raw, path, codes, problems)
    if isinstance(expected, inspect.StrType | inspect.DateTimeType):
        if kind_of(raw) != "a string":
            problems.append(wrong_type(codes, path, "a string", raw))
            return UNUSABLE
        text = _text(raw, path, codes, problems)
        if isinstance(expected, inspect.StrType) or text is UNUSABLE:
            return text
        try:
            return parse_capture_ts(text)
        except TimestampError as error:
            detail = f"{error}; got {excerpt(text)}"
            problems.append(Problem(Reason.MESSAGE_BAD_TIMESTAMP, path, detail))
            return UNUSABLE
    if isinstance(expected, inspect.IntType | inspect.FloatType):
        return _number(expected, raw, path, codes, problems)
    raise TypeError(f"{path}: the walk knows no {expected!r}")


def _struct(cls: type[Struct], raw: Raw, path: str, codes: Codes, problems: list[Problem]) -> Any:
    if kind_of(raw) != "an object":
        problems.append(wrong_type(codes, path, "an object", raw))
        return UNUSABLE
    members = members_of(raw)
    values = {f.name: read_member(f, members, path, codes, problems) for f in fields_of(cls)}
    return UNUSABLE if UNUSABLE in values.values() else cls(**values)


def _text(raw: Raw, path: str, codes: Codes, problems: list[Problem]) -> Any:
    text = msgspec.json.decode(raw, type=str)
    if not text:
        problems.append(Problem(codes.bad_text, path, "empty"))
        return UNUSABLE
    if "\0" in text:
        problems.append(Problem(codes.bad_text, path, f"has a NUL character: {excerpt(text)}"))
        return UNUSABLE
    return text


def _number(
    expected: inspect.IntType | inspect.FloatType,
    raw: Raw,
    path: str,
    codes: Codes,
    problems: list[Problem],
) -> Any:
    is_integer = isinstance(expected, inspect.IntType)
    text = bytes(raw)
    if kind_of(raw) != "a number" or (is_integer and not text.lstrip(b"-").isdigit()):
        problems.append(wrong_type(codes, path, "an integer" if is_integer else "a number", raw))
        return UNUSABLE
    low = -float("inf") if expected.ge is None else expected.ge
    high = float("inf") if expected.le is None else expected.le
    try:
        value: int | float = msgspec.json.decode(raw, type=int if is_integer else float)
    except msgspec.MsgspecError:  # more digits or a greater exponent than can be held
        detail = f"no number of this size can be held: {excerpt(text.decode())}"
        problems.append(Problem(codes.out_of_range, path, detail))
        return UNUSABLE
    if not low <= value <= high:
        detail = f"expected {low} to {high}, got {excerpt(text.decode())}"
        problems.append(Problem(codes.out_of_range, path, detail))
        return UNUSABLE
    return value


def wrong_type(codes: Codes, path: str, expected: str, raw: Raw) -> Problem:
    """The problem of a value that is something else than `expected`."""
    kind = kind_of(raw)
    got = kind if kind in ("null", "an object", "an array") else excerpt(bytes(raw).decode())
    return Problem(codes.wrong_type, path, f"expected {expected}, got {got}")


def kind_of(raw: Raw) -> str:
    """What a sound JSON text is, told by its first byte."""
    match bytes(raw)[:1]:
        case b"{":
            return "an object"
        case b"[":
            return "an array"
        case b'"':
            return "a string"
        case b"t" | b"f":
            return "a boolean"
        case b"n":
            return "null"
        case _:
            return "a number"


def members_of(raw: Raw) -> Mapping[str, Raw]:
    """The members of an object; of members with one name, the last."""
    return msgspec.json.decode(raw, type=dict[str, Raw])


@cache
def fields_of(cls: type[Struct]) -> tuple[inspect.Field, ...]:
    """The Struct's fields with their types, in the order of the definition."""
    info = inspect.type_info(cls)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{cls!r} is no Struct")
    return info.fields


def excerpt(text: str) -> str:
    """The text, or its beginning, as one printable line."""
    short = text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 1] + "…"
    return short if short.isprintable() else repr(short)
