"""The audit on the real servers: a hole in Bronze is named, put back, and reaches Silver once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from random import Random

import fuzzed_payloads
import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import In

from frame_contract import message_properties
from integration import walkers
from integration.conftest import ROOT, Deployment, wait_until
from integration.publishing import publish_in_batches
from lakehouse import tables
from lakehouse.audit.bronze_rows import bronze_row
from lakehouse.audit.message_ids import MessageId, as_flink_writes
from lakehouse.schema import TABLES
from oracle import oracle
from replay.retained import RetainedMessage, RetainedTopic
from replay.settings import ReplaySettings

pytestmark = pytest.mark.integration

BATCHED, UNDESCRIBED, LATER = 300, 400, 7
HOLE = 60
"""Messages of every kind that are taken out of Bronze; test_holes_pulsar.py has real losses."""


@dataclass
class Published:
    """What was sent, what Bronze had of it, and which messages were then taken out of Bronze."""

    jsonl: Path
    messages: dict[bytes, RetainedMessage]
    bronze: dict[bytes, dict[str, object]]
    hole: set[bytes]
    bronze_job: str


def audit(
    deployment: Deployment, *arguments: str, expected: int
) -> subprocess.CompletedProcess[str]:
    """Run the command; it must end with the expected exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "lakehouse", "audit", *arguments],
        env={**os.environ, **deployment.variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done


def bronze_rows(deployment: Deployment) -> dict[bytes, dict[str, object]]:
    """Bronze by message id, without the time at which it was written."""
    rows = deployment.rows("bronze_raw")
    found = {bytes(row["message_id"]): row for row in rows}  # type: ignore[call-overload]
    assert len(found) == len(rows)
    for row in rows:
        del row["ingest_ts"]
    return found


def all_messages(deployment: Deployment) -> Iterator[RetainedMessage]:
    with RetainedTopic(ReplaySettings.from_env(deployment.variables)) as topic:
        for partition in topic.partitions():
            yield from topic.read(partition)


def undescribed() -> list[bytes]:
    """Payloads of all kinds, save those that are too deep for Python's JSON (`bronze_rows`)."""
    fuzzed = (fuzzed_payloads.payload(Random(seed)) for seed in count())
    shallow = (each for each in fuzzed if each.count(b"[") + each.count(b'{"a"') < 500)
    return list(islice(shallow, UNDESCRIBED))


def take_out(deployment: Deployment, message_ids: Sequence[bytes]) -> None:
    """Delete rows of Bronze while the job commits to it."""
    for _ in range(20):
        try:
            table = tables.load(deployment.catalog, deployment.database, "bronze_raw")
            table.delete(In("message_id", message_ids))
        except CommitFailedException:
            time.sleep(0.2)
        else:
            return
    pytest.fail("every deletion met a commit of the job")


@pytest.fixture(scope="module")
def published(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Described frames one by one, undescribed payloads of all kinds, and frames in batches."""
    frames = walkers.frames("cam_01", start=walkers.MIDNIGHT, seconds=120, seed=4)
    jsonl = walkers.write(tmp_path_factory.mktemp("frames") / "frames.jsonl", frames)
    lines = jsonl.read_bytes().splitlines()
    one_by_one = len(lines) - BATCHED
    job = deployment.ensure("bronze_ingest")
    with deployment.producer() as producer:
        for frame, line in zip(frames[:one_by_one], lines, strict=False):
            producer.send_async(line, lambda *_: None, properties=message_properties(frame))
        for payload in undescribed():
            producer.send_async(payload, lambda *_: None)
        producer.flush()
    publish_in_batches(deployment, lines[one_by_one:], of=50)
    total = len(lines) + UNDESCRIBED
    deployment.wait_for_rows("bronze_raw", total)
    rows = bronze_rows(deployment)
    messages = {as_flink_writes(each.message_id): each for each in all_messages(deployment)}
    in_order = list(messages)
    hole = set(Random(7).sample(in_order[:-1], HOLE - 2)) | {in_order[0], in_order[-2]}
    take_out(deployment, sorted(hole))
    deployment.wait_for_rows("bronze_raw", total - len(hole))
    return Published(jsonl, messages, rows, hole, job.job_id)


def test_ids_that_are_read_are_those_that_flink_wrote_byte_for_byte(published: Published) -> None:
    assert published.messages.keys() == published.bronze.keys()
    batched = [each for each in map(MessageId.parse, published.messages) if each.batch_index > 0]
    assert len(batched) > BATCHED / 2


def test_row_of_any_message_is_the_one_that_flink_wrote(published: Published) -> None:
    now = walkers.MIDNIGHT
    for message_id, message in published.messages.items():
        row = bronze_row(message, now)
        del row["ingest_ts"]
        assert row == published.bronze[message_id], message.payload[:300]


def test_hole_is_named_and_repaired_and_silver_has_each_detection_once(
    deployment: Deployment, published: Published, tmp_path: Path
) -> None:
    silver = deployment.ensure("silver_detections")
    findings = tmp_path / "findings.jsonl"
    named = audit(deployment, "--findings", str(findings), expected=1)
    assert f"{len(published.hole)} missing, 0 doubled, 0 not yet read" in named.stdout
    found = [json.loads(line) for line in findings.read_text().splitlines()]
    assert {bytes.fromhex(each["message_id"]) for each in found} == published.hole
    assert {each["fault"] for each in found} == {"missing"}
    for each in found:
        row = published.bronze[bytes.fromhex(each["message_id"])]
        assert (each["run_id"], each["frame_index"]) == (row["run_id"], row["frame_index"])

    repaired = audit(deployment, "--repair", expected=0)
    assert f"{len(published.hole)} missing messages appended" in repaired.stdout
    assert "0 missing, 0 doubled" in audit(deployment, "--repair", expected=0).stdout
    assert bronze_rows(deployment) == published.bronze

    expected = oracle.expected([published.jsonl])["silver_detection"]
    ours = "FROM silver_detection WHERE stream_id = 'cam_01_stream'"
    deployment.wait_for_tables(
        "Silver has the repaired messages",
        lambda: deployment.query(f"SELECT count(*) {ours}") == [[len(expected)]],
        ["silver_detection"],
    )
    rows = [row for row in deployment.rows("silver_detection") if row["stream_id"] != "stream_001"]
    oracle.assert_same_rows("silver_detection", rows, expected, TABLES["silver_detection"].key)
    for job_id in (published.bronze_job, silver.job_id):
        wait_until(
            f"{job_id} runs with all its tasks",
            lambda job_id=job_id: deployment.flink.job(job_id).runs_with_all_tasks,  # type: ignore[misc]
        )


def test_what_is_later_than_bronze_is_not_yet_read_and_no_error(
    deployment: Deployment, published: Published
) -> None:
    deployment.cancel(published.bronze_job)
    with deployment.producer() as producer:
        for number in range(LATER):
            producer.send(b"later %d" % number)
    told = audit(deployment, "--repair", expected=0).stdout
    assert f"0 missing, 0 doubled, {LATER} not yet read" in told
    deployment.ensure("bronze_ingest")
    deployment.wait_for_rows("bronze_raw", len(published.messages) + LATER)
    assert "0 missing, 0 doubled, 0 not yet read" in audit(deployment, expected=0).stdout


def test_doubled_message_is_named(deployment: Deployment, published: Published) -> None:
    table = tables.load(deployment.catalog, deployment.database, "bronze_raw")
    doubled = min(published.messages)
    table.append(table.scan(row_filter=In("message_id", [doubled])).to_arrow())
    told = audit(deployment, expected=1).stdout
    assert "0 missing, 1 doubled" in told
    assert f"({doubled.hex()})" in told


def test_topic_without_messages_beside_rows_cannot_be_audited(
    deployment: Deployment, published: Published
) -> None:
    other = Deployment(**{**vars(deployment), "variables": dict(deployment.variables)})
    other.variables["RVA_TOPIC"] = f"{deployment.topic}-none"
    told = audit(other, expected=2)
    assert "holds no message" in told.stderr
    assert told.stderr.count("\n") == 1
