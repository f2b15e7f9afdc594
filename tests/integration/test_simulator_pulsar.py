"""The simulator against a real broker: every message arrives, once, as it was simulated."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from frame_contract import (
    MAX_MESSAGE_BYTES,
    decode,
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
from store_simulator.scenario_file import shipped

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

COMMAND = [sys.executable, "-m", "store_simulator"]


@pytest.fixture(scope="module", autouse=True)
def _broker_is_up() -> None:
    require_broker()


@pytest.fixture
def topic() -> Iterator[str]:
    """A topic of its own, deleted after the test."""
    with new_topic("test-simulator") as name:
        yield name


def simulate(topic: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    to = f"{PULSAR_URL}/{topic.removeprefix('persistent://')}"
    return subprocess.run(
        [*COMMAND, *arguments, "--to", to], capture_output=True, text=True, timeout=400, check=False
    )


def payloads_of(folder: Path) -> Counter[bytes]:
    return Counter(
        line
        for pattern in ("*.jsonl", "*.raw")
        for path in folder.glob(pattern)
        for line in path.read_bytes().split(b"\n")[:-1]
    )


def test_small_scenario_is_in_the_topic_frame_by_frame(tmp_path: Path, topic: str) -> None:
    done = simulate(topic, "small", "--speed", "max", "--out", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert " 12,000 simulated, 12,000 published, 0 already published" in done.stdout
    messages = messages_of(topic)
    assert len(messages) == 12_000
    assert Counter(message.data() for message in messages) == payloads_of(tmp_path)
    positions: Counter[str] = Counter()
    for message in messages:
        frame = decode(message.data())
        assert message.producer_name() == frame.run_id
        # each camera's frames in their order
        assert frame.frame_index == positions[frame.run_id]
        positions[frame.run_id] += 1
        assert message.properties() == message_properties(frame)
        assert message.partition_key() == message_key(frame)
        assert message.event_timestamp() == event_time_ms(frame)
    again = simulate(topic, "small")
    assert " 12,000 simulated, 0 published, 12,000 already published" in again.stdout
    assert len(messages_of(topic)) == 12_000


def test_noisy_publishing_that_is_killed_and_interrupted_loses_and_doubles_nothing(
    tmp_path: Path, topic: str
) -> None:
    scenario = ("noisy", "--duration-minutes", "2")
    to = f"{PULSAR_URL}/{topic.removeprefix('persistent://')}"
    there = 0
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen(
            [*COMMAND, *scenario, "--to", to, "--speed", "2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        wait_for_messages(topic, there + 400)
        process.send_signal(number)
        said, _ = process.communicate(timeout=240)
        assert process.returncode == (130 if number == signal.SIGINT else -number)
        assert number == signal.SIGKILL or "go on where it ended" in said
        there = message_count(topic)

    done = simulate(topic, *scenario, "--out", str(tmp_path))

    assert done.returncode == 0, done.stderr
    found = Counter(message.data() for message in messages_of(topic))
    assert found == payloads_of(tmp_path)
    assert found.total() == pq.read_metadata(tmp_path / "truth" / "messages.parquet").num_rows
    assert max(found.values()) == 2


def test_oversize_payloads_and_other_encodings_arrive_as_they_are(
    tmp_path: Path, topic: str
) -> None:
    small = shipped()["small"].read_text()
    path = tmp_path / "large.yaml"
    path.write_text(f"{small}noise:\n  oversize: 0.005\n  other_encodings: 0.1\n")

    done = simulate(topic, str(path), "--duration-minutes", "1", "--out", str(tmp_path / "out"))

    assert done.returncode == 0, done.stderr
    found = Counter(message.data() for message in messages_of(topic))
    assert found == payloads_of(tmp_path / "out")
    assert max(len(payload) for payload in found) > MAX_MESSAGE_BYTES
