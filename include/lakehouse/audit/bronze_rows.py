"""A message as a row of bronze_raw, with the columns that bronze_raw.sql gives it.

From the message's properties, else from its payload, else null.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from lakehouse.audit.message_ids import as_flink_writes
from replay.retained import RetainedMessage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r" *(?P<sign>[+-]?)(?P<whole>\d{0,4000})(?P<fraction>\.\d*)? *", re.ASCII)
_LONG = range(-(2**63), 2**63)


def bronze_row(message: RetainedMessage, ingested_at: datetime) -> dict[str, Any]:
    """The row as bronze_ingest would have written it, save for `ingest_ts`."""
    told = message.properties
    payload = _Payload(message.payload)
    stream_id = _first(told.get("stream_id"), payload, "source", "stream_id")
    run_id = _first(told.get("run_id"), payload, "run_id")
    return {
        "store_id": _first(told.get("store_id"), payload, "source", "store_id"),
        "camera_id": _first(told.get("camera_id"), payload, "source", "camera_id"),
        "stream_id": stream_id,
        "run_id": stream_id if run_id is None else run_id,
        "frame_index": _long(_first(told.get("frame_index"), payload, "frame_index")),
        "capture_ts": _first(told.get("capture_ts"), payload, "capture_ts"),
        "payload": message.payload,
        "message_id": as_flink_writes(message.message_id),
        "publish_ts": published_at(message.publish_ms),
        "ingest_ts": ingested_at,
    }


def published_at(publish_ms: int) -> datetime:
    """A message's publish time as Bronze has it."""
    return _EPOCH + timedelta(milliseconds=publish_ms)


class _Payload:
    """The payload as JSON, parsed when it is first asked for."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._is_parsed = False
        self._value: Any = None

    def text_at(self, *path: str) -> str | None:
        """What Flink's JSON_VALUE gives: text, a number or a boolean as text; else None."""
        if not self._is_parsed:
            self._value, self._is_parsed = _json(self._payload), True
        value = self._value
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return _as_java_writes(value)
        return value if isinstance(value, str) else None


def _json(payload: bytes) -> Any:
    """The first JSON value of the payload, integers as their text; None where there is none.

    What stands behind it is not looked at: Flink does not either. Unlike in Flink, a value nested
    more than some hundred levels deep makes it unreadable.
    """
    try:
        return _DECODER.raw_decode(payload.decode("utf-8", "replace").lstrip(" \t\r\n"))[0]
    except (ValueError, RecursionError):
        return None


def _integer_text(digits: str) -> str:
    return "0" if digits == "-0" else digits


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_int=_integer_text, parse_constant=_refuse)


def _as_java_writes(number: float) -> str:
    """`1.0E10` for 1e10: plain from a thousandth to ten millions, else in scientific notation."""
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    exact = Decimal(repr(number)).normalize()
    sign, digits, _ = exact.as_tuple()
    first, *others = map(str, digits)
    return f"{'-' if sign else ''}{first}.{''.join(others) or '0'}E{exact.adjusted()}"


def _first(told: str | None, payload: _Payload, *path: str) -> str | None:
    text = payload.text_at(*path) if told is None else told
    # a lone surrogate, which JSON can escape and UTF-8 cannot hold
    return None if text is None else text.encode("utf-8", "replace").decode()


def _long(text: str | None) -> int | None:
    """What Flink's TRY_CAST to BIGINT gives: an integer, fractions cut off; else None."""
    found = None if text is None else _NUMBER.fullmatch(text)
    if found is None or not (found["whole"] or found["fraction"]):
        return None
    number = int(found["sign"] + (found["whole"] or "0"))
    return number if number in _LONG else None
