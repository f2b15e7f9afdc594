"""The message of the pipeline: one JSON object for each video frame.

`encode` writes (strictly), `decode` reads or raises, `explain` reads and never raises: it says
everything that is wrong and keeps what can be used. docs/message.md is the same in words.
"""

from frame_contract.message import (
    MAX_MESSAGE_BYTES,
    SCHEMA_VERSION,
    BBox,
    Detection,
    Frame,
    ImageSize,
    Model,
    Source,
)
from frame_contract.publishing import (
    FrameIdentity,
    event_time_ms,
    identity,
    known_properties,
    message_key,
    message_properties,
)
from frame_contract.reading import decode, explain
from frame_contract.reasons import ContractViolation, Problem, Reason
from frame_contract.report import Known, RejectedDetection, Report
from frame_contract.timestamps import TimestampError, format_capture_ts, parse_capture_ts
from frame_contract.writing import encode

__all__ = [
    "MAX_MESSAGE_BYTES",
    "SCHEMA_VERSION",
    "BBox",
    "ContractViolation",
    "Detection",
    "Frame",
    "FrameIdentity",
    "ImageSize",
    "Known",
    "Model",
    "Problem",
    "Reason",
    "RejectedDetection",
    "Report",
    "Source",
    "TimestampError",
    "decode",
    "encode",
    "event_time_ms",
    "explain",
    "format_capture_ts",
    "identity",
    "known_properties",
    "message_key",
    "message_properties",
    "parse_capture_ts",
]
