"""Runs that were interrupted and go on, by `--resume`."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import cli_command, read_lines
from mjpeg_camera import mjpeg_camera, pictures_of

from vision.cli import main

START = "2026-11-24T10:15:00.123Z"
FRAMES = 30


def extract(video: Path | str, output: Path, *more: str) -> int:
    options = ["--detector", "hog", "--image-size", "200", "--confidence", "0.5"]
    return main(["--input", str(video), "--output", str(output), *options, *more])


@pytest.fixture(scope="module")
def uninterrupted(sample_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("whole") / "video.jsonl"
    code = extract(sample_video, output, "--max-frames", str(FRAMES), "--start-time", START)
    assert code == 0
    assert any(one["track_id"] for line in read_lines(output) for one in line["detections"])
    return output


@pytest.mark.parametrize("tail", [b"", b'{"schema_ver'], ids=["whole lines", "a cut-off line"])
def test_killed_run_goes_on_to_the_bytes_of_one_that_was_not(
    tail: bytes, uninterrupted: Path, sample_video: Path, tmp_path: Path
) -> None:
    lines = uninterrupted.read_bytes().splitlines(keepends=True)
    output = tmp_path / "video.jsonl"
    (tmp_path / "video.jsonl.partial").write_bytes(b"".join(lines[:17]) + tail)
    assert extract(sample_video, output, "--max-frames", str(FRAMES), "--resume") == 0
    assert output.read_bytes() == uninterrupted.read_bytes()
    summary = json.loads(output.with_name("video.summary.json").read_text())
    assert summary["resumed_frames"] == 17
    whole = json.loads(uninterrupted.with_name("video.summary.json").read_text())
    for name in ("run_id", "frames", "detections", "tracks", "first_capture_ts"):
        assert summary[name] == whole[name]


def test_stopped_run_goes_on_and_stored_frames_are_not_detected_again(
    uninterrupted: Path, sample_video: Path, tmp_path: Path
) -> None:
    output = tmp_path / "video.jsonl"
    assert extract(sample_video, output, "--max-frames", "10", "--start-time", START) == 0
    # a detector that finds nothing: what the stored frames hold can only be what was stored
    blind = ("--resume", "--max-frames", "12", "--confidence", "1")
    assert extract(sample_video, output, *blind) == 0
    lines = read_lines(output)
    assert lines[:10] == read_lines(uninterrupted)[:10]
    assert [line["detections"] for line in lines[10:]] == [[], []]


@pytest.mark.slow
def test_run_that_is_killed_in_earnest_goes_on(sample_video: Path, tmp_path: Path) -> None:
    output = tmp_path / "video.jsonl"
    options = ("--input", sample_video, "--output", output, "--detector", "hog")
    process = subprocess.Popen(
        cli_command(*options), env=os.environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    partial = tmp_path / "video.jsonl.partial"
    deadline = time.monotonic() + 120
    while not (partial.exists() and partial.stat().st_size > 5000):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = len(read_lines(partial))
    assert 0 < stored < 200
    more = [str(option) for option in options]
    assert main([*more, "--resume", "--max-frames", str(stored + 5)]) == 0
    lines = read_lines(output)
    assert [line["frame_index"] for line in lines] == list(range(stored + 5))
    assert len({line["run_id"] for line in lines}) == 1


def test_finished_run_stays_as_it_is(
    uninterrupted: Path, sample_video: Path, tmp_path: Path
) -> None:
    output = tmp_path / "video.jsonl"
    output.write_bytes(uninterrupted.read_bytes())
    assert extract(sample_video, output, "--max-frames", str(FRAMES), "--resume") == 0
    assert output.read_bytes() == uninterrupted.read_bytes()


def test_nothing_to_resume_is_a_beginning(
    uninterrupted: Path, sample_video: Path, tmp_path: Path
) -> None:
    arguments = ("--max-frames", str(FRAMES), "--start-time", START, "--resume")
    assert extract(sample_video, tmp_path / "video.jsonl", *arguments) == 0
    assert (tmp_path / "video.jsonl").read_bytes() == uninterrupted.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--camera-id", "cam_02"), "was written with --camera-id cam_01, not cam_02"),
        (("--run-id", "another"), "was written with --run-id store_01-cam_01-20261124T101500Z"),
        (("--frame-rate", "25"), "would not be what stands in"),
        (("--tracker", "deepsort", "--embedder", "none", "--fps-limit", "5"), "would not be what"),
    ],
    ids=["camera", "run", "clock", "frames"],
)
def test_resuming_with_other_settings_is_refused_and_keeps_what_there_is(
    arguments: tuple[str, ...],
    told: str,
    uninterrupted: Path,
    sample_video: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "video.jsonl"
    output.write_bytes(uninterrupted.read_bytes())
    assert extract(sample_video, output, "--resume", *arguments) == 2
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert told in error
    assert "leave --resume out" in error
    assert output.read_bytes() == uninterrupted.read_bytes()


def test_file_that_is_no_run_cannot_be_resumed(
    sample_video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "video.jsonl"
    output.write_text('{"people": 3}\n')
    assert extract(sample_video, output, "--resume") == 2
    assert "line 1" in capfd.readouterr().err
    assert output.read_text() == '{"people": 3}\n'


def test_camera_goes_on_in_its_run_with_new_frames_and_new_tracks(
    sample_video: Path, tmp_path: Path
) -> None:
    output = tmp_path / "video.jsonl"
    size = ("--image-size", "320")
    with mjpeg_camera(pictures_of(sample_video, 40, first=60), 0.1) as address:
        assert extract(f"{address}/mjpeg", output, *size, "--max-frames", "8") == 0
        before = read_lines(output)
        more = (*size, "--max-frames", "16", "--resume")
        assert extract(f"{address}/mjpeg", output, *more) == 0
    lines = read_lines(output)
    assert lines[:8] == before
    assert len(lines) == 16
    assert {line["run_id"] for line in lines} == {before[0]["run_id"]}
    indices = [line["frame_index"] for line in lines]
    assert indices == sorted(set(indices))
    moments = [line["capture_ts"] for line in lines]
    assert moments == sorted(moments)
    ids = [
        {one["track_id"] for line in part for one in line["detections"]} - {None}
        for part in (lines[:8], lines[8:])
    ]
    assert ids[0]
    assert ids[1]
    assert min(ids[1]) > max(ids[0])
