"""Rows of every layer whose sums and ages are known by hand, for the queries of Grafana."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from integration.conftest import Deployment
from lakehouse.snapshots import FLINK_CHECKPOINT_ID, FLINK_JOB_ID

DAY = "2026-11-24"
DAY_BEFORE = "2026-11-23"
WRONG_DAY = "2026-11-22"
"""The heat map has one hit too many."""
BATCH_CHECKPOINT = str(2**63 - 1)


def at(text: str, day: str = DAY) -> datetime:
    """A time of the test's day, UTC."""
    return datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=UTC)


def minute(
    store: str, camera: str, time: str, people: int, detections: int, day: str = DAY
) -> dict[str, Any]:
    return {
        "store_id": store,
        "camera_id": camera,
        "ts_minute": at(time, day),
        "detections": detections,
        "unique_people": people,
    }


def track(
    camera: str, run: str, track_id: int, start: str, seconds: float, *, frames: int, conf: float
) -> dict[str, Any]:
    begin = at(start)
    return {
        "store_id": "s1",
        "camera_id": camera,
        "run_id": run,
        "track_id": track_id,
        "start_ts": begin,
        "end_ts": datetime.fromtimestamp(begin.timestamp() + seconds, tz=UTC),
        "frames": frames,
        "duration_seconds": seconds,
        "min_x": 10.0,
        "max_x": 30.0,
        "delta_x": 20.0,
        "min_y": 5.0,
        "max_y": 6.0,
        "delta_y": 1.0,
        "avg_x": 20.0,
        "avg_y": 5.5,
        "avg_conf": conf,
    }


def dwell(
    camera: str, hour: str, cell: tuple[int, int], visits: int, total: float, longest: float
) -> dict[str, Any]:
    return {
        "store_id": "s1",
        "camera_id": camera,
        "ts_hour": at(hour),
        "zone_x": cell[0],
        "zone_y": cell[1],
        "visits": visits,
        "total_dwell_seconds": total,
        "avg_dwell_seconds": total / visits,
        "max_dwell_seconds": longest,
    }


def hits(
    camera: str, hour: str, cell: tuple[int, int], count: int, day: str = DAY
) -> dict[str, Any]:
    return {
        "store_id": "s1",
        "camera_id": camera,
        "ts_hour": at(hour, day),
        "zone_x": cell[0],
        "zone_y": cell[1],
        "hits": count,
        "unique_tracks": 1,
    }


def refused(
    store: str | None, camera: str | None, reason: str, time: str, message: str | None = None
) -> dict[str, Any]:
    """A row of quarantine; by default of the message that came at that time."""
    return {
        "message_id": (message or time).encode(),
        "store_id": store,
        "camera_id": camera,
        "reason": reason,
        "detail": "why",
        "payload": "{}",
        "ingest_ts": at(time),
    }


def message(
    store: str | None,
    camera: str | None,
    received: str,
    *,
    captured: str | None = None,
    published: str | None = None,
    detections: int = 1,
    payload: bytes | None = None,
    message_id: str | None = None,
) -> dict[str, Any]:
    """A row of Bronze: a frame with so many detections, or what else was sent."""
    frame = json.dumps({"detections": [{}] * detections}).encode()
    return {
        "store_id": store,
        "camera_id": camera,
        "capture_ts": f"{DAY}T{captured}Z" if captured else None,
        "payload": frame if payload is None else payload,
        "message_id": (message_id or received).encode(),
        "publish_ts": at(published or received),
        "ingest_ts": at(received),
    }


def detection(
    captured: str, received: str, *, class_name: str = "person", day: str = DAY
) -> dict[str, Any]:
    """A row of Silver, of camera s1/c1."""
    return {
        "store_id": "s1",
        "camera_id": "c1",
        "run_id": "r1",
        "frame_index": 0,
        "capture_ts": at(captured, day),
        "det_id": f"d_{captured}",
        "stream_id": "st",
        "image_width": 100,
        "image_height": 100,
        "class_name": class_name,
        "conf": 0.9,
        "x1": 1.0,
        "y1": 1.0,
        "x2": 2.0,
        "y2": 2.0,
        "zone_x": 0,
        "zone_y": 0,
        "ingest_ts": at(received, day),
    }


def late(camera: str, hour: str, table: str, detections: int, seconds: float) -> dict[str, Any]:
    return {
        "store_id": "s1",
        "camera_id": camera,
        "ts_hour": at(hour),
        "gold_table": table,
        "detections": detections,
        "max_late_seconds": seconds,
    }


def rebuilt(table: str, time: str, changed: int) -> dict[str, Any]:
    return {
        "day": date(2026, 11, 23),
        "gold_table": table,
        "owner": "a night",
        "published_ts": at(time),
        "silver_snapshot_id": 1,
        "silver_rows": 9,
        "rows": 9,
        "replaced": "stream",
        "keys_same": 9 - changed,
        "keys_changed": changed,
        "keys_only_published": 0,
        "keys_only_rebuilt": 0,
    }


def checked(name: str, time: str, outcome: str, **found: Any) -> dict[str, Any]:
    return {
        "checked_ts": at(time),
        "day": date(2026, 11, 23),
        "layer": "gold",
        "check_name": name,
        "severity": "fail",
        "outcome": outcome,
        "violations": None if outcome == "error" else 0,
        "checked": None if outcome == "error" else 9,
        "duration_seconds": 0.1,
        "owner": "a night",
    } | found


ROWS: dict[str, list[dict[str, Any]]] = {
    "gold_people_per_minute": [
        minute("s1", "c1", "10:00:00", 2, 50),
        minute("s1", "c1", "10:01:00", 3, 70),
        minute("s1", "c2", "10:01:00", 1, 10),
        minute("s2", "c1", "11:30:00", 4, 90),
        minute("s1", "c1", "23:59:00", 9, 99),
        minute("s1", "c1", "16:05:00", 1, 1),
        minute("s1", "c1", "10:00:00", 1, 2, DAY_BEFORE),
        minute("s1", "c1", "10:00:00", 1, 1, WRONG_DAY),
    ],
    "gold_track_summary": [
        track("c1", "r1", 1, "10:00:05", 0.5, frames=5, conf=0.5),
        track("c1", "r1", 1, "10:40:00", 4.0, frames=15, conf=0.9),
        track("c1", "r2", 1, "10:41:00", 5.0, frames=20, conf=0.8),
        track("c2", "r9", 7, "11:00:00", 1200.0, frames=60, conf=0.6),
        track("c1", "r3", 1, "23:00:00", 9.0, frames=9, conf=0.9),
    ],
    "gold_zone_dwell": [
        dwell("c1", "10:00:00", (3, 4), 2, 10.0, 8.0),
        dwell("c1", "11:00:00", (3, 4), 1, 2.0, 2.0),
        dwell("c2", "10:00:00", (0, 9), 4, 4.0, 3.0),
        dwell("c1", "23:00:00", (9, 9), 1, 500.0, 500.0),
    ],
    "gold_zone_heatmap": [
        hits("c1", "10:00:00", (3, 4), 100),
        hits("c1", "11:00:00", (3, 4), 20),
        hits("c2", "10:00:00", (0, 9), 7),
        hits("c1", "23:00:00", (9, 9), 999),
        hits("c1", "10:00:00", (3, 4), 2, DAY_BEFORE),
        hits("c1", "10:00:00", (3, 4), 2, WRONG_DAY),
    ],
    "gold_late_events": [
        late("c1", "10:00:00", "gold_people_per_minute", 3, 61.5),
        late("c1", "10:00:00", "gold_zone_dwell", 5, 70.5),
        late("c2", "11:00:00", "gold_zone_heatmap", 1, 4000.0),
    ],
    "gold_backfill": [
        rebuilt("gold_zone_dwell", "10:02:00", 1),
        rebuilt("gold_track_summary", "10:02:00", 0),
        rebuilt("gold_zone_dwell", "02:02:00", 7),
    ],
    "data_quality": [
        checked("unique_keys", "10:02:00", "fail", violations=2, example="a key"),
        checked("unique_keys", "10:30:00", "pass"),
        checked("freshness", "10:02:00", "pass"),
        checked("freshness", "10:30:00", "warn", violations=1, example="an hour"),
        checked("late_events", "10:30:00", "error", detail="no such table"),
        checked("values_in_range", "02:02:00", "fail", violations=4),
    ],
    "silver_quarantine": [
        refused("s1", "c1", "detection_conf", "10:05:00"),
        refused("s1", "c2", "detection_conf", "10:06:00"),
        refused(None, None, "message_not_json", "10:07:00"),
        refused(None, None, "message_not_json", "23:00:00"),
        refused("s1", "c1", "detection_conf", "15:10:00"),
        refused("s1", "c1", "detection_conf", "17:30:00", "17:0"),
        refused("s1", "c1", "detection_class", "17:30:00", "17:0"),
        refused("s1", "c1", "detection_conf", "17:30:00", "17:1"),
        *(refused("s1", "c1", "detection_conf", "18:30:00", f"18:{n}") for n in range(3)),
    ],
    "bronze_raw": [
        message("s1", "c1", "10:05:00", captured="10:04:58.500"),
        message("s1", "c1", "10:05:30", captured="10:05:20.000"),
        message("s1", "c2", "10:06:00", captured="10:05:00.000"),
        message(None, None, "10:07:00", payload=b"\xff no JSON"),
        message("s1", "c1", "10:30:00", captured="10:29:59.000", detections=0),
        # what waited in the topic, and what Silver lacks
        message("s1", "c1", "14:00:10", published="14:00:09"),
        message("s1", "c1", "14:30:00", published="14:20:00"),
        message("s1", "c1", "14:50:00", detections=0),
        message("s1", "c1", "15:10:00"),
        message("s1", "c1", "15:40:00", payload=b"\xff no JSON"),
        # two of 200 messages are refused, then three
        *(message("s1", "c1", "17:30:00", message_id=f"17:{n}") for n in range(200)),
        *(message("s1", "c1", "18:30:00", message_id=f"18:{n}") for n in range(200)),
        # the first camera falls silent; the store with one closes
        message("s5", "c1", "20:00:00"),
        message("s5", "c1", "20:04:00"),
        message("s5", "c2", "20:09:00"),
        message("s5", "c2", "20:20:00"),
        message("s6", "c1", "20:00:05"),
    ],
    "silver_detection": [
        detection("10:04:58", "10:05:00", class_name="bag"),
        detection("10:05:20", "10:05:30"),
        detection("14:00:09", "14:00:10"),
        detection("16:00:30", "16:00:31"),
        detection("16:05:00", "16:05:01"),
        detection("16:20:00", "16:20:01"),
        # of which Gold has nothing
        detection("19:00:00", "19:00:01"),
        detection("19:20:00", "19:20:01"),
        detection("10:00:01", "10:00:02", day=WRONG_DAY),
        detection("10:00:01", "10:00:02", day=DAY_BEFORE),
        detection("10:00:02", "10:00:03", day=DAY_BEFORE),
        detection("10:00:03", "10:00:04", class_name="bag", day=DAY_BEFORE),
    ],
}
COMMITTED_BY: dict[str, dict[str, str]] = {
    "bronze_raw": {FLINK_JOB_ID: "a stream", FLINK_CHECKPOINT_ID: "7"},
    "gold_people_per_minute": {FLINK_JOB_ID: "another", FLINK_CHECKPOINT_ID: "12"},
    "silver_detection": {FLINK_JOB_ID: "a batch", FLINK_CHECKPOINT_ID: BATCH_CHECKPOINT},
}
"""What the commits of the rows say; those of other tables are not by Flink."""


def fill(deployment: Deployment) -> None:
    """Write the rows into the tables of a deployment, each table's in one commit."""
    for name, rows in ROWS.items():
        table = deployment.catalog.load_table(f"{deployment.database}.{name}")
        table.append(
            pa.Table.from_pylist(rows, schema=table.schema().as_arrow()),
            snapshot_properties=COMMITTED_BY.get(name, {}),
        )
