"""Each frame once, however often and in however many pieces it is published."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pulsar
import pytest
from fake_pulsar import FakeBroker, running
from frames import RUN, STARTED_AT, first_generation_line, line, write

from replay.errors import (
    InputChanged,
    InputRefused,
    PublishFailed,
    PulsarUnreachable,
    RunTaken,
    TopicUnusable,
)
from replay.publish import replay_file
from replay.settings import ReplaySettings

FAST = ReplaySettings(fps=0)
RAW = ReplaySettings(fps=0, raw=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "video.jsonl"


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    with running(FakeBroker(), monkeypatch) as broker:
        yield broker


def counts(path: Path, settings: ReplaySettings = FAST) -> tuple[int, int, int]:
    summary = replay_file(path, settings)
    return summary.read, summary.published, summary.already_published


def test_each_line_is_published_verbatim_with_its_properties(
    path: Path, broker: FakeBroker
) -> None:
    summary = replay_file(write(path, [line(0), line(1)]), FAST)

    assert (summary.run_id, summary.read, summary.published) == (RUN, 2, 2)
    assert [message.payload for message in broker.stored] == [line(0), line(1)]
    second = broker.stored[1]
    assert (second.producer_name, second.sequence_id) == (RUN, 2)
    assert (second.key, second.event_time_ms) == ("store_01/cam_01", 1795515300040)
    assert second.properties == {
        "store_id": "store_01",
        "camera_id": "cam_01",
        "stream_id": "stream_001",
        "run_id": RUN,
        "frame_index": "1",
        "capture_ts": "2026-11-24T10:15:00.040Z",
        "schema_version": "1.0",
    }


def test_line_ends_are_no_part_of_a_message(path: Path, broker: FakeBroker) -> None:
    path.write_bytes(line(0) + b"\r\n\n" + line(1))

    replay_file(path, FAST)

    assert [message.payload for message in broker.stored] == [line(0), line(1)]


def test_a_second_replay_publishes_nothing(path: Path, broker: FakeBroker) -> None:
    write(path, [line(i) for i in range(20)])

    assert counts(path) == (20, 20, 0)
    assert counts(path) == (20, 0, 20)
    assert len(broker.stored) == 20


def test_a_replay_that_is_stopped_goes_on_where_it_ended(path: Path, broker: FakeBroker) -> None:
    write(path, [line(i) for i in range(20)])
    stop = threading.Event()
    broker.before_send = lambda sequence_id: stop.set() if sequence_id == 7 else None

    first = replay_file(path, FAST, stop)

    assert first.was_stopped
    assert (first.read, first.published) == (7, 7)
    assert counts(path) == (20, 13, 7)
    assert [message.sequence_id for message in broker.stored] == list(range(1, 21))


def test_a_file_that_has_grown_is_published_from_where_it_ended(
    path: Path, broker: FakeBroker
) -> None:
    counts(write(path, [line(i) for i in range(5)]))

    assert counts(write(path, [line(i) for i in range(8)])) == (8, 3, 5)


def test_a_run_in_two_files_is_published_whole(path: Path, broker: FakeBroker) -> None:
    counts(write(path, [line(i) for i in range(5)]))

    assert counts(write(path, [line(i) for i in range(5, 9)])) == (4, 4, 0)
    assert len(broker.stored) == 9


def test_frames_out_of_order_and_sent_twice_are_published_as_they_stand(
    path: Path, broker: FakeBroker
) -> None:
    lines = [line(i) for i in (0, 2, 1, 1, 3)]

    assert counts(write(path, lines)) == (5, 5, 0)
    assert [message.payload for message in broker.stored] == lines


def test_runs_of_one_file_have_a_producer_each(path: Path, broker: FakeBroker) -> None:
    other = "store_01-cam_02-20261124T101500Z"
    lines = [line(0), line(0, run_id=other, camera_id="cam_02"), line(1)]

    summary = replay_file(write(path, lines), FAST)

    assert summary.run_id is None
    assert summary.run_ids == (RUN, other)
    assert [(run.producer_name, run.published) for run in summary.runs] == [(RUN, 2), (other, 1)]
    assert [(m.producer_name, m.sequence_id) for m in broker.stored] == [
        (RUN, 1),
        (other, 1),
        (RUN, 2),
    ]


def test_a_second_capture_of_a_first_generation_camera_is_not_taken_for_the_first(
    path: Path, broker: FakeBroker
) -> None:
    monday = [first_generation_line(i) for i in range(3)]
    tuesday = [first_generation_line(i, STARTED_AT + timedelta(days=1)) for i in range(3)]

    assert counts(write(path, monday)) == (3, 3, 0)
    assert counts(write(path, tuesday)) == (3, 3, 0)
    assert counts(write(path, monday)) == (3, 0, 3)
    assert [message.payload for message in broker.stored] == monday + tuesday
    assert broker.stored[0].properties["run_id"] == "stream1"
    assert "schema_version" not in broker.stored[0].properties


def test_nothing_of_a_file_with_a_malformed_line_is_published(
    path: Path, broker: FakeBroker
) -> None:
    with pytest.raises(InputRefused):
        replay_file(write(path, [line(0), b"hello"]), FAST)

    assert broker.stored == []


def test_raw_lines_are_published_as_they_are_with_what_is_known(
    path: Path, broker: FakeBroker
) -> None:
    partial = (
        b'{"source":{"store_id":"S001","camera_id":"CAM01","stream_id":"stream1"},"detections":'
        b'[{"det_id":"d1","class":"person","bbox":{"x1":100,"y1":200}}],"image_size":'
        b'{"width":1280,"height":720}}'
    )
    lines = [line(0), partial, b"hello\r", b"", b"\xff\x00"]

    summary = replay_file(write(path, lines), RAW)

    assert (summary.run_id, summary.read, summary.published) == (None, 5, 5)
    assert [message.payload for message in broker.stored] == lines
    assert [message.sequence_id for message in broker.stored] == [1, 2, 3, 4, 5]
    assert broker.stored[0].properties["run_id"] == RUN
    assert broker.stored[0].event_time_ms == 1795515300000
    assert broker.stored[1].properties == {
        "store_id": "S001",
        "camera_id": "CAM01",
        "stream_id": "stream1",
        "run_id": "stream1",
    }
    assert (broker.stored[1].key, broker.stored[1].event_time_ms) == ("S001/CAM01", None)
    assert (broker.stored[2].key, broker.stored[2].properties) == (None, {})


def test_a_second_replay_of_raw_lines_publishes_nothing(path: Path, broker: FakeBroker) -> None:
    write(path, [b"hello"] * 5)

    assert counts(path, RAW) == (5, 5, 0)
    assert counts(path, RAW) == (5, 0, 5)


def test_the_limit_publishes_the_first_lines_and_the_rest_can_follow(
    path: Path, broker: FakeBroker
) -> None:
    write(path, [line(i) for i in range(9)])

    assert counts(path, ReplaySettings(fps=0, limit=4)) == (4, 4, 0)
    assert counts(path) == (9, 5, 4)


def test_frames_are_paced(path: Path, broker: FakeBroker) -> None:
    write(path, [line(i) for i in range(11)])

    summary = replay_file(path, ReplaySettings(fps=50))

    assert 0.2 <= summary.seconds < 1


def test_frames_that_the_broker_has_are_not_paced(path: Path, broker: FakeBroker) -> None:
    write(path, [line(i) for i in range(500)])
    replay_file(path, FAST)

    assert replay_file(path, ReplaySettings(fps=1)).seconds < 1


def test_no_more_than_the_allowed_messages_are_in_flight(path: Path, broker: FakeBroker) -> None:
    write(path, [line(i) for i in range(100)])

    replay_file(path, ReplaySettings(fps=0, in_flight=7))

    assert 1 < broker.most_in_flight <= 7


def test_a_refused_message_ends_the_replay_and_says_how_to_go_on(
    path: Path, broker: FakeBroker
) -> None:
    broker.refuses_from = 5
    write(path, [line(i) for i in range(500)])

    with pytest.raises(PublishFailed) as caught:
        replay_file(path, ReplaySettings(fps=0, in_flight=50))

    assert "the broker refused a message (ProducerBlockedQuotaExceededError)" in str(caught.value)
    assert "4 were published. Run the same command again" in str(caught.value)
    broker.refuses_from = None
    assert counts(path) == (500, 496, 4)


@pytest.mark.parametrize("frames", [20, 3], ids=["while sending", "at the end"])
def test_a_broker_that_acknowledges_nothing_ends_the_replay(
    path: Path, broker: FakeBroker, frames: int
) -> None:
    broker.silent_from = 3
    write(path, [line(i) for i in range(frames)])

    with pytest.raises(PublishFailed, match=r"acknowledged none of \d+ messages for 0 s"):
        replay_file(path, ReplaySettings(fps=0, in_flight=5, ack_timeout_seconds=0.3))


def test_who_waits_for_the_broker_is_told_once(
    path: Path,
    broker: FakeBroker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("replay.topic.WAIT_TOLD_SECONDS", 0.1)
    broker.silent_from = 3
    write(path, [line(i) for i in range(20)])

    with pytest.raises(PublishFailed):
        replay_file(path, ReplaySettings(fps=0, in_flight=5, ack_timeout_seconds=0.6))

    assert caplog.text.count("does not answer at the moment: waiting for it, up to 1 s") == 1


def test_a_slow_pace_is_not_taken_for_a_silent_broker(path: Path, broker: FakeBroker) -> None:
    write(path, [line(i) for i in range(3)])

    summary = replay_file(path, ReplaySettings(fps=5, ack_timeout_seconds=0.1))

    assert summary.published == 3


CREATE_ERRORS = {
    "busy": (pulsar.ProducerBusy("x"), RunTaken, f"{RUN} is being published"),
    "timeout": (pulsar.Timeout("x"), PulsarUnreachable, "does not answer"),
    "no namespace": (pulsar.TopicNotFound("x"), TopicUnusable, "tenant and namespace"),
}


@pytest.mark.parametrize(
    ("error", "kind", "words"), CREATE_ERRORS.values(), ids=CREATE_ERRORS.keys()
)
def test_an_error_of_the_broker_is_said_in_words(
    path: Path,
    broker: FakeBroker,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    kind: type[Exception],
    words: str,
) -> None:
    monkeypatch.setattr("replay.topic.PRODUCER_BUSY_RETRY_SECONDS", 0.1)
    broker.create_error = error

    with pytest.raises(kind, match=words):
        replay_file(write(path, [line(0)]), FAST)


def test_a_producer_that_is_busy_for_a_moment_is_waited_for(path: Path, broker: FakeBroker) -> None:
    broker.create_error = pulsar.ProducerBusy("x")
    threading.Timer(0.7, lambda: setattr(broker, "create_error", None)).start()

    assert counts(write(path, [line(0)])) == (1, 1, 0)


def test_raw_lines_are_not_published_to_a_partitioned_topic(path: Path, broker: FakeBroker) -> None:
    broker.partitions = 3

    with pytest.raises(TopicUnusable, match="partitions"):
        replay_file(write(path, [b"x"]), RAW)
    assert counts(write(path, [line(0)])) == (1, 1, 0)


def test_a_topic_without_deduplication_is_warned_of(
    path: Path, broker: FakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.is_deduplicating = False
    caplog.set_level(logging.WARNING)

    summary = replay_file(write(path, [line(0)]), FAST)

    assert not summary.is_deduplicated
    assert "does not deduplicate" in caplog.text


CHANGES = {
    "malformed": [line(0), b"hello"],
    "another run": [line(0), line(0, run_id="other")],
    "longer": [line(0), line(1), line(2)],
}


@pytest.mark.parametrize("lines", CHANGES.values(), ids=CHANGES.keys())
def test_a_file_that_is_written_while_it_is_published_is_noticed(
    path: Path, broker: FakeBroker, lines: list[bytes]
) -> None:
    settings = ReplaySettings(fps=0)

    def change(sequence_id: int) -> None:
        if sequence_id == 1:
            write(path, lines)

    broker.before_send = change
    padding = [line(i) for i in range(2, 3000)]  # past what a file buffer holds
    write(path, [line(0), line(1), *padding])
    lines = [*lines, *padding, *padding]

    with pytest.raises(InputChanged, match="was changed while"):
        replay_file(path, settings)
