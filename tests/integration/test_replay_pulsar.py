"""Replay against a real broker: each frame once, whatever happens on the way."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from frame_contract import (
    BBox,
    Detection,
    Frame,
    ImageSize,
    Model,
    Source,
    encode,
    event_time_ms,
    message_key,
    message_properties,
)
from integration.topics import (
    PULSAR_URL,
    message_count,
    messages_of,
    new_topic,
    require_broker,
    wait_for_messages,
)
from replay.errors import RunTaken, TopicUnusable
from replay.publish import replay_file
from replay.settings import ReplaySettings
from replay.topic import Topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

STARTED_AT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
RUN = "store_01-cam_01-20261124T101500Z"


@pytest.fixture(scope="module", autouse=True)
def _broker_is_up() -> None:
    require_broker()


@pytest.fixture
def topic() -> Iterator[str]:
    """A topic of its own, deleted after the test."""
    with new_topic("test-replay") as name:
        yield name


def frame(index: int, camera_id: str = "cam_01") -> Frame:
    return Frame(
        schema_version="1.0",
        run_id=f"store_01-{camera_id}-20261124T101500Z",
        source=Source(store_id="store_01", camera_id=camera_id, stream_id="stream_001"),
        frame_index=index,
        capture_ts=STARTED_AT + timedelta(milliseconds=40 * index),
        image_size=ImageSize(width=640, height=480),
        detections=(
            Detection(
                det_id=f"d_{index}",
                class_name="person",
                bbox=BBox(x1=1, y1=2, x2=3, y2=4),
                conf=0.5,
                track_id=1,
            ),
        ),
        model=Model(detector="hog", tracker="deepsort"),
    )


def write(path: Path, frames: list[Frame]) -> Path:
    path.write_bytes(b"".join(encode(each) + b"\n" for each in frames))
    return path


def command(path: Path, topic: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "replay", "--input", str(path), "--topic", topic, *arguments]


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, timeout=400, check=False)


def test_each_frame_is_in_the_topic_once_as_it_was_written(tmp_path: Path, topic: str) -> None:
    frames = [frame(i) for i in range(300)]
    path = write(tmp_path / "video.jsonl", frames)
    settings = ReplaySettings(pulsar_url=PULSAR_URL, topic=topic, fps=0)

    first, second = replay_file(path, settings), replay_file(path, settings)

    assert (first.read, first.published, first.already_published) == (300, 300, 0)
    assert (second.read, second.published, second.already_published) == (300, 0, 300)
    assert first.is_deduplicated
    messages = messages_of(topic)
    assert [message.data() for message in messages] == [encode(each) for each in frames]
    for message, each in zip(messages, frames, strict=True):
        assert message.producer_name() == RUN
        assert message.properties() == message_properties(each)
        assert message.partition_key() == message_key(each)
        assert message.event_timestamp() == event_time_ms(each)


def test_a_replay_that_was_killed_goes_on_and_doubles_nothing(tmp_path: Path, topic: str) -> None:
    frames = [frame(i, camera) for i in range(10_000) for camera in ("cam_01", "cam_02")]
    path = write(tmp_path / "video.jsonl", frames)
    there = 0
    for _ in range(3):
        # so slow that a killer who is kept waiting for half a minute comes in time
        process = subprocess.Popen(command(path, topic, "--fps", "200"), stderr=subprocess.DEVNULL)
        wait_for_messages(topic, there + 300)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        there = message_count(topic)

    last = run_command(*command(path, topic, "--fps", "0"))

    assert last.returncode == 0, last.stderr
    payloads = [message.data() for message in messages_of(topic)]
    assert len(payloads) == len(frames)
    assert set(payloads) == {encode(each) for each in frames}


def test_a_replay_that_is_interrupted_says_how_to_go_on(tmp_path: Path, topic: str) -> None:
    path = write(tmp_path / "video.jsonl", [frame(i) for i in range(2000)])
    process = subprocess.Popen(
        command(path, topic, "--fps", "20"), stdout=subprocess.PIPE, stderr=None, text=True
    )
    wait_for_messages(topic, 50)

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "stopped: run the same command again" in output
    published = len(messages_of(topic))
    assert f" {published:,} published, 0 already published" in output
    summary = tmp_path / "summary.json"
    again = run_command(*command(path, topic, "--fps", "0", "--summary", str(summary)))
    assert again.returncode == 0
    assert json.loads(summary.read_text())["already_published"] == published
    assert len(messages_of(topic)) == 2000


def test_raw_lines_are_in_the_topic_once_as_they_are(tmp_path: Path, topic: str) -> None:
    path = tmp_path / "broken.jsonl"
    lines = [b"hello", b'{"source":{"store_id":"S001"}}', b"", b"\xff\xfe\x00", encode(frame(0))]
    path.write_bytes(b"\n".join(lines) + b"\n")

    refused = run_command(*command(path, topic))
    for _ in range(2):
        assert run_command(*command(path, topic, "--raw", "--fps", "0")).returncode == 0

    assert refused.returncode == 2
    assert "line 1: message_not_json" in refused.stderr
    messages = messages_of(topic)
    assert [message.data() for message in messages] == lines
    assert [message.properties() for message in messages[:4]] == [{}, {"store_id": "S001"}, {}, {}]
    assert messages[4].properties() == message_properties(frame(0))


def test_two_replays_of_one_run_at_once_are_refused(tmp_path: Path, topic: str) -> None:
    path = write(tmp_path / "video.jsonl", [frame(0)])
    settings = ReplaySettings(pulsar_url=PULSAR_URL, topic=topic, fps=0)
    with Topic(settings) as other:
        other.producer(RUN)

        with pytest.raises(RunTaken, match="by another replay"):
            replay_file(path, settings)

    assert replay_file(path, settings).published == 1


def test_a_namespace_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "video.jsonl", [frame(0)])
    topic = "persistent://retail/nowhere/events"

    with pytest.raises(TopicUnusable, match="retail/nowhere/events"):
        replay_file(path, ReplaySettings(pulsar_url=PULSAR_URL, topic=topic, fps=0))


def test_a_broker_that_is_down_is_one_clear_line(tmp_path: Path) -> None:
    path = write(tmp_path / "video.jsonl", [frame(0)])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"pulsar://127.0.0.1:{probe.getsockname()[1]}"

    done = run_command(sys.executable, "-m", "replay", "--input", str(path), "--pulsar-url", url)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: Pulsar at {url} does not answer")
