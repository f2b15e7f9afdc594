"""A day of clean rows of every table, as the jobs would leave them; and the same on another day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from silver_items import items

from frame_contract import Frame, encode
from integration import walkers
from lakehouse.schema import DAILY_GOLD, TABLES
from oracle import oracle

DAY = date(2024, 5, 6)
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
Rows = dict[str, list[dict[str, Any]]]


def clean(folder: Path) -> Rows:
    """Two short runs eleven minutes apart, a message and a detection that cannot be used, Gold."""
    frames = [
        *walkers.frames("cam_01", start=NOON, seconds=8, seed=1, run="1"),
        *walkers.frames("cam_01", start=NOON + timedelta(minutes=11), seconds=8, seed=2, run="2"),
    ]
    rows: Rows = {name: [] for name in TABLES}
    for number, payload in enumerate([*map(encode, frames), bad_detection(frames[0]), b"{"]):
        put(rows, payload, f"{DAY} {number}".encode())
    gold = oracle.expected([walkers.write(folder / "clean.jsonl", frames)])
    rows |= {name: gold[name] for name in DAILY_GOLD}
    rows["gold_backfill"] = list(rebuilt(rows))
    return rows


def bad_detection(frame: Frame) -> bytes:
    """Another camera's frame, of which the only detection cannot be used."""
    message = json.loads(encode(frame))
    message |= {"run_id": "bad", "detections": [message["detections"][0] | {"conf": 7}]}
    message["source"]["camera_id"] = "cam_02"
    return json.dumps(message).encode()


def put(rows: Rows, payload: bytes, message_id: bytes) -> None:
    """A message, received two seconds after its capture, and what Silver makes of it."""
    received = bronze_row(payload, message_id)
    rows["bronze_raw"].append(received)
    for item in items(payload, message_id, received["ingest_ts"]):
        rows[item.table].append(item.row)


def bronze_row(payload: bytes, message_id: bytes) -> dict[str, Any]:
    """A message as `bronze_ingest` writes it."""
    captured, named = NOON, {}
    if payload != b"{":
        message = json.loads(payload)
        captured = datetime.fromisoformat(message["capture_ts"])
        named = message["source"] | {
            name: message[name] for name in ("run_id", "frame_index", "capture_ts")
        }
    return {
        **{column.name: named.get(column.name) for column in TABLES["bronze_raw"].columns},
        "payload": payload,
        "message_id": message_id,
        "publish_ts": captured + timedelta(seconds=1),
        "ingest_ts": captured + timedelta(seconds=2),
    }


def rebuilt(rows: Rows) -> Iterator[dict[str, Any]]:
    """The night's record, a row a table."""
    persons = sum(row["class_name"] == "person" for row in rows["silver_detection"])
    for name in DAILY_GOLD:
        yield {
            "day": DAY,
            "gold_table": name,
            "owner": "a test",
            "published_ts": NOON + timedelta(hours=14),
            "silver_snapshot_id": 1,
            "silver_rows": persons,
            "rows": len(rows[name]),
            "replaced": "stream",
            "keys_same": 0,
            "keys_changed": 0,
            "keys_only_published": 0,
            "keys_only_rebuilt": len(rows[name]),
        }


def moved(rows: Rows, day: date) -> Rows:
    """A copy on another day: every time, and every text that has the day in it."""
    return {
        table: [{name: _moved(value, day) for name, value in row.items()} for row in found]
        for table, found in rows.items()
    }


def _moved(value: Any, day: date) -> Any:
    if isinstance(value, date):  # a datetime too
        return value + (day - DAY)
    if isinstance(value, str):
        return value.replace(DAY.isoformat(), day.isoformat())
    if isinstance(value, bytes):
        return value.replace(DAY.isoformat().encode(), day.isoformat().encode())
    return value
