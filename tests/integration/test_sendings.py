"""Frames that are sent again, whole or changed: Silver has each detection once, the first sent."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from integration.conftest import Deployment

pytestmark = pytest.mark.integration


def frame(number: int, *detections: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "schema_version": "1.0",
            "run_id": "store_01-cam_01-1",
            "source": {"store_id": "store_01", "camera_id": "cam_01", "stream_id": "stream_001"},
            "frame_index": number,
            "capture_ts": f"2026-11-24T10:15:{number:02}.000Z",
            "image_size": {"width": 1000, "height": 500},
            "detections": list(detections),
        }
    ).encode()


def detection(name: str, conf: float = 0.5, **changes: object) -> dict[str, Any]:
    box = {"x1": 80, "y1": 0, "x2": 120, "y2": 499.5}
    return {"det_id": name, "class": "person", "bbox": box, "conf": conf, **changes}


AT_THE_EDGE = {"x1": 999.5, "y1": 499, "x2": 1000, "y2": 500}
FIRST = [
    # one name is the beginning of the other
    frame(0, detection("a"), detection("ab", track_id=-(2**63), bbox=AT_THE_EDGE)),
    frame(1),
    frame(2, detection("a"), detection("bad", conf=7)),
    b"no JSON",
]
AGAIN = [
    *FIRST,
    # what came first stays; what was not there is added, once
    frame(0, detection("a", conf=0.9), detection("b"), detection("c", **{"class": "dog"})),
    frame(0, detection("b", conf=0.1), detection("c", conf=0.2), detection("d")),
    # nobody was seen at first, somebody in the second sending
    frame(1, detection("a")),
    frame(1, detection("a"), detection("bad", conf=8)),
    # the same text in another place is another thing, and so is another text
    frame(2, detection("bad", conf=7), detection("a")),
    frame(2, detection("bad", conf=9), detection("a"), detection("bad", conf=9)),
    frame(2, detection("bad", conf=0.7)),
    *FIRST,
]


def reckoned(payloads: list[bytes]) -> tuple[dict[tuple[int, str], float], Counter[str]]:
    """What must come of it, read one message after the other: confidences, and rejected texts."""
    confs: dict[tuple[int, str], float] = {}
    rejected: set[tuple[int, int, str]] = set()
    messages: list[str] = []
    for payload in payloads:
        try:
            sent = json.loads(payload)
        except ValueError:
            messages.append(payload.decode())
            continue
        for place, each in enumerate(sent["detections"]):
            if each["conf"] <= 1:
                confs.setdefault((sent["frame_index"], each["det_id"]), each["conf"])
            else:
                rejected.add((sent["frame_index"], place, json.dumps(each)))
    return confs, Counter([*messages, *(text for _, _, text in rejected)])


def test_each_detection_is_there_once_as_first_sent_and_each_rejected_thing_once(
    deployment: Deployment,
) -> None:
    payloads = [*FIRST, *AGAIN]
    confs, rejected = reckoned(payloads)
    assert (len(confs), rejected.total()) == (8, 8)
    deployment.ensure("bronze_ingest")
    with deployment.producer() as producer:
        for payload in payloads:
            producer.send(payload)
    deployment.wait_for_rows("bronze_raw", len(payloads))
    deployment.ensure("silver_detections")
    # the last of all tells that those before it are there
    deployment.wait_for_rows("silver_detection", len(confs))
    deployment.wait_for_rows("silver_quarantine", rejected.total())
    rows = deployment.rows("silver_detection")
    assert {(row["frame_index"], row["det_id"]): row["conf"] for row in rows} == confs
    assert Counter(row["payload"] for row in deployment.rows("silver_quarantine")) == rejected
    edge = next(row for row in rows if row["det_id"] == "ab")
    assert (edge["zone_x"], edge["zone_y"], edge["track_id"]) == (9, 9, -(2**63))
    within = next(row for row in rows if row["det_id"] == "d")
    assert (within["zone_x"], within["zone_y"]) == (1, 4)
