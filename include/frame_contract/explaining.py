"""The slow way of reading: walk the message by its definition and list all that is wrong.

The types and ranges come from the Structs themselves, so that there is nothing here to keep
equal to them. Values stay raw JSON text until their own type is known: a detection's text goes
to the quarantine as it was sent, and a number that no machine holds spoils only its own field.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, Raw, Struct, inspect

from frame_contract.message import (
    MAX_MESSAGE_BYTES,
    SUPPORTED_MAJOR,
    BBox,
    Detection,
    Frame,
    ImageSize,
    Source,
)
from frame_contract.reasons import Problem, Reason
from frame_contract.report import Known, RejectedDetection, Report
from frame_contract.timestamps import TimestampError, format_capture_ts, parse_capture_ts

EXCERPT_CHARACTERS = 60
"""How much of a wrong value a detail quotes."""

_JSON_WHITESPACE = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# a pair, half of one (the group), or any other escape
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F])|.)",
    re.DOTALL,
)
_VERSION = re.compile(rf"{SUPPORTED_MAJOR}(\.\d+)*", re.ASCII)


_UNUSABLE: Final = object()
"""In place of a value that is missing or wrong."""


class _Codes(Struct, frozen=True):
    """The reasons of one level: the message's own fields, or those of a detection."""

    missing: Reason
    wrong_type: Reason
    out_of_range: Reason
    bad_text: Reason


_OF_MESSAGE = _Codes(
    Reason.MESSAGE_MISSING_FIELD,
    Reason.MESSAGE_WRONG_TYPE,
    Reason.MESSAGE_OUT_OF_RANGE,
    Reason.MESSAGE_BAD_TEXT,
)
_OF_DETECTION = _Codes(
    Reason.DETECTION_MISSING_FIELD,
    Reason.DETECTION_WRONG_TYPE,
    Reason.DETECTION_OUT_OF_RANGE,
    Reason.DETECTION_BAD_TEXT,
)


def is_supported_version(version: str) -> bool:
    """Whether a message of this schema version can be read: `1`, `1.0`, `1.7`."""
    return _VERSION.fullmatch(version) is not None


def has_lone_surrogate(payload: bytes) -> bool:
    """Whether sound JSON escapes half a surrogate pair (`\\ud800`), which no UTF-8 can hold."""
    return any(escape[1] for escape in _ESCAPE.finditer(payload))


def explain_by_walking(payload: bytes) -> Report:
    """The report on any bytes whatever; raises nothing."""
    try:
        message = _readable(payload)
        if isinstance(message, Problem):
            return Report(frame=None, problems=(message,))
        return _Walk(message).report()
    except RecursionError:
        problem = Problem(Reason.MESSAGE_NESTED_TOO_DEEPLY, "", "hundreds of levels of nesting")
        return Report(frame=None, problems=(problem,))


def _readable(payload: bytes) -> Mapping[str, Raw] | Problem:
    """The message's members, or why there is no looking at them."""
    if len(payload) > MAX_MESSAGE_BYTES:
        detail = f"{len(payload):,} bytes; the limit is {MAX_MESSAGE_BYTES:,}"
        return Problem(Reason.MESSAGE_TOO_LARGE, "", detail)
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        return Problem(Reason.MESSAGE_NOT_UTF8, "", f"byte {error.start}: {error.reason}")
    if payload.startswith(_BYTE_ORDER_MARK):
        return Problem(Reason.MESSAGE_NOT_JSON, "", "starts with a byte order mark: leave it out")
    if not payload.strip(_JSON_WHITESPACE):
        return Problem(Reason.MESSAGE_NOT_JSON, "", "empty")
    try:
        message = msgspec.json.decode(payload, type=Raw)
        if has_lone_surrogate(payload):
            return Problem(Reason.MESSAGE_NOT_JSON, "", "half of a surrogate pair is no text")
        kind = _kind(message)
        if kind != "an object":
            return Problem(Reason.MESSAGE_NOT_AN_OBJECT, "", f"it is {kind}")
        return _members(message)
    except msgspec.MsgspecError as error:
        detail = str(error).removeprefix("JSON is malformed: ")
        if detail == "Input data was truncated":
            detail = "it ends in the middle"
        return Problem(Reason.MESSAGE_NOT_JSON, "", detail)


class _Walk:
    """One message on its way through the definition; problems are gathered as they are met."""

    def __init__(self, members: Mapping[str, Raw]) -> None:
        self.members = members
        self.problems: list[Problem] = []
        self.rejected: list[RejectedDetection] = []

    def report(self) -> Report:
        """Walk all fields in the order of the definition, then judge."""
        values: dict[str, Any] = {}
        for field in _fields(Frame):
            if field.name == "detections":
                values["detections"] = self._detections(field, values["image_size"])
            else:
                values[field.name] = _member(field, self.members, "", _OF_MESSAGE, self.problems)
        self._check_version(values["schema_version"])

        problems = tuple(self.problems)
        if any(problem.reason.concerns_message for problem in problems):
            known = self._known(values)
            return Report(frame=None, partly_known=known, problems=problems)
        values["run_id"] = values["run_id"] or values["source"].stream_id
        rejected = tuple(self.rejected)
        return Report(frame=Frame(**values), problems=problems, rejected=rejected)

    def _check_version(self, version: Any) -> None:
        if isinstance(version, str) and not is_supported_version(version):
            detail = f"expected {SUPPORTED_MAJOR}.x, got {_excerpt(version)}"
            problem = Problem(Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION, "schema_version", detail)
            # it comes first: what else looks wrong may be right in that version
            self.problems.insert(0, problem)

    def _known(self, values: Mapping[str, Any]) -> Known:
        """Whatever is right by itself, though its neighbours may be wrong."""
        source = self.members.get("source")
        parts = _members(source) if source is not None and _kind(source) == "an object" else {}
        found = {
            field.name: _member(field, parts, "", _OF_MESSAGE, []) for field in _fields(Source)
        }
        for name in ("run_id", "frame_index", "capture_ts", "schema_version"):
            found[name] = values[name]
        known = {name: None if value is _UNUSABLE else value for name, value in found.items()}
        if known["capture_ts"] is not None:
            known["capture_ts"] = format_capture_ts(known["capture_ts"])
        known["run_id"] = known["run_id"] or known["stream_id"]
        return Known(**known)

    def _detections(self, field: inspect.Field, image: Any) -> tuple[Detection, ...]:
        raw = self.members.get(field.encode_name)
        if raw is None:
            self.problems.append(Problem(_OF_MESSAGE.missing, field.name, "missing"))
            return ()
        if _kind(raw) != "an array":
            self.problems.append(_wrong_type(_OF_MESSAGE, field.name, "an array", raw))
            return ()
        usable: list[Detection] = []
        det_ids: set[str] = set()
        for index, entry in enumerate(msgspec.json.decode(raw, type=list[Raw])):
            path = f"{field.name}[{index}]"
            problems: list[Problem] = []
            detection = _detection(entry, path, image, det_ids, problems)
            if problems:
                text = bytes(entry).decode()
                self.rejected.append(RejectedDetection(index, text, tuple(problems)))
                self.problems.extend(problems)
            else:
                usable.append(detection)
                det_ids.add(detection.det_id)
        return tuple(usable)


def _detection(raw: Raw, path: str, image: Any, det_ids: set[str], problems: list[Problem]) -> Any:
    """The detection, or what is wrong with it, appended to `problems`."""
    if _kind(raw) != "an object":
        detail = f"expected an object, got {_kind(raw)}"
        problems.append(Problem(Reason.DETECTION_NOT_AN_OBJECT, path, detail))
        return _UNUSABLE
    members = _members(raw)
    values = {
        field.name: _member(field, members, path, _OF_DETECTION, problems)
        for field in _fields(Detection)
    }
    if isinstance(values["bbox"], BBox):
        _check_box(values["bbox"], image, f"{path}.bbox", problems)
    if values["det_id"] in det_ids:
        detail = f"{_excerpt(values['det_id'])} stands in this frame already"
        problems.append(Problem(Reason.DETECTION_DUPLICATE_DET_ID, f"{path}.det_id", detail))
    return _UNUSABLE if problems else Detection(**values)


def _check_box(box: BBox, image: Any, path: str, problems: list[Problem]) -> None:
    def number(value: float) -> str:
        return f"{value:g}"

    for axis, low, high in (("x", box.x1, box.x2), ("y", box.y1, box.y2)):
        if not low < high:
            detail = f"{axis}1 {number(low)} is not below {axis}2 {number(high)}"
            problems.append(Problem(Reason.DETECTION_BAD_BBOX, path, detail))
    if not isinstance(image, ImageSize):
        return
    sides = (("x", "width", image.width), ("y", "height", image.height))
    for axis, side, length in sides:
        for end in (1, 2):
            value: float = getattr(box, f"{axis}{end}")
            if not 0 <= value <= length:
                detail = f"{number(value)} is outside 0 to {length} ({side})"
                where = f"{path}.{axis}{end}"
                problems.append(Problem(Reason.DETECTION_OUTSIDE_IMAGE, where, detail))


def _member(
    field: inspect.Field,
    members: Mapping[str, Raw],
    path: str,
    codes: _Codes,
    problems: list[Problem],
) -> Any:
    """The field's value out of `members`; null stands for a missing optional field."""
    path = f"{path}.{field.encode_name}" if path else field.encode_name
    raw = members.get(field.encode_name)
    if raw is None or (not field.required and _kind(raw) == "null"):
        if field.required:
            problems.append(Problem(codes.missing, path, "missing"))
            return _UNUSABLE
        return None if field.default is NODEFAULT else field.default
    return _value(field.type, raw, path, codes, problems)


def _value(
    expected: inspect.Type, raw: Raw, path: str, codes: _Codes, problems: list[Problem]
) -> Any:
    if isinstance(expected, inspect.UnionType):  # X | None, and null was dealt with
        expected = next(t for t in expected.types if not isinstance(t, inspect.NoneType))
    if isinstance(expected, inspect.StructType):
        return _struct(expected.cls, raw, path, codes, problems)
    if isinstance(expected, inspect.StrType | inspect.DateTimeType):
        if _kind(raw) != "a string":
            problems.append(_wrong_type(codes, path, "a string", raw))
            return _UNUSABLE
        text = _text(raw, path, codes, problems)
        if isinstance(expected, inspect.StrType) or text is _UNUSABLE:
            return text
        try:
            return parse_capture_ts(text)
        except TimestampError as error:
            detail = f"{error}; got {_excerpt(text)}"
            problems.append(Problem(Reason.MESSAGE_BAD_TIMESTAMP, path, detail))
            return _UNUSABLE
    if isinstance(expected, inspect.IntType | inspect.FloatType):
        return _number(expected, raw, path, codes, problems)
    raise TypeError(f"{path}: the walk knows no {expected!r}")


def _struct(cls: type[Struct], raw: Raw, path: str, codes: _Codes, problems: list[Problem]) -> Any:
    if _kind(raw) != "an object":
        problems.append(_wrong_type(codes, path, "an object", raw))
        return _UNUSABLE
    members = _members(raw)
    values = {f.name: _member(f, members, path, codes, problems) for f in _fields(cls)}
    return _UNUSABLE if _UNUSABLE in values.values() else cls(**values)


def _text(raw: Raw, path: str, codes: _Codes, problems: list[Problem]) -> Any:
    text = msgspec.json.decode(raw, type=str)
    if not text:
        problems.append(Problem(codes.bad_text, path, "empty"))
        return _UNUSABLE
    if "\0" in text:
        problems.append(Problem(codes.bad_text, path, f"has a NUL character: {_excerpt(text)}"))
        return _UNUSABLE
    return text


def _number(
    expected: inspect.IntType | inspect.FloatType,
    raw: Raw,
    path: str,
    codes: _Codes,
    problems: list[Problem],
) -> Any:
    is_integer = isinstance(expected, inspect.IntType)
    text = bytes(raw)
    if _kind(raw) != "a number" or (is_integer and not text.lstrip(b"-").isdigit()):
        problems.append(_wrong_type(codes, path, "an integer" if is_integer else "a number", raw))
        return _UNUSABLE
    low = -float("inf") if expected.ge is None else expected.ge
    high = float("inf") if expected.le is None else expected.le
    try:
        value: int | float = msgspec.json.decode(raw, type=int if is_integer else float)
    except msgspec.MsgspecError:  # more digits or a greater exponent than can be held
        detail = f"no number of this size can be held: {_excerpt(text.decode())}"
        problems.append(Problem(codes.out_of_range, path, detail))
        return _UNUSABLE
    if not low <= value <= high:
        detail = f"expected {low} to {high}, got {_excerpt(text.decode())}"
        problems.append(Problem(codes.out_of_range, path, detail))
        return _UNUSABLE
    return value


def _wrong_type(codes: _Codes, path: str, expected: str, raw: Raw) -> Problem:
    kind = _kind(raw)
    got = kind if kind in ("null", "an object", "an array") else _excerpt(bytes(raw).decode())
    return Problem(codes.wrong_type, path, f"expected {expected}, got {got}")


def _kind(raw: Raw) -> str:
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


def _members(raw: Raw) -> Mapping[str, Raw]:
    """The members of an object; of members with one name, the last."""
    return msgspec.json.decode(raw, type=dict[str, Raw])


@cache
def _fields(cls: type[Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(cls)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{cls!r} is no Struct")
    return info.fields


def _excerpt(text: str) -> str:
    """The text, or its beginning, as one printable line."""
    short = text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 1] + "…"
    return short if short.isprintable() else repr(short)
