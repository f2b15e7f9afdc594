"""Health events are kept, published and told, and never stand in the way."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_pulsar import FakeBroker, running

from frame_contract import Source
from frame_contract.health import HealthEvent, decode_health
from vision.errors import OutputError
from vision.health import HealthLog, append_line, health_path

SOURCE = Source(store_id="store_01", camera_id="cam_01", stream_id="stream_001")
RUN = "store_01-cam_01-20261124T101500Z"
LAST = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
TO = "pulsar://127.0.0.1:6650"


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    with running(FakeBroker(), monkeypatch) as broker:
        yield broker


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "cam_01.health.jsonl"


def tell_two(log: HealthLog) -> None:
    log.tell(HealthEvent.SILENT, last_capture_ts=LAST, silent_seconds=10.02, frames=7)
    log.tell(HealthEvent.RETURNED, silent_seconds=31.5, frames=7, reconnections=1)


def test_log_stands_beside_the_lines() -> None:
    assert health_path(Path("data/cam_01.jsonl")) == Path("data/cam_01.health.jsonl")


def test_events_are_appended_as_whole_lines_and_told_in_one_line_each(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        with HealthLog(SOURCE, RUN, path=path) as log:
            tell_two(log)
    kept = [decode_health(line) for line in path.read_bytes().splitlines()]
    assert [each.event for each in kept] == [HealthEvent.SILENT, HealthEvent.RETURNED] * 2
    assert (kept[0].last_capture_ts, kept[0].silent_seconds, kept[0].frames) == (LAST, 10.02, 7)
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == [
        "warning: store_01/cam_01: no frame for 10 s (7 frames so far, 0 dropped, 0 reconnections)",
        "warning: store_01/cam_01: frames again after 32 s "
        "(7 frames so far, 0 dropped, 1 reconnections)",
    ]


def test_no_event_leaves_no_file(path: Path) -> None:
    with HealthLog(SOURCE, RUN, path=path):
        pass
    assert not path.exists()


def test_line_that_was_cut_off_does_not_spoil_the_next(path: Path) -> None:
    append_line(path, b"{1}")
    path.write_bytes(path.read_bytes() + b'{"eve')
    append_line(path, b"{2}")
    assert path.read_bytes().splitlines() == [b"{1}", b'{"eve', b"{2}"]


def test_events_are_published_beside_the_frames(broker: FakeBroker, path: Path) -> None:
    with HealthLog(SOURCE, RUN, path=path, to=TO) as log:
        tell_two(log)
    assert [message.payload for message in broker.stored] == path.read_bytes().splitlines()
    first, second = broker.stored
    assert first.producer_name == f"health/store_01/cam_01/{RUN}/extract"
    assert first.key == "store_01/cam_01"
    assert first.properties["event"] == "camera_silent"
    assert first.event_time_ms == round(decode_health(first.payload).at.timestamp() * 1000)
    assert second.sequence_id > first.sequence_id


def test_second_process_of_a_run_comes_behind_the_first_though_its_clock_is_late(
    broker: FakeBroker,
) -> None:
    broker.last_ids[f"health/store_01/cam_01/{RUN}/extract"] = 2**50
    with HealthLog(SOURCE, RUN, to=TO) as log:
        tell_two(log)
    assert [message.sequence_id for message in broker.stored] == [2**50 + 1, 2**50 + 2]


def test_no_broker_is_told_to_who_asks_at_the_start() -> None:
    log = HealthLog(SOURCE, RUN, to="pulsar://127.0.0.1:1")
    with pytest.raises(OutputError, match="does not answer"):
        log.connect()


def test_event_is_kept_though_there_is_no_broker(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with HealthLog(SOURCE, RUN, path=path, to="pulsar://127.0.0.1:1") as log:
        log.tell(HealthEvent.STOPPED)
    (kept,) = path.read_bytes().splitlines()
    assert decode_health(kept).event is HealthEvent.STOPPED
    assert "a health event was not published: Pulsar at" in capsys.readouterr().err


def test_what_cannot_be_kept_or_published_is_told_and_ends_nothing(
    broker: FakeBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.refuses_from = 0
    with HealthLog(SOURCE, RUN, path=tmp_path, to=TO) as log:
        tell_two(log)
    told = capsys.readouterr().err
    assert f"warning: cannot write {tmp_path}: Is a directory" in told
    assert "not published" in told
    assert all(line.startswith("warning: ") for line in told.splitlines())
