"""10,000 fuzzed messages through the real Pulsar and Flink: each is accounted for."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from random import Random

import fuzzed_payloads
import pulsar
import pytest

from frame_contract import MAX_MESSAGE_BYTES
from integration.conftest import Deployment
from lakehouse.proving.reading import read

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED = 20261124
LARGEST = [
    b'{"run_id":'
    + b"[" * (MAX_MESSAGE_BYTES // 2 - 8)
    + b"]" * (MAX_MESSAGE_BYTES // 2 - 8)
    + b"}",
    b"\xff" * MAX_MESSAGE_BYTES,
    b" " * (MAX_MESSAGE_BYTES + 1),
]
MESSAGES = 10_000


def payloads() -> list[bytes]:
    random = Random(SEED)
    fuzzed = [fuzzed_payloads.payload(random) for _ in range(MESSAGES - len(LARGEST))]
    return [*fuzzed[:5000], *LARGEST, *fuzzed[5000:]]


def test_every_fuzzed_message_is_accounted_for_and_the_jobs_run_on(deployment: Deployment) -> None:
    sent = payloads()
    jobs = [deployment.ensure(name) for name in ("bronze_ingest", "silver_detections")]
    results: Counter[pulsar.Result] = Counter()
    with deployment.producer() as producer:
        for payload in sent:
            producer.send_async(payload, lambda result, _: results.update([result]))
        producer.flush()
    assert results == {pulsar.Result.Ok: MESSAGES}

    # what the words of docs/message.md make of them, read by code that the jobs do not share
    unusable: Counter[str] = Counter()
    kept: Counter[str | None] = Counter()
    detections: set[tuple[object, ...]] = set()
    rejected: dict[tuple[object, ...], str] = {}
    for payload in sent:
        message = read(payload)
        if message.reason is not None:
            unusable[message.reason] += 1
            kept[message.kept] += 1
            continue
        frame = (message.store_id, message.camera_id, message.run_id, message.frame_index)
        for each in message.detections:
            detections.add((*frame, message.capture_ms, each.det_id))
        for bad in message.rejected:
            rejected.setdefault((*frame, message.capture_ms, bad.place, bad.text), bad.reason)
    reasons = unusable + Counter(rejected.values())

    deployment.wait_for_rows("bronze_raw", MESSAGES)
    deployment.wait_for_rows("silver_detection", len(detections))
    deployment.wait_for_rows("silver_quarantine", reasons.total())
    bronze = deployment.query("SELECT message_id, payload FROM bronze_raw")
    assert len({bytes(row[0]) for row in bronze}) == MESSAGES  # type: ignore[call-overload]
    assert Counter(bytes(row[1]) for row in bronze) == Counter(sent)  # type: ignore[call-overload]
    assert {
        (
            *(row[name] for name in ("store_id", "camera_id", "run_id", "frame_index")),
            _milliseconds(row["capture_ts"]),
            row["det_id"],
        )
        for row in deployment.rows("silver_detection")
    } == detections
    kept.update(str(key[-1]) for key in rejected)
    assert Counter(row["payload"] for row in deployment.rows("silver_quarantine")) == kept
    counted = deployment.query("SELECT reason, count(*) FROM silver_quarantine GROUP BY reason")
    assert dict(counted) == dict(reasons)  # type: ignore[arg-type]
    for job in jobs:
        assert deployment.flink.job(job.job_id).runs_with_all_tasks
        assert deployment.flink.failures(job.job_id) == ()


def _milliseconds(moment: object) -> int:
    assert isinstance(moment, datetime)
    return round(moment.timestamp() * 1000)
