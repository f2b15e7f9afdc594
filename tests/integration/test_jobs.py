"""The Flink jobs on the real servers: every message of Pulsar to the last row of Gold."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pulsar
import pytest

from flink_rest.jobs import How
from frame_contract import event_time_ms, message_key, message_properties
from integration import walkers
from integration.conftest import Deployment, wait_until
from lakehouse.schema import DAILY_GOLD, TABLES
from oracle import oracle

pytestmark = pytest.mark.integration

PARTIAL = (
    b'{"source":{"store_id":"S001","camera_id":"CAM01","stream_id":"stream1"},'
    b'"detections":[{"det_id":"d1","class":"person","bbox":{"x1":100,"y1":200}}],'
    b'"image_size":{"width":1280,"height":720}}'
)
FIRST_GENERATION = (
    b'{"source":{"store_id":"store_01","camera_id":"cam_09","stream_id":"old"},"frame_index":0,'
    b'"capture_ts":"2026-11-24T12:00:00.000Z","image_size":{"width":100,"height":100},'
    b'"detections":[],"later":"field"}'
)
HALF_BAD = (
    b'{"source":{"store_id":"store_01","camera_id":"cam_09","stream_id":"old"},"frame_index":1,'
    b'"capture_ts":"2026-11-24T12:00:00.200Z","image_size":{"width":100,"height":100},'
    b'"detections":[{"det_id":"x","class":"dog","bbox":{"x1":5,"y1":1,"x2":4,"y2":9},"conf":0.5}]}'
)
NO_TEXT = b"\xff\xfe\x00 no JSON, no UTF-8"
BAD = [*[PARTIAL] * 5, NO_TEXT, b"plainly no JSON", b"[1, 2]", b""]
PAST_THE_HOUR = walkers.MIDNIGHT + timedelta(minutes=70)
"""A second capture then moves the watermark past every window of the first."""


@dataclass
class Published:
    """What was sent, and what must come of it."""

    payloads: list[bytes]
    expected: dict[str, list[dict[str, object]]]
    bronze_job: str
    silver_job: str


@pytest.fixture(scope="module")
def published(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Two cameras across midnight, some frames sent twice, and every kind of bad message."""
    start = walkers.MIDNIGHT - timedelta(seconds=60)
    frames = sorted(
        walkers.frames("cam_01", start=start, seconds=150, seed=1)
        + walkers.frames("cam_02", start=start, seconds=90, seed=2)
        + walkers.frames("cam_01", start=PAST_THE_HOUR, seconds=1, seed=3, run="2"),
        key=event_time_ms,
    )
    jsonl = walkers.write(tmp_path_factory.mktemp("frames") / "frames.jsonl", frames)
    lines = jsonl.read_bytes().splitlines()
    bronze = deployment.ensure("bronze_ingest")
    assert bronze.how is How.STARTED
    payloads: list[bytes] = []
    results: list[pulsar.Result] = []
    with deployment.producer() as producer:

        def send(payload: bytes, **described: object) -> None:
            producer.send_async(payload, lambda result, _: results.append(result), **described)
            payloads.append(payload)

        for frame, line in zip(frames, lines, strict=True):
            send(
                line,
                properties=message_properties(frame),
                partition_key=message_key(frame),
                event_timestamp=event_time_ms(frame),
            )
        for line in lines[:100]:
            send(line)
        for payload in (FIRST_GENERATION, HALF_BAD, HALF_BAD, *BAD):
            send(payload)
        producer.flush()
    assert results == [pulsar.Result.Ok] * len(payloads)
    deployment.wait_for_rows("bronze_raw", len(payloads))
    silver = deployment.ensure("silver_detections")
    expected = oracle.expected([jsonl])
    deployment.wait_for_rows("silver_detection", len(expected["silver_detection"]))
    deployment.wait_for_rows("silver_quarantine", len(BAD) + 1)
    return Published(payloads, expected, bronze.job_id, silver.job_id)


def test_bronze_holds_every_message_byte_for_byte(
    deployment: Deployment, published: Published
) -> None:
    rows = deployment.rows("bronze_raw")
    assert Counter(bytes(row["payload"]) for row in rows) == Counter(published.payloads)  # type: ignore[call-overload]
    assert len({bytes(row["message_id"]) for row in rows}) == len(rows)  # type: ignore[call-overload]


def test_bronze_columns_come_from_properties_or_payload_or_are_null(
    deployment: Deployment, published: Published
) -> None:
    rows = deployment.rows("bronze_raw")
    by_payload = {bytes(row["payload"]): row for row in rows}  # type: ignore[call-overload]
    first_line = published.payloads[0]
    both = [row for row in rows if bytes(row["payload"]) == first_line]  # type: ignore[call-overload]
    columns = ("store_id", "camera_id", "stream_id", "run_id", "frame_index", "capture_ts")
    assert [[row[name] for name in columns] for row in both] == [
        ["store_01", "cam_01", "cam_01_stream", "store_01-cam_01-1", 0, "2026-11-24T23:59:00.000Z"]
    ] * 2
    old = by_payload[FIRST_GENERATION]
    assert (old["run_id"], old["frame_index"]) == ("old", 0)
    partial = by_payload[PARTIAL]
    assert (partial["store_id"], partial["run_id"]) == ("S001", "stream1")
    assert partial["frame_index"] is None
    assert all(by_payload[NO_TEXT][name] is None for name in columns)


def test_silver_holds_each_detection_once(deployment: Deployment, published: Published) -> None:
    oracle.assert_same_rows(
        "silver_detection",
        deployment.rows("silver_detection"),
        published.expected["silver_detection"],
        TABLES["silver_detection"].key,
    )


def test_quarantine_holds_what_could_not_be_used_with_its_reason(
    deployment: Deployment, published: Published
) -> None:
    rows = deployment.rows("silver_quarantine")
    assert Counter(row["reason"] for row in rows) == {
        "message_missing_field": 5,
        "message_not_utf8": 1,
        "message_not_json": 2,
        "message_not_an_object": 1,
        "detection_bad_bbox": 1,
    }
    by_reason = {row["reason"]: row for row in rows}
    partial = by_reason["message_missing_field"]
    assert (partial["store_id"], partial["camera_id"]) == ("S001", "CAM01")
    assert partial["payload"] == PARTIAL.decode()
    assert "capture_ts" in str(partial["detail"])
    bronze_ids = {bytes(row["message_id"]) for row in deployment.rows("bronze_raw")}  # type: ignore[call-overload]
    assert bytes(partial["message_id"]) in bronze_ids  # type: ignore[call-overload]


def test_messages_and_detections_add_up(deployment: Deployment, published: Published) -> None:
    bad_messages, bad_detections = deployment.query(
        """
        SELECT count_if(reason LIKE 'message_%'), count_if(reason LIKE 'detection_%')
        FROM silver_quarantine
        """
    )[0]
    assert bad_messages == len(BAD)
    distinct = {line for line in published.payloads if line not in BAD}
    in_messages = sum(line.count(b'"det_id"') for line in distinct)
    silver = deployment.query("SELECT count(*) FROM silver_detection")[0][0]
    assert silver + bad_detections == in_messages  # type: ignore[operator]


@pytest.fixture(scope="module")
def batched(deployment: Deployment, published: Published) -> Published:
    """Gold of both days, by the batch."""
    for day in ("2026-11-24", "2026-11-25"):
        deployment.run_batch("gold_batch", "--day", day)
    return published


@pytest.mark.parametrize("table", DAILY_GOLD)
def test_gold_batch_equals_the_oracle_row_for_row(
    deployment: Deployment, batched: Published, table: str
) -> None:
    oracle.assert_same_rows(
        table, deployment.rows(table), batched.expected[table], TABLES[table].key
    )


def test_gold_batch_twice_changes_nothing(deployment: Deployment, batched: Published) -> None:
    before = {table: sorted(map(str, deployment.rows(table))) for table in DAILY_GOLD}
    deployment.run_batch("gold_batch", "--day", "2026-11-24")
    assert {table: sorted(map(str, deployment.rows(table))) for table in DAILY_GOLD} == before
    assert sum(map(len, before.values())) == sum(len(batched.expected[t]) for t in DAILY_GOLD)


def test_gold_streaming_agrees_with_the_batch_and_doubles_no_row(
    deployment: Deployment, batched: Published
) -> None:
    for table in DAILY_GOLD:
        deployment.query(f"DELETE FROM {table}")
    deployment.ensure("gold_streaming")
    for table in DAILY_GOLD:
        key = TABLES[table].key
        wanted = [row for row in batched.expected[table] if _closes_before_the_end(table, row)]
        assert wanted, f"no row of {table} can be compared"

        def shown(table: str = table) -> list[dict[str, object]]:
            return [row for row in deployment.rows(table) if _closes_before_the_end(table, row)]

        def agrees(
            table: str = table,
            wanted: list[dict[str, object]] = wanted,
            key: tuple[str, ...] = key,
        ) -> bool:
            try:
                oracle.assert_same_rows(table, shown(table), wanted, key)
            except AssertionError:
                return False
            return True

        with contextlib.suppress(pytest.fail.Exception):
            deployment.wait_for_tables(f"streaming {table} agrees", agrees, [table])
        oracle.assert_same_rows(table, shown(), wanted, key)


def _closes_before_the_end(table: str, row: dict[str, object]) -> bool:
    """Whether the row's window is closed by the frames of PAST_THE_HOUR."""
    time = {
        "gold_people_per_minute": "ts_minute",
        "gold_track_summary": "end_ts",
        "gold_zone_dwell": "ts_hour",
        "gold_zone_heatmap": "ts_hour",
    }[table]
    return row[time] < walkers.MIDNIGHT + timedelta(hours=1)  # type: ignore[operator]


def test_gold_streaming_started_again_from_the_beginning_leaves_a_closed_day_alone(
    deployment: Deployment, batched: Published
) -> None:
    for job in deployment.flink.jobs():
        if job.name == deployment.job_name("gold_streaming") and not job.status.is_terminal:
            deployment.cancel(job.job_id)
    corrected = "SELECT count(*) FROM gold_people_per_minute WHERE detections = -1"
    deployment.query(
        "UPDATE gold_people_per_minute SET detections = -1 "
        "WHERE ts_minute < TIMESTAMP '2026-11-25 00:00:00 UTC'"
    )
    before = deployment.query(corrected)[0][0]
    assert before
    deployment.query(
        "DELETE FROM gold_people_per_minute WHERE ts_minute >= TIMESTAMP '2026-11-25 00:00:00 UTC'"
    )
    deployment.start_afresh("gold_streaming", "--closed-days", "2026-11-24")
    deployment.wait_for_tables(
        "streaming Gold shows the open day",
        lambda: deployment.query("SELECT count(*) FROM gold_people_per_minute")[0][0] != before,
        ["gold_people_per_minute"],
    )
    assert deployment.query(corrected)[0][0] == before


def test_job_is_adopted_while_it_runs_and_resumed_without_loss_or_double_after_a_cancel(
    deployment: Deployment, batched: Published
) -> None:
    assert deployment.ensure("bronze_ingest").how is How.ADOPTED
    deployment.cancel(batched.bronze_job)
    extra = [b"after the cancel %d" % number for number in range(20)]
    with deployment.producer() as producer:
        for payload in extra:
            producer.send(payload)
    resumed = deployment.ensure("bronze_ingest")
    assert resumed.how is How.RESUMED
    deployment.wait_for_rows("bronze_raw", len(batched.payloads) + len(extra))
    wait_until(
        "the resumed job commits again",
        lambda: deployment.committed_checkpoint("bronze_raw", resumed.job_id) is not None,
    )
    rows = deployment.rows("bronze_raw")
    assert Counter(bytes(row["payload"]) for row in rows) == Counter(batched.payloads + extra)  # type: ignore[call-overload]
