"""Extraction with YOLO, on videos that come with ground truth or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest
from boxes_scoring import bbox, recall_and_precision
from conftest import RunCli, read_lines, shared

from vision.environment import usable_cpus
from vision.errors import SettingsError
from vision.run import extract
from vision.settings import ExtractSettings
from vision.yolo.request import class_numbers

START = "2026-11-24T10:15:00Z"


def test_class_names_become_the_models_numbers() -> None:
    assert class_numbers(("dog", "person"), {0: "person", 1: "cat", 2: "dog"}) == [2, 0]


def test_unknown_class_is_told_with_names_close_to_it() -> None:
    names = {0: "person", 1: "bicycle", 2: "motorcycle"}
    with pytest.raises(SettingsError, match="'bycicle'; close to it: bicycle"):
        class_numbers(("bycicle",), names)
    with pytest.raises(SettingsError, match="close to it: person, bicycle"):
        class_numbers(("zzz",), names)


@pytest.mark.slow
def test_people_in_a_street_are_found_and_followed(yolo_weights: Path, tmp_path: Path) -> None:
    video = shared("mot/TUD-Stadtmitte/TUD-Stadtmitte.mp4")
    truth: dict[int, list] = {}
    for row in shared("mot/TUD-Stadtmitte/gt/gt.txt").read_text().splitlines():
        frame, _, left, top, width, height = (float(value) for value in row.split(",")[:6])
        truth.setdefault(int(frame) - 1, []).append((left, top, left + width, top + height))
    summary = extract(
        ExtractSettings(
            input=str(video),
            output=str(tmp_path / "video.jsonl"),
            weights=str(yolo_weights),
            start_time=START,
            max_frames=80,
        )
    )
    lines = read_lines(tmp_path / "video.jsonl")
    assert {line["model"]["detector"] for line in lines} == {"yolo11n"}
    assert lines[25]["capture_ts"] == "2026-11-24T10:15:01.000Z"
    recall, precision = recall_and_precision(
        ([bbox(one) for one in line["detections"]], truth[line["frame_index"]]) for line in lines
    )
    # measured: .74 and .95
    assert recall > 0.68
    assert precision > 0.88
    # ten people in all, and the tracker keeps most of them together
    assert 5 <= summary.tracks <= 15
    tracked = sum(one["track_id"] is not None for line in lines for one in line["detections"])
    assert tracked > 0.9 * summary.detections


@pytest.mark.slow
def test_same_video_settings_and_start_give_the_same_bytes(
    yolo_weights: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    video = shared("video/one-by-one-person-detection.mp4")
    arguments = {
        "input": str(video),
        "weights": str(yolo_weights),
        "start_time": START,
        "max_frames": 80,
    }
    summary = extract(ExtractSettings(**arguments, output=str(tmp_path / "one.jsonl")))
    assert summary.detections > 10
    ended = run_cli(
        *("--input", video, "--start-time", START, "--max-frames", "80"),
        *("--output", tmp_path / "two.jsonl"),
        RVA_WEIGHTS=str(yolo_weights),
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    # nothing is left in the folder it was called from
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == []


@pytest.mark.slow
def test_other_classes_are_found_by_name(yolo_weights: Path, tmp_path: Path) -> None:
    import cv2

    from vision.sample.people import picture_path

    picture = cv2.imread(str(picture_path()))
    video = tmp_path / "bus.mp4"
    size = picture.shape[1], picture.shape[0]
    writer = cv2.VideoWriter(str(video), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 10, size)
    for _ in range(4):
        writer.write(picture)
    writer.release()
    extract(
        ExtractSettings(
            input=str(video),
            output=str(tmp_path / "v.jsonl"),
            weights=str(yolo_weights),
            classes=("bus", "person"),
            backend="torch",
        )
    )
    last = read_lines(tmp_path / "v.jsonl")[-1]["detections"]
    assert sorted(one["class"] for one in last) == ["bus", "person", "person", "person", "person"]
    assert all(one["track_id"] is not None for one in last)
    import torch

    assert torch.get_num_threads() == usable_cpus()


def test_openvino_computes_beside_pulsars_client(yolo_weights: Path, sample_video: Path) -> None:
    code = (
        "import sys, cv2, pulsar\n"
        "from vision.detectors import make_detector\n"
        "from vision.settings import ExtractSettings\n"
        "settings = ExtractSettings(input='x', weights=sys.argv[1], backend='openvino')\n"
        "capture = cv2.VideoCapture(sys.argv[2])\n"
        "images = [capture.read()[1] for _ in range(60)][-1:]\n"
        "detector = make_detector(settings, images[0].shape[:2], print)\n"
        "print(detector.backend, len(detector.detect(images)[0]) > 0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(yolo_weights), str(sample_video)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines()[-1:] == ["openvino True"], ran.stderr
