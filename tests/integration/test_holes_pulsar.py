"""The known holes of Pulsar and its connector: each shown without our cover, and covered with it.

docs/operations.md, "Known holes of the parts", lists them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import httpx
import pulsar
import pytest

from flink_rest.errors import FreshStartRefused
from flink_rest.jobs import How, ensure_job
from flink_rest.settings import FlinkSettings
from frame_contract import encode, message_properties
from integration import walkers
from integration.bronze_counts import bronze_count, distinct_payloads, wait_for_payload
from integration.conftest import ANSWER_SECONDS, ROOT, Deployment, new_deployment, wait_until
from integration.publishing import numbered, publish, publish_in_batches, until
from integration.pulsar_admin import TopicAdmin, new_namespace
from integration.stack_servers import kill_while_bronze_fills
from lakehouse import tables
from replay.errors import TopicUnusable
from replay.settings import ReplaySettings
from replay.topic import Topic
from store_pipeline import jobs
from store_pipeline.settings import PipelineSettings

pytestmark = [pytest.mark.integration, pytest.mark.alone]

SUBSCRIPTION = "bronze"
TRIES = 5
"""Kills until batches must have lost something; each finds the job inside a batch but for luck."""
IN_BATCH = 200
REPLAYED, REPLAYED_A_SECOND = 40_000, 300
"""Two minutes: longer than two kills take. What is left after them is replayed at once."""
SIMULATED = 12_000
"""What the shipped scenario `small` sends."""
EVENING, NIGHT, MORNING = 300, 2000, 100
"""Messages before the job is down, while it is, and when it comes back."""
QUOTA_BYTES = 10_000


@pytest.fixture
def deployment(stack: dict[str, str]) -> Iterator[Deployment]:
    """One for each test: a hole must not reach into the next."""
    with new_deployment(stack) as made:
        yield made


def run(deployment: Deployment, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **deployment.variables},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def audit(deployment: Deployment, *arguments: str, expected: int) -> str:
    """What `python -m lakehouse audit` says; it must end with the expected exit code."""
    process = run(deployment, "lakehouse", "audit", *arguments)
    return told_at_end(process, expected)


def told_at_end(process: subprocess.Popen[str], expected: int = 0) -> str:
    """What a process has said; it must end with the expected exit code."""
    told, _ = process.communicate(timeout=900)
    assert process.returncode == expected, told
    return told


def test_batches_of_others_lose_messages_when_flink_recovers_and_the_audit_puts_them_back(
    deployment: Deployment,
) -> None:
    deployment.ensure("bronze_ingest")
    sent = lost = tries = 0
    while not lost and tries < TRIES:
        tries += 1
        killed = Event()
        with ThreadPoolExecutor(1) as others:
            try:
                batches = others.submit(
                    publish_in_batches, deployment, until(killed, f"try {tries}"), of=IN_BATCH
                )
                kill_while_bronze_fills(deployment)
                assert not batches.done()
            finally:
                killed.set()
        last = b"the last of try %d" % tries
        publish(deployment, [last])
        wait_for_payload(deployment, last)
        sent += batches.result() + 1
        lost = sent - distinct_payloads(deployment)
    print(f"{lost} of {sent} messages lost after {tries} kills")
    assert 0 < lost < tries * IN_BATCH
    assert bronze_count(deployment) == sent - lost

    assert f"{lost} missing, 0 doubled, 0 not yet read" in audit(deployment, expected=1)
    repaired = audit(deployment, "--repair", expected=0)
    assert f"{lost} missing messages appended" in repaired
    assert (distinct_payloads(deployment), bronze_count(deployment)) == (sent, sent)


def test_replay_and_simulator_publish_unbatched_and_the_same_kills_lose_nothing(
    deployment: Deployment, tmp_path: Path
) -> None:
    frames = walkers.frames("cam_01", start=walkers.MIDNIGHT, seconds=REPLAYED // 5, seed=1)
    jsonl = walkers.write(tmp_path / "frames.jsonl", frames)
    to = f"{deployment.variables['RVA_PULSAR_URL']}/{deployment.topic.partition('://')[2]}"
    total = REPLAYED + SIMULATED
    deployment.ensure("bronze_ingest")
    replay = ("replay", "--input", str(jsonl), "--topic", deployment.topic, "--fps")
    replaying = run(deployment, *replay, str(REPLAYED_A_SECOND))
    simulating = run(deployment, "store_simulator", "small", "--speed", "max", "--to", to)
    for _ in range(2):
        assert kill_while_bronze_fills(deployment) < total
    replaying.send_signal(signal.SIGINT)
    told_at_end(replaying, expected=130)
    told_at_end(run(deployment, *replay, "0"))
    told_at_end(simulating)
    deployment.wait_for_rows("bronze_raw", total)
    assert "0 missing, 0 doubled, 0 not yet read" in audit(deployment, expected=0)


def test_fresh_start_doubles_bronze_and_silver_stays_single(deployment: Deployment) -> None:
    frames = walkers.frames("cam_01", start=walkers.MIDNIGHT, seconds=60, seed=1)
    with deployment.producer() as producer:
        for frame in frames:
            producer.send(encode(frame), properties=message_properties(frame))
    detections = sum(len(frame.detections) for frame in frames)
    first = deployment.ensure("bronze_ingest")
    deployment.ensure("silver_detections")
    deployment.wait_for_rows("bronze_raw", len(frames))
    deployment.wait_for_rows("silver_detection", detections)
    deployment.cancel(first.job_id)

    deployment.start_afresh("bronze_ingest")
    deployment.wait_for_rows("bronze_raw", 2 * len(frames))
    doubled = f"0 missing, {len(frames)} doubled, 0 not yet read"
    assert doubled in audit(deployment, expected=1)
    # what comes last has come through Silver behind all that is doubled
    publish(deployment, [b"no frame"])
    deployment.wait_for_rows("silver_quarantine", 1)
    assert deployment.query("SELECT count(*) FROM silver_detection") == [[detections]]


def test_ensured_job_resumes_and_doubles_nothing_and_is_refused_without_its_checkpoint(
    deployment: Deployment,
) -> None:
    publish(deployment, numbered("before", 300))
    first = deployment.ensure("bronze_ingest")
    deployment.wait_for_rows("bronze_raw", 300)
    deployment.cancel(first.job_id)
    publish(deployment, numbered("while it is down", 200))
    resumed = deployment.ensure("bronze_ingest")
    assert resumed.how is How.RESUMED
    deployment.wait_for_rows("bronze_raw", 500)
    assert distinct_payloads(deployment) == 500
    deployment.cancel(resumed.job_id)

    checkpoints = FlinkSettings.from_env(deployment.variables).checkpoint_dir
    shutil.rmtree(checkpoints / deployment.job_name("bronze_ingest"))
    rebuild = jobs.bronze_ingest(PipelineSettings.from_env(deployment.variables))["how_to_rebuild"]
    with pytest.raises(FreshStartRefused) as refused:
        ensure_job(
            deployment.flink,
            replace(deployment.spec("bronze_ingest"), how_to_rebuild=rebuild),
            checkpoint_dir=checkpoints,
            target_rows=lambda table: tables.row_count(deployment.catalog, *table.split(".")),
        )
    assert 'make lakehouse ARGS="empty bronze_raw"' in str(refused.value)
    assert refused.value.rows == {f"{deployment.database}.bronze_raw": 500}
    assert deployment.query("SELECT count(*) FROM bronze_raw") == [[500]]


@pytest.mark.parametrize("accident", [TopicAdmin.delete_subscription, TopicAdmin.skip_all])
def test_resumed_job_goes_on_at_its_checkpoint_whatever_became_of_the_subscription(
    deployment: Deployment, accident: Callable[[TopicAdmin, str], None]
) -> None:
    publish(deployment, numbered("before", 300))
    first = deployment.ensure("bronze_ingest")
    deployment.wait_for_rows("bronze_raw", 300)
    deployment.cancel(first.job_id)
    publish(deployment, numbered("while it is down", 200))
    accident(TopicAdmin.of(deployment), SUBSCRIPTION)
    publish(deployment, numbered("later", 100))

    assert deployment.ensure("bronze_ingest").how is How.RESUMED
    deployment.wait_for_rows("bronze_raw", 600)
    assert distinct_payloads(deployment) == 600
    assert "0 missing, 0 doubled, 0 not yet read" in audit(deployment, expected=0)


@pytest.mark.parametrize(
    "is_covered",
    [
        # it only warns of what it could not do, and goes on to read from wherever the subscription
        # stands: here nothing but the other's hold on it is in the way of that
        pytest.param(False, id="hole"),
        pytest.param(True, id="covered"),
    ],
)
def test_job_that_cannot_go_back_to_its_checkpoint_does_not_read_from_elsewhere(
    deployment: Deployment, is_covered: bool
) -> None:
    publish(deployment, numbered("before", 300))
    first = deployment.ensure("bronze_ingest")
    deployment.wait_for_rows("bronze_raw", 300)
    deployment.cancel(first.job_id)
    publish(deployment, numbered("while it is down", 200))
    client = pulsar.Client(
        deployment.variables["RVA_PULSAR_URL"],
        logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error),
    )
    # what the connector goes back by is refused while another has the subscription
    client.subscribe(deployment.topic, SUBSCRIPTION)
    checkpoints = FlinkSettings.from_env(deployment.variables).checkpoint_dir
    resumed = ensure_job(
        deployment.flink,
        (deployment.spec if is_covered else deployment.uncovered_spec)("bronze_ingest"),
        checkpoint_dir=checkpoints,
        target_rows=lambda _: 0,
    )
    asked = f"{deployment.variables['RVA_FLINK_URL']}/jobs/{resumed.job_id}/exceptions"
    wait_until("the job fails", lambda: bool(deployment.flink.failures(resumed.job_id)))
    told = httpx.get(asked, timeout=ANSWER_SECONDS).text
    assert "ConsumerBusyException" in told
    assert ("IllegalArgumentException" in told) is is_covered
    client.close()
    deployment.wait_for_rows("bronze_raw", 500)
    assert distinct_payloads(deployment) == 500


def sleep_through_a_night(deployment: Deployment) -> None:
    """Publish while no job runs; the broker does all that its policies let it do; resume."""
    publish(deployment, numbered("evening", EVENING))
    first = deployment.ensure("bronze_ingest")
    deployment.wait_for_rows("bronze_raw", EVENING)
    deployment.cancel(first.job_id)
    publish(deployment, numbered("night", NIGHT))
    topic = TopicAdmin.of(deployment)
    topic.expire_all(SUBSCRIPTION)
    topic.let_go()
    publish(deployment, numbered("morning", MORNING))
    assert deployment.ensure("bronze_ingest").how is How.RESUMED


def test_night_is_lost_under_pulsars_own_policies_and_the_audit_tells(
    stack: dict[str, str],
) -> None:
    with new_namespace(stack) as namespace, new_deployment(stack, namespace) as deployment:
        sleep_through_a_night(deployment)
        deployment.wait_for_rows("bronze_raw", EVENING + MORNING)
        told = audit(deployment, "--repair", expected=0)
        assert f"{MORNING} messages" in told
        assert f"{EVENING} rows are of messages that the topic has let go" in told


def test_night_is_read_whole_under_our_policies(deployment: Deployment) -> None:
    sleep_through_a_night(deployment)
    deployment.wait_for_rows("bronze_raw", EVENING + NIGHT + MORNING)
    assert distinct_payloads(deployment) == EVENING + NIGHT + MORNING
    assert "0 missing, 0 doubled, 0 not yet read" in audit(deployment, expected=0)


def test_backlog_quota_refuses_producers_and_ours_does_not(
    stack: dict[str, str], deployment: Deployment
) -> None:
    def fill(full: Deployment) -> None:
        client = pulsar.Client(full.variables["RVA_PULSAR_URL"])
        client.subscribe(full.topic, SUBSCRIPTION)
        client.close()
        publish(full, [bytes(1000)] * (2 * QUOTA_BYTES // 1000))

    quota = {"limitSize": QUOTA_BYTES, "limitTime": -1, "policy": "producer_exception"}
    with new_namespace(stack, quota) as namespace, new_deployment(stack, namespace) as tight:
        fill(tight)
        settings = ReplaySettings.from_env(tight.variables)
        with Topic(settings) as topic, pytest.raises(TopicUnusable, match="QuotaExceeded"):
            topic.producer("run")
    fill(deployment)
    with Topic(ReplaySettings.from_env(deployment.variables)) as topic:
        assert topic.last_sequence_id("run") == 0


def test_our_namespace_keeps_everything_and_refuses_nothing(deployment: Deployment) -> None:
    admin = deployment.variables["RVA_PULSAR_ADMIN_URL"]
    answer = httpx.get(f"{admin}/admin/v2/namespaces/retail/metadata", timeout=ANSWER_SECONDS)
    policies = answer.raise_for_status().json()
    assert policies["retention_policies"] == {
        "retentionTimeInMinutes": -1,
        "retentionSizeInMB": -1,
    }
    quota = policies["backlog_quota_map"]["destination_storage"]
    assert (quota["limitSize"], quota["limitTime"]) == (-1, -1)
    assert policies.get("message_ttl_in_seconds") in (None, 0)
