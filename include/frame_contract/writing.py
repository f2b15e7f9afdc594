"""Writing a message: all of the contract, the same bytes for the same frame."""

from datetime import datetime
from math import isfinite

import msgspec
from msgspec import Struct, structs

from frame_contract.message import Detection, Frame, ImageSize, Model, Source
from frame_contract.reading import decode
from frame_contract.reasons import ContractViolation, Problem, Reason
from frame_contract.timestamps import TimestampError, format_capture_ts

REQUIRED_ON_WRITING = ("schema_version", "run_id", "model")
"""What a message of the first generation may lack, and what we write never does."""


class _Wire(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`Frame` with its time as text; a test holds the fields of the two equal.

    Only what few frames have, and what is then left out, has a default here.
    """

    schema_version: str | None
    run_id: str
    source: Source
    frame_index: int
    capture_ts: str
    image_size: ImageSize
    detections: tuple[Detection, ...]
    model: Model | None
    dropped_frames: int | None = None


_ENCODER = msgspec.json.Encoder()


def encode(frame: Frame) -> bytes:
    """The frame as one JSON object without a newline, in the order of the definition.

    The capture time is written in UTC milliseconds, numbers as they are given: 100 as 100, 100.0
    as 100.0. Raises `ContractViolation` with all that is
    wrong: the bytes are read back before they are handed out.
    """
    problems = [
        Problem(Reason.MESSAGE_MISSING_FIELD, name, "missing")
        for name in REQUIRED_ON_WRITING
        if not getattr(frame, name)
    ]
    try:
        capture_ts = format_capture_ts(_moment(frame.capture_ts))
    except TimestampError as error:
        problems.append(Problem(Reason.MESSAGE_BAD_TIMESTAMP, "capture_ts", str(error)))
    if problems:
        raise ContractViolation(tuple(problems))
    try:
        line = _ENCODER.encode(
            _Wire(
                schema_version=frame.schema_version,
                run_id=frame.run_id,
                source=frame.source,
                frame_index=frame.frame_index,
                capture_ts=capture_ts,
                image_size=frame.image_size,
                detections=frame.detections,
                model=frame.model,
                dropped_frames=frame.dropped_frames,
            )
        )
    except UnicodeEncodeError as error:
        raise ContractViolation((Problem(Reason.MESSAGE_BAD_TEXT, "", str(error)),)) from None
    except (TypeError, OverflowError) as error:
        raise ContractViolation((Problem(Reason.MESSAGE_WRONG_TYPE, "", str(error)),)) from None
    try:
        decode(line)
    except ContractViolation as error:
        problems = _not_finite(frame)
        named = {problem.path for problem in problems}
        problems += [problem for problem in error.problems if problem.path not in named]
        raise ContractViolation(tuple(problems)) from None
    return line


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TimestampError(f"expected a datetime, got {value!r}")
    return value


def _not_finite(frame: Frame) -> list[Problem]:
    """The numbers that JSON cannot hold; msgspec would write null."""
    found: list[Problem] = []
    for index, detection in enumerate(frame.detections):
        numbers = {"conf": detection.conf}
        numbers |= {f"bbox.{name}": value for name, value in structs.asdict(detection.bbox).items()}
        for name, value in numbers.items():
            if isinstance(value, float) and not isfinite(value):
                path = f"detections[{index}].{name}"
                found.append(Problem(Reason.DETECTION_OUT_OF_RANGE, path, f"it is {value}"))
    return found
