"""The quarantine on the real servers: listed, corrected, replayed; no detection is doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from integration.conftest import ROOT, Deployment, wait_until
from integration.topics import messages_of
from lakehouse import tables

pytestmark = pytest.mark.integration


def frame(number: int, *detections: dict[str, Any], **changes: object) -> bytes:
    sent = {
        "schema_version": "1.0",
        "run_id": "store_01-cam_01-1",
        "source": {"store_id": "store_01", "camera_id": "cam_01", "stream_id": "stream_001"},
        "frame_index": number,
        "capture_ts": f"2026-11-24T10:15:{number:02}.000Z",
        "image_size": {"width": 1280, "height": 720},
        "detections": list(detections),
        **changes,
    }
    return json.dumps({name: value for name, value in sent.items() if value is not None}).encode()


def detection(name: str, **changes: object) -> dict[str, Any]:
    box = {"x1": 1, "y1": 2, "x2": 30, "y2": 40}
    return {"det_id": name, "class": "person", "bbox": box, "conf": 0.5, **changes}


HALF_BAD = frame(1, detection("a"), detection("b", conf=1.5))
OLD = frame(2, detection("a"), detection("b", conf=-1))
UNUSABLE = frame(3, detection("a"), capture_ts=None)
NO_JSON = b"plainly no JSON \x1b[31m"
EMPTY = frame(4)
PICTURE = "data:image/jpeg;base64," + "/9j/4AAQSkZJRgABAQ" * 300
PICTURED = frame(5, detection("a"), snapshot=PICTURE)
SENT = [frame(0, detection("a")), HALF_BAD, OLD, UNUSABLE, NO_JSON, EMPTY, PICTURED]
IN_SILVER_AT_FIRST, IN_QUARANTINE_AT_FIRST = 3, 5


def quarantine(deployment: Deployment, *arguments: str, expected: int = 0) -> str:
    """Run the command; it must end with the expected exit code; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "lakehouse", "quarantine", *arguments],
        env={**os.environ, **deployment.variables, "COLUMNS": "200"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout if expected == 0 else done.stderr


@pytest.fixture(scope="module")
def ids(deployment: Deployment) -> dict[bytes, str]:
    """Everything is in Silver or in quarantine; the message ids in hex by payload."""
    deployment.ensure("bronze_ingest")
    with deployment.producer() as producer:
        for payload in SENT:
            producer.send(payload)
    deployment.wait_for_rows("bronze_raw", len(SENT))
    deployment.ensure("silver_detections")
    deployment.wait_for_rows("silver_detection", IN_SILVER_AT_FIRST)
    deployment.wait_for_rows("silver_quarantine", IN_QUARANTINE_AT_FIRST)
    return {
        bytes(row["payload"]): bytes(row["message_id"]).hex()  # type: ignore[call-overload]
        for row in deployment.rows("bronze_raw")
    }


def silver_keys(deployment: Deployment) -> list[tuple[object, ...]]:
    return sorted(
        (row["frame_index"], row["det_id"]) for row in deployment.rows("silver_detection")
    )  # type: ignore[type-var]


def wait_until_bronze_is_in_silver(deployment: Deployment, messages: int, detections: int) -> None:
    deployment.wait_for_rows("bronze_raw", messages)
    deployment.wait_for_rows("silver_detection", detections)


def test_list_counts_by_reason_and_filters(deployment: Deployment, ids: dict[bytes, str]) -> None:
    told = quarantine(deployment, "list")
    assert "5 rows, 5 of them not replayed" in told
    line = next(line for line in told.splitlines() if "detection_out_of_range" in line)
    assert [cell.strip() for cell in line.split("│")[1:7]] == [
        *("detection_out_of_range", "store_01", "cam_01", "2", "2", "2")
    ]
    assert "1 rows" in quarantine(deployment, "list", "--reason", "message_not_json")
    assert "4 rows" in quarantine(deployment, "list", "--store", "store_01", "--camera", "cam_01")
    assert "0 rows" in quarantine(deployment, "list", "--camera", "cam_02")
    assert "0 rows" in quarantine(deployment, "list", "--since", "2999-01-01")
    assert "5 rows" in quarantine(deployment, "list", "--since", "2020-01-01T00:00:00+02:00")


def test_show_prints_details_and_payload_and_obeys_no_terminal_code(
    deployment: Deployment, ids: dict[bytes, str]
) -> None:
    told = quarantine(deployment, "show", "--reason", "detection_out_of_range")
    assert "detections[1].conf" in told
    assert '"det_id": "b"' in told
    assert ids[HALF_BAD] in told
    assert "\x1b" not in quarantine(deployment, "show", "--reason", "message_not_json")
    assert "no row of silver_quarantine" in quarantine(
        deployment, "show", "--message", ids[SENT[0]], expected=2
    )


def test_picture_stands_in_bronze_only(
    deployment: Deployment, ids: dict[bytes, str], tmp_path: Path
) -> None:
    told = quarantine(deployment, "show", "--reason", "message_image_data")
    assert "snapshot: 5,423 characters that look like a picture" in told
    assert '"snapshot": "<image data: 5423 characters>"' in told
    for row in deployment.rows("silver_quarantine"):
        assert "/9j/4AAQ" not in f"{row['payload']} {row['detail']}"
    file = tmp_path / "pictured.json"
    quarantine(deployment, "show", "--message", ids[PICTURED], "--write", str(file))
    assert file.read_bytes() == PICTURED


def test_corrected_message_lands_in_silver_once_and_the_rest_of_its_frame_stays(
    deployment: Deployment, ids: dict[bytes, str], tmp_path: Path
) -> None:
    before = silver_keys(deployment)
    file = tmp_path / "corrected.json"
    quarantine(deployment, "show", "--message", ids[HALF_BAD], "--write", str(file))
    assert file.read_bytes() == HALF_BAD
    file.write_bytes(HALF_BAD.replace(b"1.5", b"0.75"))
    one = ("--message", ids[HALF_BAD], "--payload", str(file))

    told = quarantine(deployment, "replay", *one)
    assert "replayed: 1 detections for Silver, 1 there already" in told
    wait_until_bronze_is_in_silver(deployment, len(SENT) + 1, IN_SILVER_AT_FIRST + 1)
    assert silver_keys(deployment) == sorted([*before, (1, "b")])
    sent = messages_of(deployment.topic)[-1]
    assert sent.properties()["replayed_from"] == ids[HALF_BAD]
    assert (sent.properties()["run_id"], sent.partition_key()) == (
        "store_01-cam_01-1",
        "store_01/cam_01",
    )

    assert "5 rows, 4 of them not replayed" in quarantine(deployment, "list")
    assert "0 messages replayed, 0 skipped" in quarantine(deployment, "replay", *one)
    assert "1 messages replayed" in quarantine(deployment, "replay", *one, "--again")
    deployment.wait_for_rows("bronze_raw", len(SENT) + 2)


def test_replay_leaves_what_is_still_unusable(
    deployment: Deployment, ids: dict[bytes, str]
) -> None:
    told = quarantine(deployment, "replay")
    assert "0 messages replayed, 4 skipped" in told
    assert told.count("still unusable") == 4
    assert "4 of them not replayed" in quarantine(deployment, "list")


def test_detections_that_silver_may_have_forgotten_are_not_doubled(
    deployment: Deployment, ids: dict[bytes, str], tmp_path: Path
) -> None:
    deployment.query(
        "UPDATE silver_detection SET ingest_ts = ingest_ts - INTERVAL '8' DAY WHERE frame_index = 2"
    )
    file = tmp_path / "corrected.json"
    one = ("--message", ids[OLD], "--payload", str(file))
    file.write_bytes(OLD.replace(b'"conf": -1', b'"conf": 0.25'))
    told = quarantine(deployment, "replay", *one)
    assert "skipped: 1 of its detections are in Silver since" in told
    file.write_bytes(frame(2, detection("b", conf=0.25)))
    assert "replayed: 1 detections for Silver, 0 there already" in quarantine(
        deployment, "replay", *one
    )
    wait_until_bronze_is_in_silver(deployment, len(SENT) + 3, IN_SILVER_AT_FIRST + 2)
    keys = silver_keys(deployment)
    assert len(set(keys)) == len(keys)


def test_message_that_the_contract_takes_now_is_published_as_it_was(
    deployment: Deployment, ids: dict[bytes, str]
) -> None:
    """As after a fix of the parser: a row of quarantine whose message is usable today."""
    row = next(row for row in deployment.rows("bronze_raw") if bytes(row["payload"]) == EMPTY)  # type: ignore[call-overload]
    table = tables.load(deployment.catalog, deployment.database, "silver_quarantine")
    quarantined = {
        "store_id": "store_01",
        "camera_id": "cam_01",
        "reason": "message_wrong_type",
        "detail": "message_wrong_type: detections: an empty list",
        "payload": EMPTY.decode(),
        "ingest_ts": row["ingest_ts"],
        "message_id": row["message_id"],
    }
    table.append(pa.Table.from_pylist([quarantined], schema=table.schema().as_arrow()))
    told = quarantine(deployment, "replay", "--since", "2020-01-01")
    assert "replayed: 0 detections for Silver, 0 there already" in told
    assert "1 messages replayed, 3 skipped" in told
    deployment.wait_for_rows("bronze_raw", len(SENT) + 4)
    sent = messages_of(deployment.topic)[-1]
    assert sent.data() == EMPTY
    assert (
        sent.event_timestamp() == datetime(2026, 11, 24, 10, 15, 4, tzinfo=UTC).timestamp() * 1000
    )


def test_marks_stay_beside_what_the_job_goes_on_to_write(
    deployment: Deployment, ids: dict[bytes, str]
) -> None:
    with deployment.producer() as producer:
        producer.send(b"another that is no JSON")
    wait_until(
        "the new message is in quarantine",
        lambda: (
            deployment.query("SELECT count(*), count(replayed_ts) FROM silver_quarantine")
            == [[7, 3]]
        ),
    )


def test_message_without_its_picture_lands_in_silver(
    deployment: Deployment, ids: dict[bytes, str], tmp_path: Path
) -> None:
    file = tmp_path / "corrected.json"
    file.write_bytes(frame(5, detection("a")))
    told = quarantine(deployment, "replay", "--message", ids[PICTURED], "--payload", str(file))
    assert "replayed: 1 detections for Silver, 0 there already" in told
    deployment.wait_for_rows("silver_detection", IN_SILVER_AT_FIRST + 3)
    assert (5, "a") in silver_keys(deployment)
