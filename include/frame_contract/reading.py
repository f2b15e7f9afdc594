"""Reading a message: some microseconds for a sound one, an explanation for any other."""

from datetime import UTC

import msgspec
from msgspec.structs import replace

from frame_contract.explaining import explain_by_walking, is_supported_version
from frame_contract.image_data import is_suspected
from frame_contract.image_search import find
from frame_contract.message import MAX_MESSAGE_BYTES, SCHEMA_VERSION, Frame
from frame_contract.reasons import ContractViolation
from frame_contract.report import Report
from frame_contract.timestamps import (
    EPOCH,
    TimestampError,
    in_utc_milliseconds,
)

_DECODER = msgspec.json.Decoder(Frame)


def decode(line: bytes) -> Frame:
    """The frame of a message that keeps the whole contract; raises `ContractViolation`."""
    frame = _decode_sound(line)
    if frame is not None:
        return frame
    report = explain_by_walking(line)
    if report.frame is None or report.problems:
        raise ContractViolation(report.problems)
    return report.frame


def explain(payload: bytes) -> Report:
    """What can be used of `payload` and what is wrong with the rest; raises for no bytes."""
    frame = _decode_sound(payload)
    if frame is None:
        return explain_by_walking(payload)
    return Report(frame=frame)


def _decode_sound(payload: bytes) -> Frame | None:
    """The frame if nothing at all is wrong; None leaves the judgement to the walk."""
    if len(payload) > MAX_MESSAGE_BYTES or b"\\u0000" in payload:
        return None
    try:
        if not payload.isascii():
            payload.decode()  # msgspec does not look into the fields that it skips
        frame = _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None

    version = frame.schema_version
    if version not in (SCHEMA_VERSION, None) and not is_supported_version(version):
        return None

    width, height = frame.image_size.width, frame.image_size.height
    for detection in frame.detections:
        box = detection.bbox
        if not (0 <= box.x1 < box.x2 <= width and 0 <= box.y1 < box.y2 <= height):
            return None
    det_ids = {detection.det_id for detection in frame.detections}
    if len(det_ids) != len(frame.detections):
        return None
    if is_suspected(payload, len(frame.detections)) and find(payload.decode()):
        return None

    moment = frame.capture_ts
    if moment.tzinfo is not UTC or moment.microsecond % 1000 or moment < EPOCH:
        try:
            frame = replace(frame, capture_ts=in_utc_milliseconds(moment))
        except TimestampError:
            return None
    if not frame.run_id:
        frame = replace(frame, run_id=frame.source.stream_id)
    return frame
