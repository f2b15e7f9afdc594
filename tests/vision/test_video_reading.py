from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import shared

from vision.boxes import Image
from vision.errors import SourceError
from vision.recorded import MISSING_FRAMES_ALLOWED
from vision.sources import FileSource
from vision.video import Video

BAD = "bad"
EARLIER = "earlier"


class FakeCapture:
    """A capture that plays a script: a frame's position in frames, or BAD for a failed read."""

    def __init__(self, script: list[float | str], announced: float, rate: float = 10.0) -> None:
        self.script = list(script)
        self.properties = {cv2.CAP_PROP_FRAME_COUNT: announced, cv2.CAP_PROP_FPS: rate}
        self.rate = rate or 10.0
        self.position = 0.0

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def release(self) -> None:
        pass

    def set(self, what: int, value: float) -> None:
        pass

    def get(self, what: int) -> float:
        if what == cv2.CAP_PROP_POS_MSEC:
            return 1000 * self.position / self.rate
        return self.properties[what]

    def grab(self) -> bool:
        step = self.script.pop(0) if self.script else BAD
        if isinstance(step, str):
            return False
        self.position = step
        return True

    def retrieve(self) -> tuple[bool, Image | None]:
        return True, np.full((4, 4, 3), int(self.position) % 256, dtype=np.uint8)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def play(script: list[float | str], announced: float, rate: float = 10.0) -> Video:
        capture = FakeCapture(script, announced, rate)
        monkeypatch.setattr(cv2, "VideoCapture", lambda *_: capture)
        path = tmp_path / "video.mp4"
        path.write_bytes(b"x")
        return Video(FileSource(path), clock="rate" if rate == rate and 0 < rate < 1000 else "pts")

    return play


@pytest.mark.parametrize(
    ("name", "script", "announced", "expected", "unreadable"),
    [
        ("sound", [0, 1, 2, 3], 4, [0, 1, 2, 3], 0),
        ("a bad packet in the middle", [0, 1, BAD, 3, 4], 5, [0, 1, 3, 4], 1),
        ("more failed reads than lost frames", [0, 1, BAD, BAD, BAD, 3], 4, [0, 1, 3], 1),
        ("frames that are silently lost behind it", [0, BAD, 2, 5, 6], 7, [0, 2, 5, 6], 3),
        ("an old frame behind it", [0, 1, BAD, 6, 2, 8], 9, [0, 1, 6, 7, 8], 4),
        ("a bad beginning", [BAD, BAD, 2, 3], 4, [2, 3], 2),
        ("cut short", [0, 1, 2], 20, [0, 1, 2], 17),
        ("a count that is a little off", [0, 1, 2], 3 + MISSING_FRAMES_ALLOWED, [0, 1, 2], 0),
        ("more frames than announced", [0, 1, 2, 3], 2, [0, 1, 2, 3], 0),
        ("no count", [0, 1, BAD, 3], -1, [0, 1, 3], 1),
    ],
)
def test_damaged_frames_are_counted_and_the_others_keep_their_place(
    play, name: str, script: list, announced: float, expected: list[int], unreadable: int
) -> None:
    video = play(script, announced)
    assert [frame.index for frame in video] == expected, name
    assert video.unreadable == unreadable, name


def test_uneven_time_stamps_of_a_sound_file_lose_no_frame(play) -> None:
    video = play([0, 1, 4, 9, 9.2], 5)
    assert [frame.index for frame in video] == [0, 1, 2, 3, 4]
    assert video.unreadable == 0


def test_file_without_a_readable_frame_is_refused(play) -> None:
    with pytest.raises(SourceError, match="no frame that can be read"):
        play([], 10)


@pytest.mark.parametrize("rate", [0.0, float("nan"), float("inf"), 90000.0, -1.0])
def test_rate_that_is_none_is_not_believed(play, rate: float) -> None:
    assert play([0, 1], 2, rate).frame_rate is None


def test_rate_is_exact(play) -> None:
    assert play([0, 1], 2, 30000 / 1001).frame_rate == Fraction(30000, 1001)


def test_every_frame_of_the_sample_is_read(sample_video: Path) -> None:
    with Video(FileSource(sample_video)) as video:
        frames = [frame.index for frame in video]
    assert frames == list(range(200))
    assert video.announced_frames == 200
    assert video.frame_rate == 10


@pytest.mark.parametrize(("damaged_bytes", "lost_at_most"), [(3_000, 5), (60_000, 60)])
def test_real_video_is_read_on_behind_a_damaged_stretch(
    tmp_path: Path, damaged_bytes: int, lost_at_most: int
) -> None:
    content = bytearray(shared("video/vtest_480x360.mp4").read_bytes())
    middle = len(content) // 2
    content[middle : middle + damaged_bytes] = bytes(damaged_bytes)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    with Video(FileSource(path)) as video:
        frames = [frame.index for frame in video]
    assert frames[-1] == 794
    assert frames == sorted(set(frames))
    assert 0 < video.unreadable <= lost_at_most
    assert len(frames) + video.unreadable == 795
