"""Reading frames through OpenCV and FFmpeg, with damaged ones counted instead of ending it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from vision.boxes import Image
from vision.errors import SourceError
from vision.sources import CameraSource, FileSource, Source, StreamSource
from vision.timestamps import rational_rate

MAX_FAILED_READS = 2000
"""Reads in a row that may fail before a file counts as ended; a bad packet costs microseconds."""

MISSING_FRAMES_ALLOWED = 2
"""A container's frame count may be off by so many without the file being cut short."""

LIVE_TIMEOUT_MS = 10_000
"""How long to wait for a camera on the network, to open and for each frame."""

FASTEST_USUAL_RATE = 1000
"""Above this the container's rate is a time base (90000), not a rate."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame, its place among all frames of the video from 0, and the file's time stamp."""

    index: int
    image: Image
    position_ms: float


class Video:
    """An opened source. Iterate over it once; `unreadable` counts what was skipped so far."""

    def __init__(self, source: Source, frame_rate: Fraction | None = None) -> None:
        """Open it and read the first frame. Raises `SourceError`.

        `frame_rate` stands in for what the file says.
        """
        self.source = source
        self.is_live = not isinstance(source, FileSource)
        self.unreadable = 0
        self._capture = _open(source)
        self._rate = frame_rate or _announced_rate(self._capture)
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.announced_frames = int(count) if not self.is_live and 0 < count < 2**53 else None
        frames = self._live_frames() if self.is_live else self._file_frames()
        first = next(frames, None)
        if first is None:
            self._capture.release()
            raise SourceError(f"{source} gives no frame that can be read")
        self._frames = chain([first], frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames a second, exactly; None where the source does not say."""
        return self._rate

    def __iter__(self) -> Iterator[VideoFrame]:
        return self._frames

    def _live_frames(self) -> Iterator[VideoFrame]:
        index = 0
        while (image := self._read()) is not None:
            yield VideoFrame(index, image, self._position_ms())
            index += 1

    def _file_frames(self) -> Iterator[VideoFrame]:
        index = failed = 0
        damaged = False
        anchor: tuple[int, float] | None = None
        while failed < MAX_FAILED_READS:
            image = self._read()
            if image is None:
                if self.announced_frames is not None and index >= self.announced_frames:
                    break
                failed += 1
                continue
            damaged = damaged or failed > 0
            position_ms = self._position_ms()
            if damaged:
                # only the time stamps tell how many frames a bad stretch has swallowed
                lost = self._frames_lost(index, position_ms, anchor) if anchor else failed
                self.unreadable += lost
                index += lost
            failed = 0
            yield VideoFrame(index, image, position_ms)
            # behind damage a decoder may hand out an old frame: it anchors nothing
            if anchor is None or position_ms > anchor[1]:
                anchor = (index, position_ms)
            index += 1
        if self.announced_frames is not None:
            missing = self.announced_frames - index
            if missing > MISSING_FRAMES_ALLOWED:
                self.unreadable += missing

    def _frames_lost(self, index: int, position_ms: float, anchor: tuple[int, float]) -> int:
        """How many frames are missing before one that would be `index` if none were."""
        if self._rate is None:
            return 0
        since_anchor = round((position_ms - anchor[1]) * float(self._rate) / 1000)
        return max(anchor[0] + since_anchor - index, 0)

    def _position_ms(self) -> float:
        position = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        return float(position) if math.isfinite(position) else 0.0

    def _read(self) -> Image | None:
        try:
            fine, image = self._capture.read()
        except cv2.error:
            return None
        if not fine or image is None or image.size == 0:
            return None
        return np.ascontiguousarray(image, dtype=np.uint8)


def _open(source: Source) -> cv2.VideoCapture:
    timeouts = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        LIVE_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        LIVE_TIMEOUT_MS,
    ]
    match source:
        case CameraSource(index):
            capture = cv2.VideoCapture(index)
            # an old frame tells the past: keep none waiting
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            problem = f"cannot open camera {index}: is another program using it?"
        case StreamSource(address):
            capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts)
            problem = (
                f"cannot open {source}: it answers, but not with video; "
                "check user, password and path"
            )
        case FileSource(path):
            if cv2.haveImageReader(str(path)):
                raise SourceError(f"{path} is a picture, not a video")
            capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
            problem = (
                f"{path} cannot be read as a video: it is none, or it is damaged "
                "(a recording that was cut off lacks its index)"
            )
    if not capture.isOpened():
        raise SourceError(problem)
    return capture


def _announced_rate(capture: cv2.VideoCapture) -> Fraction | None:
    rate = capture.get(cv2.CAP_PROP_FPS)
    if not math.isfinite(rate) or not 0 < rate <= FASTEST_USUAL_RATE:
        return None
    return rational_rate(rate)
