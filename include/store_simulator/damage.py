"""What is done to single messages: each function says for which reason the contract refuses it."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from frame_contract import MAX_MESSAGE_BYTES, Reason

Members = dict[str, Any]

REQUIRED = ("source", "frame_index", "capture_ts", "image_size", "detections")
OVER_BYTES = 1024
"""An oversize payload is past the limit by up to so much; a broker still takes it."""
PICTURE_SHAPE = (24, 32)
"""Rows and columns of a picture: a thumbnail of one byte a pixel."""
TEXT_BEYOND_ASCII = "Café"


def without_generation(payload: bytes) -> bytes:
    """The same frame as a camera of the first generation sends it."""
    members = _members(payload)
    for name in ("schema_version", "run_id", "model"):
        del members[name]
    return _json(members)


def oversize(payload: bytes, random: np.random.Generator) -> tuple[bytes, Reason, str]:
    """More bytes than `MAX_MESSAGE_BYTES`, in a field that nobody reads."""
    length = MAX_MESSAGE_BYTES + int(random.integers(1, OVER_BYTES))
    return _padded(payload, length), Reason.MESSAGE_TOO_LARGE, f"{length} bytes"


def other_encoding(payload: bytes, random: np.random.Generator) -> tuple[bytes, Reason, str]:
    """The text in an encoding that is not UTF-8 without a mark."""
    text = _json({**_members(payload), "place": TEXT_BEYOND_ASCII}).decode()
    encoding, reason = (
        ("utf-16", Reason.MESSAGE_NOT_UTF8),
        ("latin-1", Reason.MESSAGE_NOT_UTF8),
        ("utf-8-sig", Reason.MESSAGE_NOT_JSON),
    )[int(random.integers(3))]
    return text.encode(encoding), reason, encoding


def picture(payload: bytes, random: np.random.Generator) -> tuple[bytes, Reason, str]:
    """A picture in a field that nobody asked for, in one of the `PICTURES`, evenly."""
    name = list(PICTURES)[int(random.integers(len(PICTURES)))]
    seen = random.integers(256, size=PICTURE_SHAPE, dtype=np.uint8)
    members = _members(payload) | {"frame": PICTURES[name](seen)}
    return _json(members), Reason.MESSAGE_IMAGE_DATA, name


def malformed(payload: bytes, random: np.random.Generator) -> tuple[bytes, Reason, str]:
    """One of the `MALFORMATIONS`, evenly."""
    name = list(MALFORMATIONS)[int(random.integers(len(MALFORMATIONS)))]
    damaged, reason = MALFORMATIONS[name](payload, random)
    return damaged, reason, name


def partial(payload: bytes, random: np.random.Generator) -> tuple[bytes, int, str]:
    """One detection that cannot be used; how many more detections there are now, and its reason.

    A frame that shows nobody gets a detection that is none.
    """
    members = _members(payload)
    detections = members["detections"]
    if not detections:
        detections.append(None)
        return _json(members), 1, Reason.DETECTION_NOT_AN_OBJECT
    place = int(random.integers(len(detections)))
    reasons = [*REJECTIONS, Reason.DETECTION_NOT_AN_OBJECT, Reason.DETECTION_DUPLICATE_DET_ID]
    reason = reasons[int(random.integers(len(reasons)))]
    if reason is Reason.DETECTION_DUPLICATE_DET_ID:
        detections.append(detections[place])
        return _json(members), 1, reason
    if reason is Reason.DETECTION_NOT_AN_OBJECT:
        detections[place] = "person"
    else:
        REJECTIONS[reason](detections[place], members["image_size"])
    return _json(members), 0, reason


def _cut_off(payload: bytes, random: np.random.Generator) -> tuple[bytes, Reason]:
    return payload[: int(random.integers(1, len(payload)))], Reason.MESSAGE_NOT_JSON


def _trailing_comma(payload: bytes, _: np.random.Generator) -> tuple[bytes, Reason]:
    return payload[:-1] + b",}", Reason.MESSAGE_NOT_JSON


def _not_an_object(payload: bytes, _: np.random.Generator) -> tuple[bytes, Reason]:
    return b"[" + payload + b"]", Reason.MESSAGE_NOT_AN_OBJECT


def _missing_field(payload: bytes, random: np.random.Generator) -> tuple[bytes, Reason]:
    members = _members(payload)
    del members[REQUIRED[int(random.integers(len(REQUIRED)))]]
    return _json(members), Reason.MESSAGE_MISSING_FIELD


def _with(reason: Reason, **changed: object) -> Callable[..., tuple[bytes, Reason]]:
    def change(payload: bytes, _: np.random.Generator) -> tuple[bytes, Reason]:
        return _json(_members(payload) | changed), reason

    return change


def _no_offset(payload: bytes, _: np.random.Generator) -> tuple[bytes, Reason]:
    members = _members(payload)
    members["capture_ts"] = members["capture_ts"].removesuffix("Z")
    return _json(members), Reason.MESSAGE_BAD_TIMESTAMP


def _no_store(payload: bytes, _: np.random.Generator) -> tuple[bytes, Reason]:
    members = _members(payload)
    members["source"]["store_id"] = ""
    return _json(members), Reason.MESSAGE_BAD_TEXT


MALFORMATIONS: dict[str, Callable[[bytes, np.random.Generator], tuple[bytes, Reason]]] = {
    "cut off": _cut_off,
    "trailing comma": _trailing_comma,
    "in an array": _not_an_object,
    "field missing": _missing_field,
    "frame_index is text": _with(Reason.MESSAGE_WRONG_TYPE, frame_index="7"),
    "frame_index is negative": _with(Reason.MESSAGE_OUT_OF_RANGE, frame_index=-1),
    "store_id is empty": _no_store,
    "capture_ts has no offset": _no_offset,
    "another major version": _with(Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION, schema_version="2.0"),
}
"""Name and what is done to the payload."""


PICTURES: dict[str, Callable[[npt.NDArray[np.uint8]], object]] = {
    "data URI": lambda seen: f"data:image/bmp;base64,{b64encode(seen.tobytes()).decode()}",
    "base64": lambda seen: b64encode(b"\xff\xd8\xff\xe0" + seen.tobytes()).decode(),
    "bytes as text": lambda seen: repr(seen.tobytes()),
    "pixels": lambda seen: seen.tolist(),
}
"""Name and how a sender writes a picture of so many rows and columns into JSON."""


def _no_confidence(detection: Members, _: Members) -> None:
    del detection["conf"]


def _mirrored(detection: Members, _: Members) -> None:
    box = detection["bbox"]
    box["x1"], box["x2"] = box["x2"], box["x1"]


def _outside(detection: Members, size: Members) -> None:
    detection["bbox"]["x2"] = size["width"] + 1


REJECTIONS: dict[Reason, Callable[[Members, Members], None]] = {
    Reason.DETECTION_MISSING_FIELD: _no_confidence,
    Reason.DETECTION_WRONG_TYPE: lambda detection, _: detection.update(track_id="7"),
    Reason.DETECTION_OUT_OF_RANGE: lambda detection, _: detection.update(conf=1.5),
    Reason.DETECTION_BAD_TEXT: lambda detection, _: detection.update({"class": ""}),
    Reason.DETECTION_BAD_BBOX: _mirrored,
    Reason.DETECTION_OUTSIDE_IMAGE: _outside,
}
"""Reason and what is done to a detection, given the size of the image."""


def _padded(payload: bytes, length: int) -> bytes:
    head, tail = payload[:-1] + b',"padding":"', b'"}'
    return head + b"x" * (length - len(head) - len(tail)) + tail


def _members(payload: bytes) -> Members:
    members: Members = msgspec.json.decode(payload)
    return members


def _json(members: Members) -> bytes:
    return msgspec.json.encode(members)
