"""A camera on the network: an MJPEG server that plays the sample in real time."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import read_lines
from mjpeg_camera import mjpeg_camera, pictures_of

from frame_contract import parse_capture_ts
from vision.cli import main
from vision.live import LiveSettings

FRAMES = 12
GAP_SECONDS = 0.15


@pytest.fixture(autouse=True)
def _machine_may_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a while, and no connection is lost by that."""
    patient = partial(LiveSettings, open_timeout_seconds=60, read_timeout_seconds=60)
    monkeypatch.setattr("vision.run.LiveSettings", patient)


@pytest.fixture
def camera(sample_video: Path) -> Iterator[str]:
    with mjpeg_camera(pictures_of(sample_video, FRAMES), GAP_SECONDS) as address:
        yield address


def watch(address: str, output: Path, *more: str) -> int:
    return main(
        [
            "--input",
            address,
            "--output",
            str(output),
            "--detector",
            "hog",
            "--image-size",
            "200",
            *more,
        ]
    )


def test_frames_of_a_camera_are_timed_by_the_clock(camera: str, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    assert watch(f"{camera}/mjpeg", tmp_path / "v.jsonl", "--max-frames", "8") == 0
    after = datetime.now(UTC)
    moments = [parse_capture_ts(line["capture_ts"]) for line in read_lines(tmp_path / "v.jsonl")]
    assert len(moments) == 8
    assert moments == sorted(moments)
    assert (moments[0] - before).total_seconds() > -0.01
    assert moments[-1] <= after
    gaps = [(later - one).total_seconds() for one, later in pairwise(moments)]
    # by the file's place in its own rate (25 frames/s) it would be 0.28 s
    assert sum(gaps) > 0.6 * 7 * GAP_SECONDS


def test_start_time_moves_a_cameras_clock(camera: str, tmp_path: Path) -> None:
    arguments = ("--max-frames", "3", "--start-time", "2026-11-24T10:15:00Z")
    began = time.monotonic()
    assert watch(f"{camera}/mjpeg", tmp_path / "v.jsonl", *arguments) == 0
    taken = timedelta(seconds=time.monotonic() - began)
    first = read_lines(tmp_path / "v.jsonl")[0]
    start = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
    assert timedelta(0) <= parse_capture_ts(first["capture_ts"]) - start <= taken
    assert first["run_id"] == "store_01-cam_01-20261124T101500Z"


def test_camera_that_goes_away_is_an_error_and_its_frames_are_kept(
    sample_video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    partial_file = tmp_path / "v.jsonl.partial"
    one, *others = pictures_of(sample_video, FRAMES)
    before: list[bytes] = []

    def shown() -> Iterator[bytes]:
        # until the first frame is taken, each takes the place of the one before
        while not (partial_file.exists() and partial_file.stat().st_size):
            before.append(one)
            yield one
        yield from others

    with mjpeg_camera(shown, GAP_SECONDS) as address:
        assert watch(f"{address}/mjpeg", tmp_path / "v.jsonl", "--reconnect-seconds", "0") == 2
    told = capfd.readouterr().err.splitlines()[-1]
    lines = read_lines(tmp_path / "v.jsonl")
    dropped = json.loads((tmp_path / "v.summary.json").read_text())["dropped_frames"]
    assert len(others) <= len(lines) + dropped <= len(before) + len(others)
    assert told.startswith("error: http://user:***@127.0.0.1")
    assert "stopped giving frames" in told
    assert f"the {len(lines)} frames until then are in" in told
    assert told.endswith(": --resume goes on with it")
    assert (tmp_path / "v.summary.json").exists()


def test_server_that_is_no_camera_is_told(
    camera: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert watch(f"{camera}/page", tmp_path / "v.jsonl") == 2
    told = capfd.readouterr().err
    assert told.startswith("error: http://user:***@127.0.0.1")
    assert told.count("\n") == 1
