import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from vision.cli import main
from vision.stillness import LONGEST_MS, Stillness


def picture(*, person_at: int | None = None, level: int = 100) -> np.ndarray:
    image = np.full((480, 640, 3), level, dtype=np.uint8)
    if person_at is not None:
        image[200:300, person_at : person_at + 40] = 160
    return image


def test_same_picture_is_still_and_one_with_a_new_person_is_not() -> None:
    stillness = Stillness(8)
    seen = [
        stillness.is_still(image, 40 * n)
        for n, image in enumerate(
            [picture(), picture(), picture(person_at=100), picture(person_at=100), picture()]
        )
    ]
    assert seen == [False, True, False, True, False]


def test_noise_of_a_sensor_is_no_change() -> None:
    rng = np.random.default_rng(1)
    stillness = Stillness(8)
    noisy = [
        np.clip(picture() + rng.normal(0, 8, (480, 640, 3)), 0, 255).astype(np.uint8)
        for _ in range(10)
    ]
    assert [stillness.is_still(image, 40 * n) for n, image in enumerate(noisy)] == [
        False,
        *[True] * 9,
    ]


def test_slow_change_adds_up_until_it_counts() -> None:
    stillness = Stillness(8)
    seen = [stillness.is_still(picture(level=100 + n), 40 * n) for n in range(20)]
    assert [n for n, is_still in enumerate(seen) if not is_still] == [0, 8, 16]


def test_look_is_taken_after_a_while_whatever_has_changed() -> None:
    stillness = Stillness(8)
    moments = [0, LONGEST_MS - 1, LONGEST_MS, LONGEST_MS + 40]
    assert [stillness.is_still(picture(), moment) for moment in moments] == [
        False,
        True,
        False,
        True,
    ]


def test_threshold_of_zero_looks_at_every_frame() -> None:
    assert not any(Stillness(0).is_still(picture(), 40 * n) for n in range(3))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1080, 1920, 3), (33, 4001, 3)])
def test_pictures_of_any_size_are_compared(shape: tuple[int, int, int]) -> None:
    stillness = Stillness(8)
    image = np.zeros(shape, dtype=np.uint8)
    assert [stillness.is_still(image, n) for n in range(2)] == [False, True]


@pytest.fixture
def still_video(sample_video: Path, tmp_path: Path) -> Path:
    """A folder with twelve times one frame of the sample in which HOG sees people."""
    capture = cv2.VideoCapture(str(sample_video))
    for _ in range(61):
        frame = capture.read()[1]
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f"{number:02}.png"), frame)
    return folder


def extract(video: Path, output: Path, *more: str) -> dict:
    start = ("--start-time", "2026-11-24T10:15:00Z", "--detector", "hog", "--image-size", "320")
    start = (*start, "--frame-rate", "10")
    assert main(["--input", str(video), "--output", str(output), *start, *more]) == 0
    return json.loads(output.with_name(f"{output.stem}.summary.json").read_text())


def test_still_frames_have_what_was_seen_and_are_counted(still_video: Path, tmp_path: Path) -> None:
    summary = extract(still_video, tmp_path / "a.jsonl")
    every = extract(still_video, tmp_path / "b.jsonl", "--still-threshold", "0")
    assert (summary["still_frames"], every["still_frames"]) == (11, 0)
    assert summary["detections"] > 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_resumed_run_takes_the_same_frames_for_still(still_video: Path, tmp_path: Path) -> None:
    extract(still_video, tmp_path / "a.jsonl")
    whole = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "b.jsonl.partial").write_bytes(b"".join(whole.splitlines(keepends=True)[:5]))
    summary = extract(still_video, tmp_path / "b.jsonl", "--resume")
    assert (tmp_path / "b.jsonl").read_bytes() == whole
    assert (summary["still_frames"], summary["resumed_frames"]) == (11, 5)
