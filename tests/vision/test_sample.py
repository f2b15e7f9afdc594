import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from vision.errors import OutputError
from vision.sample import compose
from vision.sample.compose import SampleSettings, compose_sample, sample_frames, truth_path
from vision.sample.paths import CYCLE_SECONDS, VISITS, poses_at
from vision.sources import FileSource
from vision.video import Video

SMALL = SampleSettings(seconds=2, fps=3, codec="mp4v")


def test_same_settings_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert compose_sample(tmp_path / name / "sample.mp4", SMALL)
    for name in ("sample.mp4", "sample.truth.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_sample_that_is_there_is_left_alone_and_another_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "sample.mp4"
    assert compose_sample(path, SMALL)
    made = path.stat().st_mtime_ns
    assert not compose_sample(path, SMALL)
    assert path.stat().st_mtime_ns == made
    assert compose_sample(path, SampleSettings(seconds=1, fps=3, codec="mp4v"))
    path.unlink()
    assert compose_sample(path, SampleSettings(seconds=1, fps=3, codec="mp4v"))


def test_interrupted_composition_leaves_no_half_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(settings: SampleSettings):
        yield next(sample_frames(settings))
        raise KeyboardInterrupt

    monkeypatch.setattr(compose, "sample_frames", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compose_sample(tmp_path / "sample.mp4", SMALL)
    assert list(tmp_path.iterdir()) == []


def test_sample_is_an_mp4(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.mp4"):
        compose_sample(tmp_path / "sample.avi", SMALL)


def test_default_codec_can_be_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "sample.mp4"
    compose_sample(path, SampleSettings(seconds=1, fps=5))
    with Video(FileSource(path)) as video:
        frames = list(video)
        assert video.frame_rate == 5
    assert len(frames) == 5
    composed = [frame.image for frame in sample_frames(SampleSettings(seconds=1, fps=5))]
    assert all(
        cv2.PSNR(read.image, drawn) > 30 for read, drawn in zip(frames, composed, strict=True)
    )


def test_truth_has_each_frame_and_boxes_inside_the_image(
    sample_video: Path, sample_truth: list[dict]
) -> None:
    truth = json.loads(truth_path(sample_video).read_text())
    assert [frame["frame_index"] for frame in truth["frames"]] == list(range(200))
    people = [person for frame in sample_truth for person in frame]
    assert {person["person"] for person in people} == {visit.person for visit in VISITS}
    for person in people:
        box = person["bbox"]
        assert 0 <= box["x1"] < box["x2"] <= 640
        assert 0 <= box["y1"] < box["y2"] <= 480
        assert 0 < person["visible"] <= 1


def test_truth_is_where_the_picture_differs_from_the_empty_shop() -> None:
    frames = list(sample_frames(SampleSettings(seconds=4, fps=2, codec="mp4v")))
    empty, drawn = frames[0], frames[7]
    assert empty.people == ()
    changed = np.abs(drawn.image.astype(int) - empty.image).max(axis=2) > 60
    inside = np.zeros_like(changed)
    for one in drawn.people:
        inside[one.box.y1 : one.box.y2, one.box.x1 : one.box.x2] = True
    assert len(drawn.people) == 2
    assert changed.sum() > 3000
    # the rest is shadow
    assert (changed & inside).sum() > 0.97 * changed.sum()


def test_people_cross_linger_leave_and_come_back() -> None:
    steps = [poses_at(moment / 10) for moment in range(int(CYCLE_SECONDS * 10))]

    def way(person: str) -> list[tuple[float, float] | None]:
        return [
            next(((pose.x, pose.y) for pose in poses if pose.person == person), None)
            for poses in steps
        ]

    pale, dark = way("pale coat"), way("dark coat")
    before = {a[0] < b[0] for a, b in zip(pale, dark, strict=True) if a and b}
    assert before == {True, False}
    assert max(pale.count(place) for place in set(pale) - {None}) >= 20
    present = "".join("#" if place else "." for place in pale)
    assert present.count("#.") == 2, "leaves, comes back, and leaves again"
    assert not any(poses_at(CYCLE_SECONDS - 0.05)), "the script can begin again without a jump"


def test_who_is_in_front_hides_who_is_behind(sample_truth: list[dict]) -> None:
    assert min(person["visible"] for frame in sample_truth for person in frame) < 0.6
