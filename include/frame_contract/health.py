"""The health event: what is told when a camera falls silent, comes back or is given up.

It is no frame and never travels with frames: a topic and a file of its own (docs/message.md).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from frame_contract.message import SUPPORTED_MAJOR, AwareTime, Text
from frame_contract.timestamps import TimestampError, format_capture_ts, in_utc_milliseconds

HEALTH_SCHEMA_VERSION = "1.0"

Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class HealthViolation(ValueError):
    """The bytes are no health event; the text says why."""


class HealthEvent(StrEnum):
    """What happened."""

    SILENT = "camera_silent"
    """No frame for `silent_seconds`; it is still waited for."""
    RETURNED = "camera_returned"
    """Frames again, after `silent_seconds` without."""
    STOPPED = "camera_stopped"
    """Nobody watches the camera any more, though it was to be watched: `detail` says why."""


class CameraHealth(Struct, frozen=True, kw_only=True):
    """One thing that happened to one camera's run, with the run's counts until then.

    `at` is when it was noticed, by the clock of the machine that watches; `last_capture_ts` the
    last frame's own time, None before the first frame. Both aware, in whole milliseconds of UTC.
    """

    schema_version: Text = HEALTH_SCHEMA_VERSION
    event: HealthEvent
    store_id: Text
    camera_id: Text
    run_id: Text
    at: AwareTime
    last_capture_ts: AwareTime | None = None
    silent_seconds: Seconds = 0.0
    frames: Count = 0
    """Frames written in this run."""
    dropped_frames: Count = 0
    """Frames that came faster than they could be looked at."""
    reconnections: Count = 0
    detail: str = ""
    """One line for people."""


class _Wire(Struct, frozen=True, kw_only=True):
    """`CameraHealth` with its times as text; a test holds the fields of the two equal."""

    schema_version: str
    event: str
    store_id: str
    camera_id: str
    run_id: str
    at: str
    last_capture_ts: str | None
    silent_seconds: float
    frames: int
    dropped_frames: int
    reconnections: int
    detail: str


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(CameraHealth)


def encode_health(health: CameraHealth) -> bytes:
    """The event as one JSON object without a newline; raises `HealthViolation`."""
    try:
        last = health.last_capture_ts
        line = _ENCODER.encode(
            _Wire(
                **{
                    name: getattr(health, name)
                    for name in health.__struct_fields__
                    if name not in ("at", "last_capture_ts")
                },
                at=format_capture_ts(health.at),
                last_capture_ts=None if last is None else format_capture_ts(last),
            )
        )
    except (TimestampError, TypeError, UnicodeEncodeError, OverflowError) as error:
        raise HealthViolation(str(error)) from None
    decode_health(line)
    return line


def decode_health(payload: bytes) -> CameraHealth:
    """The event, its times in UTC and whole milliseconds; raises `HealthViolation`.

    Unknown fields are ignored; any minor version of the major one that is written is read.
    """
    try:
        health = _DECODER.decode(payload)
        if health.schema_version.partition(".")[0] != SUPPORTED_MAJOR:
            raise HealthViolation(f"schema_version {health.schema_version!r} is not read here")
        return msgspec.structs.replace(
            health,
            at=in_utc_milliseconds(health.at),
            last_capture_ts=_in_utc(health.last_capture_ts),
        )
    except (msgspec.MsgspecError, TimestampError, UnicodeDecodeError, RecursionError) as error:
        raise HealthViolation(str(error)) from None


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else in_utc_milliseconds(moment)


def health_properties(health: CameraHealth) -> dict[str, str]:
    """What travels beside the event in Pulsar, so that readers can choose without parsing."""
    return {
        "schema_version": health.schema_version,
        "event": str(health.event),
        "store_id": health.store_id,
        "camera_id": health.camera_id,
        "run_id": health.run_id,
    }
