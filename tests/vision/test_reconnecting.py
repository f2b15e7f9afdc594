"""Cameras of this machine, played by a script, that stop and come again."""

import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vision import capture, connection, live
from vision.boxes import Image
from vision.errors import SourceChangedError, SourceError, SourceLostError
from vision.live import LiveSettings
from vision.sources import CameraSource
from vision.video import Video

ENDLESS = 10**9
QUICK = LiveSettings(first_pause_seconds=0.001, longest_pause_seconds=0.002, reconnect_seconds=30)


class Camera:
    """A capture for each connection: how many frames it gives, and of which width."""

    def __init__(self) -> None:
        self.connections: list[tuple[int, int]] = []
        self.opened = 0
        self.released = 0

    def open(self, _: int) -> "Camera.Capture":
        frames, width = self.connections.pop(0) if self.connections else (-1, 0)
        self.opened += 1
        return Camera.Capture(self, frames, width)

    class Capture:
        def __init__(self, camera: "Camera", frames: int, width: int) -> None:
            self.camera, self.frames, self.width = camera, frames, width

        def isOpened(self) -> bool:  # noqa: N802
            return self.frames >= 0

        def get(self, what: int) -> float:
            return 15.0 if what == cv2.CAP_PROP_FPS else 0.0

        def grab(self) -> bool:
            time.sleep(0.001)
            self.frames -= 1
            return self.frames >= 0

        def retrieve(self) -> tuple[bool, Image]:
            return True, np.zeros((4, self.width, 3), np.uint8)

        def release(self) -> None:
            self.camera.released += 1


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Camera:
    camera = Camera()
    monkeypatch.setattr(capture, "open_camera", camera.open)
    monkeypatch.setattr(connection, "check_reachable", lambda _: None)
    return camera


def test_camera_that_comes_back_goes_on_with_its_count(camera: Camera) -> None:
    camera.connections = [(3, 8), (-1, 0), (0, 0), (4, 8), (ENDLESS, 8)]
    told: list[str] = []
    with Video(CameraSource(0), live=QUICK, warn=told.append) as video:
        assert (video.is_live, video.announced_frames, video.frame_rate) == (True, None, 15)
        frames = [frame for _, frame in zip(range(10), video, strict=False)]
    # the first was shown when the camera was opened, and newer ones may have taken its place
    assert [frame.index for frame in frames] == list(range(10))
    assert video.reconnections == 2
    assert video.silent_seconds > 0
    assert [text.split(";")[0].split(",")[0] for text in told] == [
        "camera 0 stopped giving frames",
        "camera 0 gives frames again",
    ] * 2


def test_frames_that_come_before_the_reading_begins_do_not_wait(camera: Camera) -> None:
    camera.connections = [(50, 8)]
    with Video(CameraSource(0), live=LiveSettings(reconnect_seconds=0)) as video:
        assert video.frame_size == (4, 8)
        until = time.monotonic() + 30
        while video._live._connection._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        # nobody has asked, and the camera has given all: the newest is left
        frames = iter(video)
        assert next(frames).index == 0
        with pytest.raises(SourceLostError):
            next(frames)


def test_camera_that_is_not_there_at_the_beginning_is_tried_once(camera: Camera) -> None:
    with pytest.raises(SourceError, match="cannot open camera 0: is another program using it"):
        Video(CameraSource(0), live=QUICK)
    assert camera.opened == 1


def test_mistake_of_ours_in_the_reading_thread_is_raised_and_not_taken_for_a_loss(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera.connections = [(ENDLESS, 8)] * 99
    with Video(CameraSource(0), live=QUICK) as video:
        frames = iter(video)
        next(frames)
        monkeypatch.setattr(capture, "grab", lambda _: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            for _ in frames:
                pass


def test_camera_without_a_frame_is_an_error(camera: Camera) -> None:
    camera.connections = [(0, 0)]
    with pytest.raises(SourceError, match="camera 0 gives no frame that can be read"):
        Video(CameraSource(0), live=QUICK)
    assert camera.released == 1


def test_camera_that_is_waited_for_is_given_up_in_the_end(camera: Camera) -> None:
    settings = LiveSettings(wait_for_source=True, reconnect_seconds=0.2, first_pause_seconds=0.01)
    with pytest.raises(SourceError, match=r"cannot open camera 0.*\(tried for 0 s\)") as error:
        Video(CameraSource(0), live=settings)
    assert not isinstance(error.value, SourceLostError)
    assert camera.opened > 2


def test_camera_that_is_never_tried_again_ends_at_once(camera: Camera) -> None:
    camera.connections = [(3, 8), (ENDLESS, 8)]
    with (
        Video(CameraSource(0), live=LiveSettings(reconnect_seconds=0)) as video,
        pytest.raises(SourceLostError, match=r"^camera 0 stopped giving frames$"),
    ):
        list(video)
    assert camera.opened == 1


def test_camera_that_comes_back_with_another_size_ends_it(camera: Camera) -> None:
    camera.connections = [(3, 8), (ENDLESS, 12)]
    with (
        Video(CameraSource(0), live=QUICK) as video,
        pytest.raises(SourceChangedError, match=r"camera 0 has frames of 12x4, .* are 8x4"),
    ):
        list(video)


def test_places_can_go_on_from_an_earlier_run(camera: Camera) -> None:
    camera.connections = [(ENDLESS, 8)]
    with Video(CameraSource(0), live=QUICK) as video:
        frames = [frame for _, frame in zip(range(3), video.frames(40), strict=False)]
    assert [frame.index for frame in frames] == [40, 41, 42]


@pytest.mark.parametrize(
    ("failed_tries", "seconds"), [(0, 1), (1, 2), (4, 16), (5, 30), (6, 30), (10_000, 30)]
)
def test_pause_doubles_up_to_half_a_minute(failed_tries: int, seconds: float) -> None:
    assert LiveSettings().pause_seconds(failed_tries) == seconds


def test_pauses_of_a_camera_that_stays_away_grow_and_fit_into_the_time(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    tries: list[float] = []
    silences: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    def open_camera(index: int) -> Camera.Capture:
        tries.append(now)
        return camera.open(index)

    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    monkeypatch.setattr(capture, "open_camera", open_camera)
    settings = LiveSettings(wait_for_source=True, reconnect_seconds=100, jitter=0)
    with pytest.raises(SourceError, match="tried for 100 s"):
        Video(CameraSource(0), live=settings, on_silence=silences.append)
    assert tries == pytest.approx([0, 1, 3, 7, 15, 31, 61, 91, 100])
    assert silences == [pytest.approx(5, abs=0.2)]
