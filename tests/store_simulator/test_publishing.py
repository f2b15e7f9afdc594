"""To a broker in memory: names, numbers, order, and going on where it ended."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import scenes
from fake_pulsar import FakeBroker, Stored, running

from frame_contract import explain
from replay.errors import TopicUnusable
from replay.publish import replay_file
from replay.settings import ReplaySettings
from store_simulator.errors import BadDestination
from store_simulator.publishing import Destination, Published, parse_destination, publish
from store_simulator.scenario import Noise, Scenario

TO = Destination("pulsar://127.0.0.1:6650", "persistent://retail/metadata/events")
RUNS = [f"store_01-{camera}-20261123T100000Z-s7" for camera in ("cam_01", "cam_02")]
NOISE = Noise(
    duplicates=0.3,
    late=0.2,
    late_from_seconds=1.0,
    late_to_seconds=5.0,
    first_generation=0.2,
    malformed=0.2,
    partial=0.2,
    other_encodings=0.1,
    dropped_frames=0.2,
)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    with running(FakeBroker(), monkeypatch) as one:
        yield one


def send(
    scenario: Scenario, stop: threading.Event | None = None, speed: float | None = None
) -> Published:
    return publish(scenario, TO, stop or threading.Event(), times_real_time=speed)


class Clock(threading.Event):
    """A stop that is waited for by a clock of its own: waiting moves it on, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds += timeout
        return self.is_set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr("store_simulator.publishing.time", one)
    return one


def sent_after(broker: FakeBroker, clock: Clock) -> list[float]:
    """From now on: when each message is sent, in seconds."""
    began = clock.seconds
    after: list[float] = []
    broker.before_send = lambda _: after.append(clock.seconds - began)
    return after


def noisy(minutes: float = 0.3) -> Scenario:
    return scenes.scenario(minutes, noise=NOISE)


def expected(scenario: Scenario) -> Counter[bytes]:
    return Counter(
        payload
        for camera in (0, 1)
        for payload in scenes.sent(scenes.run_of(scenario, camera)).payloads
    )


def test_clean_frames_are_published_just_as_replay_publishes_their_files(
    broker: FakeBroker, tmp_path: Path
) -> None:
    clean = scenes.scenario(0.2)
    result = send(clean)
    published = {(each.producer_name, each.sequence_id): each for each in broker.stored}
    scenes.write(clean, tmp_path / "out")

    for path in sorted((tmp_path / "out").glob("*.jsonl")):
        again = replay_file(path, ReplaySettings(fps=0))
        assert (again.published, again.already_published) == (0, 120)
    assert (result.simulated, result.published, result.was_stopped) == (240, 240, False)
    assert len(broker.stored) == len(published) == 240
    assert {name for name, _ in published} == set(RUNS)


def test_cameras_are_merged_by_the_time_of_sending(broker: FakeBroker) -> None:
    send(scenes.scenario(0.2))

    found = [(int(m.properties["frame_index"]), m.properties["camera_id"]) for m in broker.stored]
    assert found == [(index, camera) for index in range(120) for camera in ("cam_01", "cam_02")]


def test_with_all_noise_every_message_arrives_as_it_was_simulated(broker: FakeBroker) -> None:
    result = send(noisy())

    assert Counter(message.payload for message in broker.stored) == expected(noisy())
    assert result.published == result.simulated == len(broker.stored)


def test_noisy_messages_have_the_names_and_properties_of_their_kind(broker: FakeBroker) -> None:
    send(noisy())

    seen: dict[bytes, Stored] = {}
    kinds: Counter[str] = Counter()
    for message in broker.stored:
        report = explain(message.payload)
        kind = _kind(message)
        kinds[kind] += 1
        assert (kind == "again") == (message.payload in seen)
        seen.setdefault(message.payload, message)
        if report.frame is None:
            assert kind in ("unusable", "again")
            continue
        frame = report.frame
        assert message.key == f"store_01/{frame.source.camera_id}"
        assert message.properties["frame_index"] == str(frame.frame_index)
        assert message.event_time_ms == round(frame.capture_ts.timestamp() * 1000)
        is_old = frame.schema_version is None
        assert ("schema_version" in message.properties) == (not is_old)
        if kind != "again":
            assert (kind == "first generation") == is_old
    assert set(kinds) == {"run", "first generation", "again", "unusable"}
    assert min(kinds.values()) > 10


def _kind(message: Stored) -> str:
    name = message.producer_name
    if name in RUNS:
        return "run"
    if name.startswith("store_01/cam_0"):
        return "first generation"
    assert name.rpartition("/")[0] in RUNS
    return name.rpartition("/")[2]


def test_publishing_again_sends_nothing(broker: FakeBroker) -> None:
    first = send(noisy())

    again = send(noisy())

    assert (again.simulated, again.published, again.already_published) == (
        first.simulated,
        0,
        first.simulated,
    )


@pytest.mark.parametrize("after", [1, 50, 300])
def test_publishing_that_was_cut_off_goes_on_where_it_ended(broker: FakeBroker, after: int) -> None:
    stop = threading.Event()
    sends = 0

    def count(_: int) -> None:
        nonlocal sends
        sends += 1
        if sends == after:
            stop.set()

    broker.before_send = count
    first = send(noisy(), stop)
    assert (first.was_stopped, first.published) == (True, after)

    rest = send(noisy())

    assert rest.already_published == after
    assert Counter(message.payload for message in broker.stored) == expected(noisy())


def test_speed_is_a_multiple_of_real_time(broker: FakeBroker, clock: Clock) -> None:
    after = sent_after(broker, clock)

    send(scenes.scenario(0.1), clock, speed=6.0)

    # two cameras for 6 s at ten frames a second
    assert after == pytest.approx([frame / 10 / 6 for frame in range(60) for _ in "ab"], abs=0.001)


def test_pace_begins_with_the_first_message_that_is_not_there_yet(
    broker: FakeBroker, clock: Clock
) -> None:
    half = scenes.scenario(0.1)
    send(half)
    after = sent_after(broker, clock)

    result = send(scenes.scenario(0.11), clock, speed=1.0)

    assert result.already_published == 120
    assert result.published == 12
    assert after == pytest.approx([frame / 10 for frame in range(6) for _ in "ab"], abs=0.001)


def test_topic_that_does_not_deduplicate_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(FakeBroker(is_deduplicating=False), monkeypatch):
        assert not send(scenes.scenario(0.05)).is_deduplicated


def test_partitions_are_for_clean_frames_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(FakeBroker(partitions=2), monkeypatch):
        assert send(scenes.scenario(0.05)).published == 60
        with pytest.raises(TopicUnusable, match="over partitions"):
            send(noisy(0.05))


DESTINATIONS = {
    "all said": ("pulsar://a:1/t/n/e", ("pulsar://a:1", "persistent://t/n/e")),
    "no port": ("pulsar://a/t/n/e", ("pulsar://a:6650", "persistent://t/n/e")),
    "of IPv6": ("pulsar://[::1]:7/t/n/e", ("pulsar://[::1]:7", "persistent://t/n/e")),
}


@pytest.mark.parametrize(("text", "wanted"), DESTINATIONS.values(), ids=DESTINATIONS.keys())
def test_destination_is_a_broker_and_a_topic(text: str, wanted: tuple[str, str]) -> None:
    assert parse_destination(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/b/c/d",
        "pulsar:///t/n/e",
        "pulsar://a/t/n",
        "pulsar://a/t/n/e/f",
        "pulsar://a/t//e",
        "pulsar://a:b/t/n/e",
        "pulsar://u:p@a/t/n/e",
        "pulsar://a/t/n/e?x=1",
        "pulsar://a/t/n/e\n",
    ],
)
def test_what_names_no_topic_is_refused(text: str) -> None:
    with pytest.raises(BadDestination, match="write pulsar://HOST:PORT/TENANT/NAMESPACE/TOPIC"):
        parse_destination(text)
