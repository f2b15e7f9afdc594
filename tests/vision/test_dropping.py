"""A camera that is faster than the detector: the oldest frames go, and are counted."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import read_lines
from mjpeg_camera import mjpeg_camera, pictures_of

from vision.boxes import Image, RawDetection
from vision.cli import main
from vision.hog import HogDetector


@pytest.mark.slow
def test_dropped_frames_are_told_on_the_line_behind_them_and_at_the_end(
    sample_video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "video.jsonl"
    with mjpeg_camera(pictures_of(sample_video, 150), 0.01) as address:
        main(
            [
                *("--input", f"{address}/mjpeg", "--output", str(output), "--max-frames", "12"),
                *("--detector", "hog", "--image-size", "960"),
            ]
        )
    lines = read_lines(output)
    assert len(lines) == 12
    for before, line in pairwise(lines):
        missing = line["frame_index"] - before["frame_index"] - 1
        assert line.get("dropped_frames", 0) == missing
    dropped = sum(line.get("dropped_frames", 0) for line in lines)
    assert dropped > 5
    summary = json.loads(output.with_name("video.summary.json").read_text())
    assert summary["dropped_frames"] == dropped
    assert f"{summary['dropped_frames']} frames were dropped" in capfd.readouterr().err


def test_file_drops_nothing_however_slow_the_detector(sample_video: Path, tmp_path: Path) -> None:
    output = tmp_path / "video.jsonl"
    main(
        [
            *("--input", str(sample_video), "--output", str(output), "--max-frames", "25"),
            *("--detector", "hog", "--image-size", "640"),
        ]
    )
    lines = read_lines(output)
    assert [line["frame_index"] for line in lines] == list(range(25))
    assert all("dropped_frames" not in line for line in lines)


def test_detector_looks_at_no_frame_past_the_last_that_is_asked_for(
    sample_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []
    detect = HogDetector.detect

    def counting(self: HogDetector, images: Sequence[Image]) -> list[list[RawDetection]]:
        looked_at.extend(images)
        return detect(self, images)

    monkeypatch.setattr(HogDetector, "detect", counting)
    main(
        [
            *("--input", str(sample_video), "--output", str(tmp_path / "v.jsonl")),
            *("--max-frames", "7", "--batch", "2", "--detector", "hog", "--still-threshold", "0"),
        ]
    )
    assert len(looked_at) == 7
