"""A message as a row of bronze_raw, with the columns that bronze_raw.sql gives it.

From the message's properties, else from its payload, else null.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from replay.retained import RetainedMessage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER = re.compile(r"\s*([+-]?\d{1,30})(?:\.\d*)?\s*", re.ASCII)
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
        "message_id": message.message_id,
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
        return str(value) if isinstance(value, str | int | float) else None


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload.decode("utf-8", "replace"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _first(told: str | None, payload: _Payload, *path: str) -> str | None:
    text = payload.text_at(*path) if told is None else told
    # a lone surrogate, which JSON can escape and UTF-8 cannot hold
    return None if text is None else text.encode("utf-8", "replace").decode()


def _long(text: str | None) -> int | None:
    """What Flink's TRY_CAST to BIGINT gives: an integer, fractions cut off; else None."""
    found = None if text is None else _INTEGER.fullmatch(text)
    return int(found[1]) if found is not None and int(found[1]) in _LONG else None
