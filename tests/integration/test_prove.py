"""`prove` on the real servers: it holds where the jobs have worked, and names what was broken."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pulsar
import pyarrow as pa
import pytest

from frame_contract import encode, event_time_ms, message_key, message_properties
from integration import walkers
from integration.conftest import ROOT, Deployment, wait_until
from lakehouse.closing import close_days
from lakehouse.tables import load

pytestmark = pytest.mark.integration

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
DAYS = (date(2026, 11, 20), date(2026, 11, 21))
OPEN_HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC)
RUN = "store_01-cam_01-1"
HALF_BAD = (
    b'{"source":{"store_id":"store_01","camera_id":"cam_09","stream_id":"old"},"frame_index":1,'
    b'"capture_ts":"2026-11-20T12:00:00.200Z","image_size":{"width":100,"height":100},'
    b'"detections":[{"det_id":"x","class":"dog","bbox":{"x1":5,"y1":1,"x2":4,"y2":9},"conf":0.5}]}'
)
BAD = [b"\xff\x00 no text", b"no JSON", b"[1]", b"", HALF_BAD.replace(b'"frame_index":1,', b"")]


@dataclass(frozen=True)
class Proven:
    """What `prove` printed and with which code it ended."""

    code: int
    out: str
    err: str


def prove(deployment: Deployment, *arguments: str, **variables: str) -> Proven:
    ended = subprocess.run(
        [sys.executable, "-m", "lakehouse", "prove", *arguments],
        cwd=ROOT,
        env={**os.environ, **deployment.variables, **variables},
        capture_output=True,
        text=True,
    )
    return Proven(ended.returncode, ended.stdout, ended.stderr)


def prove_in_time(deployment: Deployment, *arguments: str, **variables: str) -> Proven:
    """Prove beside streaming Gold, which commits after the Silver that it is compared with."""
    proven: list[Proven] = []

    def holds() -> bool:
        proven.append(prove(deployment, *arguments, **variables))
        return proven[-1].code == 0

    wait_until(lambda: f"streaming Gold is proven: {proven[-1].out}", holds, seconds=600)
    return proven[-1]


def publish(deployment: Deployment, frames: list[Any], others: list[bytes]) -> list[bytes]:
    """Send the frames as replay would, every tenth twice, and the others as they are.

    Not more than ten in ten milliseconds: a proof tells by the millisecond what came first, and
    Bronze takes in a hundred in one when it has been held up. It must not take some for late.
    """
    results: list[pulsar.Result] = []
    payloads = []
    with deployment.producer() as producer:
        for number, frame in enumerate(sorted(frames, key=event_time_ms)):
            if number % 10 == 0:
                time.sleep(0.01)
            payload = encode(frame)
            for _ in range(2 if number % 10 == 0 else 1):
                payloads.append(payload)
                producer.send_async(
                    payload,
                    lambda result, _: results.append(result),
                    properties=message_properties(frame),
                    partition_key=message_key(frame),
                    event_timestamp=event_time_ms(frame),
                )
        for payload in others:
            producer.send_async(payload, lambda result, _: results.append(result))
        producer.flush()
    assert results == [pulsar.Result.Ok] * (len(payloads) + len(others))
    return [*payloads, *others]


def detections_in(frames: list[Any]) -> int:
    return sum(len(frame.detections) for frame in frames)


@dataclass(frozen=True)
class Gone:
    """What went through the servers."""

    frames: list[Any]
    messages: int
    jsonl: Path


@pytest.fixture(scope="module")
def gone_through(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Gone:
    """Two cameras across midnight through Bronze, Silver and the batches of both days, closed."""
    start = MIDNIGHT - timedelta(seconds=40)
    frames = walkers.frames("cam_01", start=start, seconds=90, seed=1)
    frames += walkers.frames("cam_02", start=start, seconds=60, seed=2)
    deployment.ensure("bronze_ingest")
    messages = publish(deployment, frames, [*BAD, HALF_BAD, HALF_BAD])
    deployment.wait_for_rows("bronze_raw", len(messages))
    deployment.ensure("silver_detections")
    deployment.wait_for_rows("silver_detection", detections_in(frames))
    deployment.wait_for_rows("silver_quarantine", len(BAD) + 1)
    for day in DAYS:
        deployment.run_batch("gold_batch", "--day", day.isoformat())
    assert close_days(deployment.catalog, deployment.database, DAYS) == DAYS
    jsonl = walkers.write(tmp_path_factory.mktemp("frames") / "frames.jsonl", frames)
    return Gone(frames, len(messages), jsonl)


@pytest.mark.parametrize(
    "arguments", [[], ["--run-id", RUN], *(["--day", day.isoformat()] for day in DAYS)], ids=str
)
def test_what_has_gone_through_is_proven(
    deployment: Deployment, gone_through: Gone, arguments: list[str]
) -> None:
    proven = prove(deployment, *arguments)
    assert (proven.code, proven.err) == (0, ""), proven.out
    assert "does not hold" not in proven.out
    if not arguments:
        assert f"{gone_through.messages:,}" in proven.out
        assert f"{detections_in(gone_through.frames) + 1:,}" in proven.out


def test_frames_of_the_files_are_all_in_bronze(deployment: Deployment, gone_through: Gone) -> None:
    proven = prove(deployment, "--messages", str(gone_through.jsonl))
    assert proven.code == 0, proven.out
    assert "distinct frames published" in proven.out


def test_row_that_was_deleted_or_doubled_is_named_and_exit_code_1(
    deployment: Deployment, gone_through: Gone, tmp_path: Path
) -> None:
    silver = load(deployment.catalog, deployment.database, "silver_detection")
    victim = next(d for frame in gone_through.frames for d in frame.detections)
    one = silver.scan(f"det_id = '{victim.det_id}' and camera_id = 'cam_01'").to_arrow()
    assert one.num_rows == 1
    silver.delete(f"det_id = '{victim.det_id}' and camera_id = 'cam_01'")

    keys = tmp_path / "keys.csv"
    proven = prove(deployment, "--keys", str(keys))
    assert proven.code == 1
    assert "does not hold, first: rows of silver_detection" in proven.out
    assert (
        f"silver_detection missing: store_id=store_01 camera_id=cam_01 run_id={RUN}" in proven.out
    )
    [row] = csv.DictReader(keys.read_text().splitlines())
    assert (row["kind"], row["det_id"]) == ("missing", victim.det_id)

    append(deployment, "silver_detection", one)
    assert prove(deployment).code == 0
    append(deployment, "silver_detection", one)
    proven = prove(deployment)
    assert proven.code == 1
    assert (
        f"silver_detection doubled: store_id=store_01 camera_id=cam_01 run_id={RUN}" in proven.out
    )

    silver.refresh()
    silver.delete(f"det_id = '{victim.det_id}' and camera_id = 'cam_01'")
    append(deployment, "silver_detection", one)
    assert prove(deployment).code == 0


def test_quarantine_that_was_marked_by_trino_is_still_read(
    deployment: Deployment, gone_through: Gone
) -> None:
    deployment.query(
        "UPDATE silver_quarantine SET replayed_ts = current_timestamp "
        "WHERE reason = 'message_not_json'"
    )
    proven = prove(deployment)
    assert proven.code == 0, proven.out
    assert "2 message_not_json" in proven.out


def test_gold_that_an_upsert_changed_is_named(deployment: Deployment, gone_through: Gone) -> None:
    minute = "ts_minute = TIMESTAMP '2026-11-21 00:00:00 UTC' AND camera_id = 'cam_01'"
    deployment.query(
        f"UPDATE gold_people_per_minute SET detections = detections + 1 WHERE {minute}"
    )
    proven = prove(deployment, "--day", "2026-11-21")
    deployment.query(
        f"UPDATE gold_people_per_minute SET detections = detections - 1 WHERE {minute}"
    )
    assert proven.code == 1
    assert "gold_people_per_minute differing: columns=detections" in proven.out
    assert prove(deployment, "--day", "2026-11-21").code == 0


@pytest.mark.parametrize("variable", ["RVA_TRINO_URL", "RVA_CATALOG_URI", "RVA_S3_ENDPOINT"])
def test_server_that_is_down_is_one_line_and_exit_code_2(
    deployment: Deployment, gone_through: Gone, variable: str
) -> None:
    proven = prove(deployment, **{variable: "http://127.0.0.1:9"})
    assert proven.code == 2
    assert proven.err.startswith("error: "), proven.err
    assert proven.err.count("\n") == 1


def test_run_and_day_that_do_not_exist_are_exit_code_2(
    deployment: Deployment, gone_through: Gone
) -> None:
    for arguments in (["--run-id", "nobody"], ["--day", "2020-01-01"]):
        proven = prove(deployment, *arguments)
        assert proven.code == 2
        assert proven.err.count("\n") == 1


def test_open_day_of_streaming_gold_is_proven_as_far_as_its_watermark(
    deployment: Deployment, gone_through: Gone
) -> None:
    # over the frames of an hour: of all that Bronze takes in one millisecond, any can come first
    lateness = ("--lateness-seconds", "120")
    deployment.ensure("gold_streaming", "--closed-days", ",".join(map(str, DAYS)), *lateness)
    expected = detections_in(gone_through.frames)
    later = OPEN_HOUR + timedelta(minutes=63)
    for start, seconds, run in ((OPEN_HOUR, 80, "3"), (later, 2, "4")):
        frames = walkers.frames("cam_01", start=start, seconds=seconds, seed=int(run), run=run)
        publish(deployment, frames, [])
        expected += detections_in(frames)
        deployment.wait_for_rows("silver_detection", expected)
    proven = prove_in_time(deployment, *lateness)
    assert "not closed by a batch: 2026-11-22; streaming Gold has passed 2026-11-22 11:01:0" in (
        proven.out
    )
    assert "gold_people_per_minute: 1 open and 0 touched by late events" in proven.out
    assert proven.out.count(" 0 touched by late events") == 4


def append(deployment: Deployment, table: str, rows: pa.Table) -> None:
    load(deployment.catalog, deployment.database, table).append(rows)
