"""Vision straight to a real broker: what replay would send, each frame once, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from frame_contract.health import HealthEvent, decode_health, health_properties
from frame_contract.timestamps import epoch_milliseconds
from integration.conftest import ANSWER_SECONDS, ROOT, stack_variables
from integration.topics import (
    ADMIN_URL,
    PULSAR_URL,
    messages_of,
    new_topic,
    require_broker,
    wait_for_messages,
)
from replay.publish import replay_file
from replay.settings import ReplaySettings
from replay.summary import ReplaySummary

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1200)]

FRAMES = 60
RUN = ("--run-id", "store_01-cam_01-1", "--start-time", "2026-11-24T10:15:00Z")
QUICK = ("--detector", "hog", "--image-size", "160")


@pytest.fixture(scope="module", autouse=True)
def _broker_is_up() -> None:
    require_broker()


@pytest.fixture
def topic() -> Iterator[str]:
    with new_topic("test-vision") as name:
        yield name


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    variables = {**os.environ, **stack_variables()}
    variables.pop("RVA_TOPIC", None)
    return variables


@pytest.fixture(scope="module")
def video(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "sample.mp4"
    done = vision(environment, "sample", "--codec", "mp4v", "--output", str(path))
    assert done.returncode == 0, done.stderr
    return path


def vision_command(environment: dict[str, str], *arguments: str) -> list[str]:
    return [environment["RVA_VISION_PYTHON"], "-m", "vision", *arguments]


def vision(
    environment: dict[str, str], *arguments: str, folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        vision_command(environment, *arguments),
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def address(topic: str) -> str:
    """What `--to` takes."""
    return f"{PULSAR_URL}/{topic.removeprefix('persistent://')}"


def extract_arguments(video: Path, topic: str, *more: str) -> tuple[str, ...]:
    limit = ("--max-frames", str(FRAMES))
    return ("--input", str(video), "--to", address(topic), *QUICK, *RUN, *limit, *more)


def replay(path: Path, topic: str) -> ReplaySummary:
    return replay_file(path, ReplaySettings(pulsar_url=PULSAR_URL, topic=topic, fps=0))


def as_sent(message: Any) -> tuple[object, ...]:
    return (
        message.data(),
        message.producer_name(),
        message.partition_key(),
        message.event_timestamp(),
        message.properties(),
    )


def killed_in_the_middle(
    environment: dict[str, str], topic: str, arguments: tuple[str, ...]
) -> None:
    process = subprocess.Popen(
        vision_command(environment, *arguments),
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_messages(topic, 5)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"


def test_vision_sends_what_replay_sends_and_replay_finds_it_sent(
    environment: dict[str, str], video: Path, topic: str, tmp_path: Path
) -> None:
    jsonl = tmp_path / "video.jsonl"
    done = vision(environment, *extract_arguments(video, topic, "--output", str(jsonl)))
    assert done.returncode == 0, done.stderr
    messages = messages_of(topic)
    assert [message.data() for message in messages] == jsonl.read_bytes().splitlines()
    assert len(messages) == FRAMES
    # a place in a batch would be lost when Flink recovers (FLINK-36180)
    assert {message.message_id().batch_index() for message in messages} == {-1}
    assert json.loads((tmp_path / "video.summary.json").read_text())["published"] == FRAMES

    again = replay(jsonl, topic)
    assert (again.published, again.already_published) == (0, FRAMES)
    assert len(messages_of(topic)) == FRAMES

    with new_topic("test-vision") as other:
        replay(jsonl, other)
        assert list(map(as_sent, messages_of(other))) == list(map(as_sent, messages))


def test_publishing_that_was_killed_is_made_whole_by_the_same_run(
    environment: dict[str, str], video: Path, topic: str, tmp_path: Path
) -> None:
    arguments = extract_arguments(video, topic, "--image-size", "480")
    killed_in_the_middle(environment, topic, arguments)
    sent = len(messages_of(topic))
    assert 0 < sent < FRAMES
    done = vision(environment, *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    indices = [json.loads(message.data())["frame_index"] for message in messages_of(topic)]
    assert indices == list(range(FRAMES))


def test_publishing_that_was_killed_is_made_whole_by_replay_and_by_resuming(
    environment: dict[str, str], video: Path, topic: str, tmp_path: Path
) -> None:
    jsonl = tmp_path / "video.jsonl"
    arguments = extract_arguments(video, topic, "--image-size", "480", "--output", str(jsonl))
    killed_in_the_middle(environment, topic, arguments)
    partial = tmp_path / "video.jsonl.partial"
    written = partial.read_bytes().splitlines()
    summary = replay(partial, topic)
    assert summary.read == len(written)
    assert [message.data() for message in messages_of(topic)] == written

    done = vision(environment, *arguments, "--resume")
    assert done.returncode == 0, done.stderr
    lines = jsonl.read_bytes().splitlines()
    assert len(lines) == FRAMES
    assert [message.data() for message in messages_of(topic)] == lines


def test_cameras_publish_side_by_side(
    environment: dict[str, str], video: Path, topic: str, tmp_path: Path
) -> None:
    (tmp_path / "cameras.yaml").write_text(
        "store: store_01\n"
        "defaults: {detector: hog, image_size: 160, max_frames: 30}\n"
        f"cameras: [{{camera: a, source: {video}}}, {{camera: b, source: {video}}}]\n"
    )
    done = subprocess.run(
        vision_command(environment, "cameras", "cameras.yaml", "--to", address(topic)),
        env={**environment, "RVA_DATA_DIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [
        (message.partition_key(), json.loads(message.data())["frame_index"])
        for message in messages_of(topic)
    ]
    for key in ("store_01/a", "store_01/b"):
        assert [index for camera, index in found if camera == key] == list(range(30))
    folder = tmp_path / "metadata" / "cameras"
    summary = json.loads((folder / "cameras.summary.json").read_text())
    assert [camera["published"] for camera in summary["cameras"]] == [30, 30]
    assert not list(folder.glob("*.jsonl"))


TELL = """
import sys
from pathlib import Path
from frame_contract import Source
from frame_contract.health import HealthEvent
from vision.health import HealthLog
source = Source(store_id="store_01", camera_id="cam_01", stream_id="stream_001")
with HealthLog(source, "run_1", path=Path(sys.argv[2]), to=sys.argv[1]) as log:
    log.tell(HealthEvent.SILENT, silent_seconds=10.0, frames=7)
    log.tell(HealthEvent.RETURNED, silent_seconds=12.0, frames=7, reconnections=1)
"""


def test_health_events_have_a_topic_of_their_own_beside_the_frames(
    environment: dict[str, str], tmp_path: Path
) -> None:
    namespace = f"retail/test-{uuid.uuid4().hex[:8]}"
    admin = f"{ADMIN_URL}/admin/v2/namespaces/{namespace}"
    clusters = httpx.get(f"{ADMIN_URL}/admin/v2/clusters", timeout=ANSWER_SECONDS).json()
    of_namespace = {"replication_clusters": clusters}
    httpx.put(admin, json=of_namespace, timeout=ANSWER_SECONDS).raise_for_status()
    deduplication = f"{admin}/deduplication"
    httpx.post(deduplication, json=True, timeout=ANSWER_SECONDS).raise_for_status()
    log = tmp_path / "cam_01.health.jsonl"
    try:
        for _ in range(2):
            told = subprocess.run(
                [
                    environment["RVA_VISION_PYTHON"],
                    *("-c", TELL, f"{PULSAR_URL}/{namespace}/events", str(log)),
                ],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stderr
        assert "store_01/cam_01: no frame for 10 s" in told
        messages = messages_of(f"persistent://{namespace}/health")
        assert [message.data() for message in messages] == log.read_bytes().splitlines()
        events = [decode_health(message.data()) for message in messages]
        assert [each.event for each in events] == [HealthEvent.SILENT, HealthEvent.RETURNED] * 2
        for message, event in zip(messages, events, strict=True):
            assert message.properties() == health_properties(event)
            assert message.partition_key() == "store_01/cam_01"
            assert message.event_timestamp() == epoch_milliseconds(event.at)
        in_namespace = f"{ADMIN_URL}/admin/v2/persistent/{namespace}"
        topics = httpx.get(in_namespace, timeout=ANSWER_SECONDS).json()
        assert topics == [f"persistent://{namespace}/health"]
    finally:
        httpx.delete(admin, params={"force": "true"}, timeout=2 * ANSWER_SECONDS)


def test_namespace_that_is_not_there_is_one_line_and_exit_code_2(
    environment: dict[str, str], video: Path, tmp_path: Path
) -> None:
    jsonl = tmp_path / "video.jsonl"
    done = vision(
        environment,
        *extract_arguments(video, "persistent://retail/nowhere/events", "--output", str(jsonl)),
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: no publishing to persistent://retail/nowhere/events")
    assert done.stderr.count("\n") == 1
