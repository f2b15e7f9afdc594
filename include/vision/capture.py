"""OpenCV's captures: opening one, taking frames from it, what it says about itself."""

import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vision.boxes import Image
from vision.timestamps import rational_rate

OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

STREAM_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|fpsprobesize;0"
"""For cameras on the network, unless the user has set the variable: over UDP a lossy network
smears the picture; FFmpeg's guess of the rate would take three seconds, whose frames would then
come all at once and be timed wrong."""

FASTEST_USUAL_RATE = 1000
"""Above this the container's rate is a time base (90000), not a rate."""


@dataclass(frozen=True, slots=True)
class TakenFrame:
    """A frame that was taken off its source and is not yet decoded into an image."""

    index: int
    """Its place among all frames of the source, from 0."""

    captured_epoch_ms: int

    is_kept: bool
    """False for one that the limit of frames a second leaves out."""

    image: Callable[[], Image | None]
    """The image, None if it cannot be decoded; asked at most once, before the next frame."""

    def moved(self, by: int) -> "TakenFrame":
        """The same frame, so many places further on."""
        return replace(self, index=self.index + by)


_opening = threading.Lock()


def open_file(path: Path) -> cv2.VideoCapture:
    """By FFmpeg alone, so that no other reader takes it for a sequence of pictures."""
    with _opening:
        return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)


def open_camera(index: int) -> cv2.VideoCapture:
    """A camera of this machine."""
    capture = cv2.VideoCapture(index)
    # an old frame tells the past: keep none waiting
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def open_stream(
    address: str, open_timeout_seconds: float, read_timeout_seconds: float
) -> cv2.VideoCapture:
    """A camera on the network. A read that times out leaves the capture good for nothing."""
    timeouts = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(1000 * open_timeout_seconds)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(1000 * read_timeout_seconds)),
    ]
    with _opening:
        if OPTIONS_VARIABLE in os.environ:
            return cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts)
        # OpenCV reads the variable at each opening; a file's first frames would be lost by it
        os.environ[OPTIONS_VARIABLE] = STREAM_OPTIONS
        try:
            return cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts)
        finally:
            del os.environ[OPTIONS_VARIABLE]


def grab(capture: cv2.VideoCapture) -> bool:
    """Take the next frame; False at the end, and for one that is damaged."""
    try:
        return bool(capture.grab())
    except cv2.error:
        return False


def retrieve(capture: cv2.VideoCapture) -> Image | None:
    """The grabbed frame as an image of its own; None if there is none in it."""
    try:
        fine, image = capture.retrieve()
    except cv2.error:
        return None
    if not fine or image is None or image.size == 0:
        return None
    return np.ascontiguousarray(image, dtype=np.uint8)


def position_ms(capture: cv2.VideoCapture) -> float:
    """The grabbed frame's time stamp, 0 where there is none."""
    position = capture.get(cv2.CAP_PROP_POS_MSEC)
    return float(position) if math.isfinite(position) else 0.0


def announced_rate(capture: cv2.VideoCapture) -> Fraction | None:
    """Frames a second, exactly; None where the source does not say."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    if not math.isfinite(rate) or not 0 < rate <= FASTEST_USUAL_RATE:
        return None
    return rational_rate(rate)


def announced_frames(capture: cv2.VideoCapture) -> int | None:
    """How many frames a file says it has; None where it does not say, as of a camera."""
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(count) if 0 < count < 2**53 else None
