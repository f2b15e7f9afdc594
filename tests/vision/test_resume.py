"""Runs that were interrupted and go on, by `--resume`."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import cli_command, read_lines
from mjpeg_camera import mjpeg_camera, pictures_of
from numbered_video import write_numbered_video

from vision import recipe
from vision.boxes import Image, RawDetection
from vision.cli import main
from vision.run import extract as extraction
from vision.settings import ExtractSettings

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


class Seeing:
    """A detector that finds what `people` tells of the n-th image that it is shown, n from 0."""

    name, backend, concurrency = "seeing", "test", 1

    def __init__(self, people: Callable[[int], list[RawDetection]]) -> None:
        self.shown = 0
        self._people = people

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        found = [self._people(self.shown + place) for place in range(len(images))]
        self.shown += len(images)
        return found


def walking(number: int) -> list[RawDetection]:
    """Two people, one of whom is seen now and then; where they are tells the number."""
    people = [RawDetection("person", 0.9, (10.0 + 3 * number, 10.0, 40.0 + 3 * number, 80.0))]
    if number % 3:
        people.append(RawDetection("person", 0.8, (150.0 - 3 * number, 12.0, 180.0, 82.0)))
    return people


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Seeing]:
    """Let runs see people who walk, beginning with the n-th image."""

    def use(first: int, people: Callable[[int], list[RawDetection]] = walking) -> Seeing:
        seeing = Seeing(lambda number: people(first + number))
        monkeypatch.setattr("vision.extraction.make_detector", lambda *_: seeing)
        return seeing

    return use


STEADY = ("--still-threshold", "0", "--start-time", START)


def run(video: Path, output: Path, *more: str) -> int:
    return main(["--input", str(video), "--output", str(output), *STEADY, *more])


def _even(folder: Path) -> Path:
    return write_numbered_video(folder / "even.mp4", 12)


def _uneven(folder: Path) -> Path:
    stamps = [0, 40, 95, 120, 260, 270, 400, 430, 600, 640, 700, 810]
    return write_numbered_video(folder / "uneven.mkv", 12, stamp_ms=lambda index: stamps[index])


def _folder(folder: Path) -> Path:
    videos = folder / "videos"
    videos.mkdir()
    for place, frames in enumerate((5, 4, 3)):
        write_numbered_video(videos / f"{place}.mp4", frames, first_number=5 * place)
    return videos


WAYS = {
    "a file": (_even, ()),
    "a limit of frames": (_even, ("--fps-limit", "10")),
    "a folder": (_folder, ()),
    "an uneven rate": (_uneven, ()),
    "ByteTrack": (_even, ("--tracker", "bytetrack")),
}


@pytest.mark.parametrize(("make", "options"), WAYS.values(), ids=WAYS.keys())
def test_run_stopped_at_any_frame_goes_on_to_the_same_bytes(
    make: Callable[[Path], Path],
    options: tuple[str, ...],
    tmp_path: Path,
    detector: Callable[..., Seeing],
) -> None:
    video = make(tmp_path)
    output = tmp_path / "whole.jsonl"
    detector(0)
    assert run(video, output, *options) == 0
    whole = output.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) >= 5
    assert any(b'"track_id":1' in line for line in lines)
    for stopped_at in range(1, len(lines) + 1):
        again = tmp_path / f"{stopped_at}" / "video.jsonl"
        detector(0)
        assert run(video, again, *options, "--max-frames", str(stopped_at)) == 0
        assert again.read_bytes() == b"".join(lines[:stopped_at])
        seeing = detector(stopped_at)
        assert run(video, again, *options, "--resume") == 0
        assert again.read_bytes() == whole, f"stopped at {stopped_at}"
        # what is stored is not detected again
        assert seeing.shown == len(lines) - stopped_at


CHANGES = {
    "--confidence": ("0.5", "--confidence was not given and is 0.5"),
    "--image-size": ("320", "--image-size was not given and is 320"),
    "--fps-limit": ("5", "--fps-limit was not given and is 5.0"),
    "--still-threshold": ("3", "--still-threshold was 0.0 and is 3.0"),
    "--mask": ("[[[0,0],[1,0],[1,1]]]", "--mask was [] and is [[[0.0, 0.0], "),
    "--classes": ("person,dog", '--classes was ["person"] and is ["person", "dog"]'),
    "--backend": ("torch", "--backend was auto and is torch"),
    "--device": ("cpu", "--device was auto and is cpu"),
    "--tracker": ("botsort", "--tracker was deepsort and is botsort"),
    "--start-time": ("2026-11-24T10:16:00Z", "is not when "),
}


@pytest.mark.parametrize("state", ["finished", "killed"])
@pytest.mark.parametrize("option", CHANGES)
def test_changed_setting_is_named_and_nothing_is_touched(
    option: str,
    state: str,
    tmp_path: Path,
    detector: Callable[..., Seeing],
    capfd: pytest.CaptureFixture[str],
) -> None:
    video, output = _even(tmp_path), tmp_path / "out" / "video.jsonl"
    detector(0)
    assert run(video, output, "--max-frames", "4") == 0
    if state == "killed":
        output.rename(output.with_name("video.jsonl.partial"))
    before = {path.name: path.read_bytes() for path in output.parent.iterdir()}
    value, told = CHANGES[option]
    capfd.readouterr()
    assert run(video, output, "--resume", option, value) == 2
    error = capfd.readouterr().err.splitlines()[-1]
    assert told in error
    assert "leave --resume out" in error
    assert {path.name: path.read_bytes() for path in output.parent.iterdir()} == before


def test_settings_that_change_no_line_may_change(
    tmp_path: Path, detector: Callable[..., Seeing], capfd: pytest.CaptureFixture[str]
) -> None:
    video, output = _even(tmp_path), tmp_path / "video.jsonl"
    detector(0)
    assert run(video, output, "--max-frames", "4", "--threads", "2") == 0
    more = ("--resume", "--max-frames", "6", "--threads", "1", "--batch", "2")
    detector(4)
    assert run(video, output, *more, "--summary", str(tmp_path / "other.json")) == 0
    assert len(read_lines(output)) == 6
    assert "warning" not in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_another_video_of_the_same_shape_is_refused(
    kind: str, tmp_path: Path, detector: Callable[..., Seeing], capfd: pytest.CaptureFixture[str]
) -> None:
    video, output = tmp_path / "visit", tmp_path / "out" / "video.jsonl"
    if kind == "folder":
        video.mkdir()
    file = video / "1.mp4" if kind == "folder" else video
    write_numbered_video(file, 12, container="mp4")
    detector(0)
    assert run(video, output, "--max-frames", "4") == 0
    write_numbered_video(file, 12, container="mp4", first_number=700)
    assert run(video, output, "--resume") == 2
    assert "--input was " in capfd.readouterr().err
    assert len(read_lines(output)) == 4


def test_other_weights_of_the_same_name_are_refused(
    tmp_path: Path, detector: Callable[..., Seeing], capfd: pytest.CaptureFixture[str]
) -> None:
    video, output, weights = _even(tmp_path), tmp_path / "video.jsonl", tmp_path / "y.pt"
    weights.write_bytes(b"these")
    detector(0)
    assert run(video, output, "--max-frames", "4", "--weights", str(weights)) == 0
    weights.write_bytes(b"others")
    assert run(video, output, "--resume", "--weights", str(weights)) == 2
    assert "--weights was y.pt (" in capfd.readouterr().err


def test_detector_without_weights_neither_looks_for_any_nor_minds_which_there_are(
    sample_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "find_weights", lambda _: pytest.fail("looked for weights"))
    output = tmp_path / "video.jsonl"
    assert extract(sample_video, output, "--max-frames", "2") == 0
    made_by = json.loads((tmp_path / "video.settings.json").read_text())["made_by"]
    assert made_by["--detector"] == "hog"
    assert made_by["--weights"] is None


def test_lines_of_which_nobody_knows_what_made_them_are_gone_on_with_and_a_warning(
    tmp_path: Path, detector: Callable[..., Seeing], capfd: pytest.CaptureFixture[str]
) -> None:
    video, output = _even(tmp_path), tmp_path / "video.jsonl"
    detector(0)
    assert run(video, output, "--max-frames", "4") == 0
    (tmp_path / "video.settings.json").unlink()
    detector(4)
    assert run(video, output, "--resume", "--confidence", "0.5") == 0
    assert "does not tell what the lines" in capfd.readouterr().err
    assert len(read_lines(output)) == 12


def test_settings_of_another_run_say_nothing_about_this_one(
    tmp_path: Path, detector: Callable[..., Seeing], capfd: pytest.CaptureFixture[str]
) -> None:
    video, output = _even(tmp_path), tmp_path / "video.jsonl"
    detector(0)
    assert run(video, output, "--max-frames", "4", "--run-id", "one") == 0
    path = tmp_path / "video.settings.json"
    path.write_text(path.read_text().replace('"one"', '"two"'))
    detector(4)
    assert run(video, output, "--resume", "--confidence", "0.5") == 0
    assert "does not tell what the lines" in capfd.readouterr().err


def test_video_that_is_shorter_now_is_refused(
    tmp_path: Path, detector: Callable[..., Seeing], capfd: pytest.CaptureFixture[str]
) -> None:
    video, output = _even(tmp_path), tmp_path / "video.jsonl"
    detector(0)
    assert run(video, output) == 0
    (tmp_path / "video.settings.json").unlink()
    write_numbered_video(video, 7)
    assert run(video, output, "--resume") == 2
    assert "frame 7 would not be what stands in" in capfd.readouterr().err
    assert len(read_lines(output)) == 12


def test_stop_while_stored_frames_are_read_again_counts_all_of_them(
    tmp_path: Path, detector: Callable[..., Seeing], monkeypatch: pytest.MonkeyPatch
) -> None:
    video, output = _even(tmp_path), tmp_path / "video.jsonl"
    detector(0)
    assert run(video, output, "--max-frames", "8") == 0
    before = json.loads((tmp_path / "video.summary.json").read_text())
    lines = output.read_bytes()
    settings = ExtractSettings(
        input=str(video), output=str(output), still_threshold=0, start_time=START, resume=True
    )
    done = []
    monkeypatch.setattr("vision.progress.listener", lambda frames, _: done.append(frames))
    summary = extraction(settings, lambda: len(done) >= 3).as_dict()
    assert 3 <= len(done) < 8
    assert summary["ended_by"] == "stop"
    for name in ("frames", "detections", "tracks", "first_capture_ts", "last_capture_ts"):
        assert summary[name] == before[name]
    assert output.read_bytes() == lines


def test_file_of_two_runs_cannot_go_on_and_says_what_to_do(
    tmp_path: Path, detector: Callable[..., Seeing], capfd: pytest.CaptureFixture[str]
) -> None:
    video, output = _even(tmp_path), tmp_path / "video.jsonl"
    detector(0)
    assert run(video, output, "--max-frames", "2", "--run-id", "one") == 0
    one = output.read_bytes()
    assert run(video, output, "--max-frames", "2", "--run-id", "two") == 0
    output.write_bytes(one + output.read_bytes())
    assert run(video, output, "--resume", "--run-id", "two") == 2
    assert "has 2 runs: --resume goes on with a file of one only" in capfd.readouterr().err


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


def test_camera_of_another_size_is_refused_before_a_line_is_written(
    sample_video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "video.jsonl"
    pictures = pictures_of(sample_video, 20, first=60)
    with mjpeg_camera(pictures, 0.05) as address:
        assert extract(f"{address}/mjpeg", output, "--max-frames", "3") == 0
    before = output.read_bytes()
    smaller = [_half_of(picture) for picture in pictures]
    with mjpeg_camera(smaller, 0.05) as address:
        assert extract(f"{address}/mjpeg", output, "--max-frames", "6", "--resume") == 2
    assert "has frames of 640x480, and http" in capfd.readouterr().err
    assert output.read_bytes() == before
    assert not output.with_name("video.jsonl.partial").exists()


def _half_of(picture: bytes) -> bytes:
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".jpg", cv2.resize(image, None, fx=0.5, fy=0.5))[1].tobytes()


def test_camera_that_had_all_its_frames_ends_for_that_reason(
    sample_video: Path, tmp_path: Path
) -> None:
    output = tmp_path / "video.jsonl"
    with mjpeg_camera(pictures_of(sample_video, 20, first=60), 0.05) as address:
        for more in ((), ("--resume",)):
            assert extract(f"{address}/mjpeg", output, "--max-frames", "3", *more) == 0
            summary = json.loads((tmp_path / "video.summary.json").read_text())
            assert (summary["ended_by"], summary["frames"]) == ("max frames", 3)


def test_drops_of_the_stored_lines_are_in_the_sum(sample_video: Path, tmp_path: Path) -> None:
    output = tmp_path / "video.jsonl"
    with mjpeg_camera(pictures_of(sample_video, 20, first=60), 0.05) as address:
        assert extract(f"{address}/mjpeg", output, "--max-frames", "3") == 0
        lines = read_lines(output)
        stored = 0
        for place, line in enumerate(lines):
            line["frame_index"] += 7 * (place + 1)
            line["dropped_frames"] = 7
            stored += 7
        output.write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert extract(f"{address}/mjpeg", output, "--max-frames", "5", "--resume") == 0
    summary = json.loads((tmp_path / "video.summary.json").read_text())
    new = sum(line.get("dropped_frames") or 0 for line in read_lines(output)[3:])
    assert summary["dropped_frames"] == stored + new
