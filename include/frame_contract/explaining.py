"""The slow way of reading: walk the message field by field and list all that is wrong.

A detection stays raw JSON text until it is looked at, so that it goes to the quarantine as it
was sent. Image data is taken out before anything else is looked at, so that no detail quotes it.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, inspect

from frame_contract.fields import (
    OF_DETECTION,
    OF_MESSAGE,
    UNUSABLE,
    excerpt,
    fields_of,
    kind_of,
    members_of,
    read_member,
    wrong_type,
)
from frame_contract.image_search import find, without
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
from frame_contract.timestamps import format_capture_ts

KEPT_CHARACTERS = 1024
"""How much the quarantine keeps of a payload that is no JSON object."""
_JSON_WHITESPACE = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# a pair of surrogates, half of one (the group), or any other escape
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F])|.)",
    re.DOTALL,
)
_VERSION = re.compile(rf"{SUPPORTED_MAJOR}(\.\d+)*", re.ASCII)


def is_supported_version(version: str) -> bool:
    """Whether a message of this schema version can be read: `1`, `1.0`, `1.7`."""
    return _VERSION.fullmatch(version) is not None


def explain_by_walking(payload: bytes) -> Report:
    """The report on any bytes whatever; raises nothing."""
    try:
        message = _readable(payload)
        if not isinstance(message, Problem):
            return _walked(message, payload.decode())
    except RecursionError:
        message = Problem(Reason.MESSAGE_NESTED_TOO_DEEPLY, "", "hundreds of levels of nesting")
    return Report(frame=None, problems=(message,), kept=_beginning(payload))


def _beginning(payload: bytes) -> str:
    """What is kept of what nobody can look into: too little to be a picture of anybody."""
    # no character takes more than four bytes
    text = payload[: 4 * (KEPT_CHARACTERS + 1)].decode("utf-8", "backslashreplace")
    if len(text) <= KEPT_CHARACTERS:
        return text
    return f"{text[:KEPT_CHARACTERS]}… <{len(payload)} bytes>"


def _walked(members: Mapping[str, Raw], text: str) -> Report:
    """The report on a JSON object."""
    found = find(text)
    if not found:
        return _Walk(members, text, {}).report()
    text = without(text, found)
    images: dict[int | None, list[Problem]] = {}
    for each in found:
        code = OF_MESSAGE if each.entry is None else OF_DETECTION
        problem = Problem(code.image_data, each.path, each.detail)
        images.setdefault(each.entry, []).append(problem)
    message = msgspec.json.decode(text, type=Raw)
    if kind_of(message) != "an object":  # the whole of it was image data
        return Report(frame=None, problems=tuple(images[None]), kept=text)
    return _Walk(members_of(message), text, images).report()


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
        kind = kind_of(message)
        if kind != "an object":
            return Problem(Reason.MESSAGE_NOT_AN_OBJECT, "", f"it is {kind}")
        return members_of(message)
    except msgspec.MsgspecError as error:
        detail = str(error).removeprefix("JSON is malformed: ")
        if any(escape[1] for escape in _ESCAPE.finditer(payload)):
            detail = "half of a surrogate pair is no text"
        elif detail == "Input data was truncated":
            detail = "it ends in the middle"
        return Problem(Reason.MESSAGE_NOT_JSON, "", detail)


class _Walk:
    """One message on its way through the definition; problems are gathered as they are met.

    `images` has the problems of the image data that was taken out, by detection; None: outside.
    """

    def __init__(
        self, members: Mapping[str, Raw], text: str, images: Mapping[int | None, list[Problem]]
    ) -> None:
        self.members = members
        self.text = text
        self.images = images
        self.problems: list[Problem] = []
        self.rejected: list[RejectedDetection] = []

    def report(self) -> Report:
        """Walk all fields in the order of the definition, then judge."""
        values: dict[str, Any] = {}
        for field in fields_of(Frame):
            if field.name == "detections":
                values["detections"] = self._detections(field, values["image_size"])
            else:
                values[field.name] = read_member(field, self.members, "", OF_MESSAGE, self.problems)
        self._check_version(values["schema_version"])

        problems = (*self.images.get(None, ()), *self.problems)
        if any(problem.reason.concerns_message for problem in problems):
            known = self._known(values)
            return Report(frame=None, partly_known=known, problems=problems, kept=self.text)
        values["run_id"] = values["run_id"] or values["source"].stream_id
        rejected = tuple(self.rejected)
        return Report(frame=Frame(**values), problems=problems, rejected=rejected)

    def _check_version(self, version: Any) -> None:
        if isinstance(version, str) and not is_supported_version(version):
            detail = f"expected {SUPPORTED_MAJOR}.x, got {excerpt(version)}"
            problem = Problem(Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION, "schema_version", detail)
            # it comes first: what else looks wrong may be right in that version
            self.problems.insert(0, problem)

    def _known(self, values: Mapping[str, Any]) -> Known:
        """Whatever is right by itself, though its neighbours may be wrong."""
        source = self.members.get("source")
        parts = members_of(source) if source is not None and kind_of(source) == "an object" else {}
        found = {
            field.name: read_member(field, parts, "", OF_MESSAGE, []) for field in fields_of(Source)
        }
        for name in ("run_id", "frame_index", "capture_ts", "schema_version"):
            found[name] = values[name]
        known = {name: None if value is UNUSABLE else value for name, value in found.items()}
        if known["capture_ts"] is not None:
            known["capture_ts"] = format_capture_ts(known["capture_ts"])
        if known["run_id"] == "":
            known["run_id"] = known["stream_id"]
        return Known(**known)

    def _detections(self, field: inspect.Field, image: Any) -> tuple[Detection, ...]:
        raw = self.members.get(field.encode_name)
        if raw is None:
            self.problems.append(Problem(OF_MESSAGE.missing, field.name, "missing"))
            return ()
        if kind_of(raw) != "an array":
            self.problems.append(wrong_type(OF_MESSAGE, field.name, "an array", raw))
            return ()
        usable: list[Detection] = []
        det_ids: set[str] = set()
        for index, entry in enumerate(msgspec.json.decode(raw, type=list[Raw])):
            path = f"{field.name}[{index}]"
            problems = [*self.images.get(index, ())]
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
    if kind_of(raw) != "an object":
        detail = f"expected an object, got {kind_of(raw)}"
        problems.append(Problem(Reason.DETECTION_NOT_AN_OBJECT, path, detail))
        return UNUSABLE
    members = members_of(raw)
    values = {
        field.name: read_member(field, members, path, OF_DETECTION, problems)
        for field in fields_of(Detection)
    }
    if isinstance(values["bbox"], BBox):
        _check_box(values["bbox"], image, f"{path}.bbox", problems)
    if values["det_id"] in det_ids:
        detail = f"{excerpt(values['det_id'])} stands in this frame already"
        problems.append(Problem(Reason.DETECTION_DUPLICATE_DET_ID, f"{path}.det_id", detail))
    return UNUSABLE if problems else Detection(**values)


def _check_box(box: BBox, image: Any, path: str, problems: list[Problem]) -> None:
    for axis, low, high in (("x", box.x1, box.x2), ("y", box.y1, box.y2)):
        if not low < high:
            detail = f"{axis}1 {low} is not below {axis}2 {high}"
            problems.append(Problem(Reason.DETECTION_BAD_BBOX, path, detail))
    if not isinstance(image, ImageSize):
        return
    sides = (("x", "width", image.width), ("y", "height", image.height))
    for axis, side, length in sides:
        for end in (1, 2):
            value: float = getattr(box, f"{axis}{end}")
            if not 0 <= value <= length:
                detail = f"{value} is outside 0 to {length} ({side})"
                where = f"{path}.{axis}{end}"
                problems.append(Problem(Reason.DETECTION_OUTSIDE_IMAGE, where, detail))
