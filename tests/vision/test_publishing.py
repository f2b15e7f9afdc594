"""A live publishing and a replay of its JSONL together: each frame once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pulsar
import pytest
from fake_pulsar import FakeBroker, running

from frame_contract import Frame, ImageSize, Model, Source, encode
from replay.publish import replay_file
from replay.settings import ReplaySettings
from vision.errors import OutputError, SettingsError
from vision.outputs import Outputs
from vision.publishing import PulsarSink, parse_destination
from vision.settings import ExtractSettings

STARTED_AT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
RUN = "store_01-cam_01-20261124T101500Z"
TO = "pulsar://127.0.0.1:6650"
EVENTS = "persistent://retail/metadata/events"


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    monkeypatch.delenv("RVA_TOPIC", raising=False)
    with running(FakeBroker(), monkeypatch) as broker:
        yield broker


def frames(*indices: int, run_id: str = RUN) -> list[Frame]:
    return [
        Frame(
            schema_version="1.0",
            run_id=run_id,
            source=Source(store_id="store_01", camera_id="cam_01", stream_id="stream_001"),
            frame_index=index,
            capture_ts=STARTED_AT + timedelta(milliseconds=40 * index),
            image_size=ImageSize(width=640, height=480),
            detections=(),
            model=Model(detector="hog", tracker="deepsort"),
        )
        for index in indices
    ]


def publish(written: list[Frame], **options: object) -> PulsarSink:
    with PulsarSink(TO, **options) as sink:  # type: ignore[arg-type]
        for frame in written:
            sink.write(encode(frame), frame)
        sink.drain()
    return sink


def jsonl(path: Path, written: list[Frame]) -> Path:
    path.write_bytes(b"".join(encode(frame) + b"\n" for frame in written))
    return path


@pytest.mark.parametrize(
    "written",
    [frames(0, 1, 2, 3, 4), frames(7, 8, 11, 12, 30), frames(0, 1, 2, run_id="stream_001")],
    ids=["a whole run", "a live run that dropped frames", "a run named as its stream"],
)
def test_what_vision_sends_is_what_replay_sends(
    broker: FakeBroker, tmp_path: Path, written: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = publish(written)
    other = FakeBroker()
    with running(other, monkeypatch):
        replay_file(jsonl(tmp_path / "v.jsonl", written), ReplaySettings(fps=0))
    assert broker.stored == other.stored
    assert sink.published == len(written)


@pytest.mark.parametrize("live", [0, 1, 3, 8])
def test_replay_goes_on_where_a_publishing_was_cut_off(
    broker: FakeBroker, tmp_path: Path, live: int
) -> None:
    written = frames(3, 4, 6, 7, 9, 10, 11, 12)
    publish(written[:live])
    summary = replay_file(jsonl(tmp_path / "v.jsonl", written), ReplaySettings(fps=0))
    assert [message.payload for message in broker.stored] == list(map(encode, written))
    assert (summary.published, summary.already_published) == (8 - live, live)


def test_run_that_is_begun_again_sends_only_what_the_broker_lacks(broker: FakeBroker) -> None:
    publish(frames(*range(5)))
    sink = publish(frames(*range(9)))
    assert sink.published == 4
    assert [message.sequence_id for message in broker.stored] == list(range(1, 10))


def test_new_capture_under_the_name_of_a_published_one_is_refused(broker: FakeBroker) -> None:
    publish(frames(0, 1), is_new_run=True)
    with pytest.raises(OutputError, match=r"has frames of the run .* --run-id .* --resume"):
        publish(frames(0, 1), is_new_run=True)
    assert len(broker.stored) == 2


def test_topic_without_deduplication_is_warned_of(
    broker: FakeBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.is_deduplicating = False
    publish(frames(0))
    assert "does not deduplicate" in capsys.readouterr().err


def test_broker_that_takes_no_more_is_told_in_one_line_with_what_to_do(broker: FakeBroker) -> None:
    broker.silent_from = 3
    with pytest.raises(OutputError, match="2 were published") as caught:
        publish(frames(*range(6)), ack_timeout_seconds=0.2)
    assert "\n" not in str(caught.value)
    assert "make replay" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (pulsar.ProducerBusy("x"), "is being published .* --run-id of its own"),
        (pulsar.TopicNotFound("x"), "are its tenant and namespace there.* in --to"),
        (pulsar.Timeout("x"), "does not answer .* another --to"),
    ],
    ids=["busy", "no namespace", "no answer"],
)
def test_errors_of_the_broker_are_ours_in_one_line(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    monkeypatch.setattr("replay.topic.PRODUCER_BUSY_RETRY_SECONDS", 0.1)
    broker.create_error = error
    with pytest.raises(OutputError, match=words) as caught:
        publish(frames(0))
    assert "\n" not in str(caught.value)
    assert "RVA_" not in str(caught.value)


def test_no_broker_at_all_is_told_at_once() -> None:
    with pytest.raises(OutputError, match=r"Pulsar at pulsar://127.0.0.1:1 does not answer"):
        PulsarSink("pulsar://127.0.0.1:1")


DESTINATIONS = {
    "pulsar://127.0.0.1:6650": ("pulsar://127.0.0.1:6650", EVENTS),
    "pulsar://broker/": ("pulsar://broker:6650", EVENTS),
    "pulsar+ssl://broker": ("pulsar+ssl://broker:6651", EVENTS),
    "pulsar://a:1,b:2/x/y/z-1": ("pulsar://a:1,b:2", "persistent://x/y/z-1"),
    "pulsar://[::1]:6650": ("pulsar://[::1]:6650", EVENTS),
}


@pytest.mark.parametrize(("text", "expected"), DESTINATIONS.items(), ids=DESTINATIONS.keys())
def test_destination(monkeypatch: pytest.MonkeyPatch, text: str, expected: tuple[str, str]) -> None:
    monkeypatch.delenv("RVA_TOPIC", raising=False)
    assert parse_destination(text) == expected


def test_topic_of_the_deployment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RVA_TOPIC", "persistent://retail/metadata/test")
    assert parse_destination(TO).topic == "persistent://retail/metadata/test"
    assert parse_destination(TO).health_topic == "persistent://retail/metadata/health"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:6650",
        "http://127.0.0.1:6650",
        "pulsar://",
        "pulsar://:6650",
        "pulsar://host:port",
        "pulsar://host:99999",
        "pulsar://[::1:6650",
        "pulsar://a b:6650",
        "pulsar://a\n:6650/x",
        "pulsar://a:6650/x/y/z\n?",
        "pulsar://user:s3cret@host:6650",
        "pulsar://host:6650/retail",
        "pulsar://host:6650/retail/metadata",
        "pulsar://host:6650/a/b/c/d",
        "pulsar://host:6650/a/b/c d",
        "pulsar://host:6650/a//c",
        "pulsar://host:6650?x=1",
        "pulsar://host:6650/retail/metadata/health",
    ],
)
def test_destination_that_cannot_be_used_is_one_line(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_destination(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("--to")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("stop_after", [0, 2, 9])
def test_stored_lines_are_published_until_a_stop_and_all_are_told(
    broker: FakeBroker, tmp_path: Path, stop_after: int
) -> None:
    written = frames(3, 4, 6, 7, 9)
    path = jsonl(tmp_path / "v.jsonl", written)
    settings = ExtractSettings(input="0", to=TO, resume=True)
    told: list[Frame] = []
    with Outputs(settings, path, is_live=True) as outputs:
        for frame in outputs.publish_all_stored(lambda: len(told) >= stop_after):
            told.append(frame)
        outputs.finish()
    assert told == written
    assert [message.payload for message in broker.stored] == list(map(encode, written[:stop_after]))
