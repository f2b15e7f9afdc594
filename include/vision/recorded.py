"""Frames of files: every one is read, damaged ones are counted instead of ending it."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import cv2

from vision import capture
from vision.boxes import Image
from vision.capture import TakenFrame
from vision.diagnosis import why_no_video
from vision.errors import NoFrameRateError, SourceError
from vision.spacing import all_positions_ms, discarded_frames, look_at
from vision.timestamps import FrameClock, FrameLimit, PositionClock, RateClock

MAX_FAILED_READS = 2000
"""Reads in a row that may fail before a file counts as ended; a bad packet costs microseconds."""

MISSING_FRAMES_ALLOWED = 2
"""A container's frame count may be off by so many without the file being cut short."""

MISSING_SECONDS_ALLOWED = 2
"""The same where it is told by the duration alone: the sound may go on behind the last frame."""

PICTURES_IN_A_ROW = (".mjpeg", ".mjpg")
"""What begins as a picture and is a video all the same."""

SAME_STAMP_MS = 0.5
"""How far the same time stamp may be off between two libraries, in milliseconds."""


class VideoFile:
    """One file, opened. `unreadable` counts what was skipped so far."""

    def __init__(
        self,
        path: Path,
        *,
        frame_rate: Fraction | None,
        clock: str,
        start: datetime,
        limit: FrameLimit,
        warn: Callable[[str], None],
        offset_ms: Fraction = Fraction(0),
    ) -> None:
        """Open it. Raises `SourceError`.

        `frame_rate` stands in for what the file says. `offset_ms` is the file's place in its
        capture, if others came before it.
        """
        self.path = path
        self.reading = str(path)
        self.unreadable = self.unreadable_files = 0
        self.damage = ""
        """Where the first frame is missing, in words; empty where none is."""
        self._limit = limit
        self._warn = warn
        self._capture = _open(path)
        announced_rate = capture.announced_rate(self._capture)
        self.frame_rate = frame_rate or announced_rate
        self._stamps_rate = announced_rate or frame_rate
        self._spacing = look_at(path, self._stamps_rate)
        self.announced_frames = self._spacing.counted_frames
        if self.announced_frames is None and announced_rate is not None:
            self.announced_frames = capture.announced_frames(self._capture)
        self._positions_ms: list[float] | None = None
        self.frames = 0
        """Places that its frames have taken so far, those of unreadable ones too."""
        self._timed_by = self._choose_clock(clock, is_rate_given=frame_rate is not None)
        self._clock = self._make_clock(start, offset_ms)

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    @property
    def end_ms(self) -> Fraction:
        """When it ends, in milliseconds since the capture's start; known behind its last frame."""
        return self._clock.end_ms(self.frames)

    def taken_frames(self) -> Iterator[TakenFrame]:
        """The frames from the beginning, once. Their places count from 0 in this file."""
        index = failed = 0
        # without an index, damage may leave no other trace than a hole in the stamps
        has_only_stamps = bool(self._spacing.is_even) and self._spacing.counted_frames is None
        is_damaged = has_only_stamps
        anchor: tuple[int, float] | None = None
        while failed < MAX_FAILED_READS:
            if not capture.grab(self._capture):
                if self.announced_frames is not None and index >= self.announced_frames:
                    break
                failed += 1
                continue
            is_damaged = is_damaged or failed > 0
            position_ms = capture.position_ms(self._capture)
            if is_damaged:
                # only the time stamps tell how many frames a bad stretch has swallowed
                lost = self._frames_lost(index, position_ms, anchor) if anchor else failed
                if lost and not self.unreadable:
                    self.damage = f"it is damaged before frame {index + lost}"
                    self._warn(
                        f"{self.path} is damaged before frame {index + lost}; going on behind it"
                    )
                self.unreadable += lost
                index += lost
            failed = 0
            self.frames = index + 1
            captured_epoch_ms = self._clock.capture_epoch_ms(index, position_ms)
            yield TakenFrame(
                index=index,
                captured_epoch_ms=captured_epoch_ms,
                is_kept=self._limit.keeps(captured_epoch_ms),
                image=self._image,
            )
            # behind damage a decoder may hand out an old frame: it anchors nothing
            if anchor is None or (position_ms > anchor[1] and not has_only_stamps):
                anchor = (index, position_ms)
            index += 1
        if self.announced_frames is not None:
            missing = self.announced_frames - index
            if missing > self._missing_allowed():
                # a trimmed file still counts what its edit list leaves out
                missing -= discarded_frames(self.path)
            if missing > self._missing_allowed():
                self.damage = self.damage or f"it breaks off behind frame {index - 1}"
                self.unreadable += missing
                self.frames += missing

    def _missing_allowed(self) -> float:
        if self._spacing.counted_frames is not None:
            return MISSING_FRAMES_ALLOWED
        if self._stamps_rate is None or self._timed_by == "pts":
            # the count is no more than the duration times some rate
            return math.inf
        return float(MISSING_SECONDS_ALLOWED * self._stamps_rate)

    def _image(self) -> Image | None:
        image = capture.retrieve(self._capture)
        if image is None:
            self.unreadable += 1
            self.damage = self.damage or f"frame {self.frames - 1} cannot be decoded"
        return image

    def _frames_lost(self, index: int, position_ms: float, anchor: tuple[int, float]) -> int:
        """How many frames are missing before one that would be `index` if none were."""
        if self._timed_by == "pts" and not self._spacing.is_even:
            # unevenly spaced: only the list of all stamps tells its place
            if self._positions_ms is None:
                self._positions_ms = all_positions_ms(self.path)
            place = bisect_left(self._positions_ms, position_ms - SAME_STAMP_MS)
        elif self._stamps_rate is not None:
            since_anchor = round((position_ms - anchor[1]) * float(self._stamps_rate) / 1000)
            place = anchor[0] + since_anchor
        else:
            return 0
        return max(place - index, 0)

    def _choose_clock(self, clock: str, *, is_rate_given: bool) -> str:
        if clock != "auto":
            return clock
        if is_rate_given:
            # who names the rate wants time to go by it
            return "rate"
        if self.frame_rate is None or self._spacing.is_even is False:
            return "pts"
        return "rate"

    def _make_clock(self, start: datetime, offset_ms: Fraction) -> FrameClock:
        if self._timed_by == "pts":
            gap_ms = 1000 / self.frame_rate if self.frame_rate is not None else None
            return PositionClock(start, offset_ms, gap_ms)
        if self.frame_rate is None:
            raise NoFrameRateError(
                f"{self.path} does not say how many frames a second it has: "
                "give --frame-rate, or --clock pts for its own time stamps"
            )
        return RateClock(start, self.frame_rate, offset_ms)


def _open(path: Path) -> cv2.VideoCapture:
    if path.suffix.lower() not in PICTURES_IN_A_ROW and cv2.haveImageReader(str(path)):
        raise SourceError(
            f"{path} is a picture, not a video: give a video, or the folder of the pictures"
        )
    opened = capture.open_file(path)
    if not opened.isOpened():
        raise SourceError(why_no_video(path))
    return opened
