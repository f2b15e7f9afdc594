"""Frames of a folder: its videos, or its pictures, one after another as one video."""

from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vision.boxes import Image
from vision.capture import TakenFrame
from vision.errors import NoFrameRateError, SourceError
from vision.recorded import VideoFile
from vision.timestamps import FrameLimit, RateClock


class VideoFolder:
    """Videos one after another: places and times go on from each to the next."""

    def __init__(
        self,
        path: Path,
        files: tuple[Path, ...],
        *,
        frame_rate: Fraction | None,
        clock: str,
        start: datetime,
        limit: FrameLimit,
        warn: Callable[[str], None],
    ) -> None:
        """Open the first that can be. Raises `SourceError` if none can."""
        self.unreadable_files = 0
        self.announced_frames = None
        self._unreadable_before = 0
        self._damage_before = ""
        self._frame_rate = frame_rate
        self._clock = clock
        self._start = start
        self._limit = limit
        self._warn = warn
        self._path = path
        self._files = iter(files)
        self._skipped: list[SourceError] = []
        first = self._next_file(Fraction(0))
        if first is None:
            raise self._nothing()
        self._file = first
        self.frame_rate = first.frame_rate

    @property
    def unreadable(self) -> int:
        """Frames that were skipped so far, without those of files that cannot be read at all."""
        return self._unreadable_before + self._file.unreadable

    @property
    def damage(self) -> str:
        """Where the first frame or file is missing, in words; empty where none is."""
        return self._damage_before or self._damage_of(self._file)

    @property
    def reading(self) -> str:
        """The file that is read now."""
        return str(self._file.path)

    def close(self) -> None:
        """Let go of the file that is read now."""
        self._file.close()

    def taken_frames(self) -> Iterator[TakenFrame]:
        """The frames of all files, once. Raises `SourceError` if there are none in any."""
        before = 0
        file: VideoFile | None = self._file
        while file is not None:
            self._file = file
            for taken in file.taken_frames():
                yield taken.moved(before)
            if file.frames == 0:
                self._skipped.append(SourceError(f"{file.path} gives no frame that can be read"))
            before += file.frames
            file.close()
            self._damage_before = self.damage
            self._unreadable_before += file.unreadable
            file.unreadable = 0
            file = self._next_file(file.end_ms)
        if before == 0:
            raise self._nothing()
        self._tell_skipped()

    def _next_file(self, offset_ms: Fraction) -> VideoFile | None:
        for path in self._files:
            try:
                file = VideoFile(
                    path,
                    frame_rate=self._frame_rate,
                    clock=self._clock,
                    start=self._start,
                    limit=self._limit,
                    warn=self._warn,
                    offset_ms=offset_ms,
                )
            except NoFrameRateError:
                raise
            except SourceError as error:
                self._skipped.append(error)
                continue
            self._tell_skipped()
            return file
        return None

    def _tell_skipped(self) -> None:
        """Not before a file can be read: of none the one line of an error tells."""
        for reason in self._skipped[self.unreadable_files :]:
            self._warn(f"{reason}; going on without it")
        self.unreadable_files = len(self._skipped)
        if self._skipped:
            self._damage_before = self._damage_before or f"the first: {self._skipped[0]}"

    @staticmethod
    def _damage_of(file: VideoFile) -> str:
        return f"the first: {file.path.name}: {file.damage}" if file.damage else ""

    def _nothing(self) -> SourceError:
        return SourceError(
            f"no video in {self._path} can be read ({len(self._skipped)} tried): copy them again, "
            f"or give another folder; the first: {self._skipped[0]}"
        )


class PictureFolder:
    """Pictures taken at one rate."""

    def __init__(
        self,
        path: Path,
        files: tuple[Path, ...],
        *,
        frame_rate: Fraction | None,
        start: datetime,
        limit: FrameLimit,
        warn: Callable[[str], None],
    ) -> None:
        """Raises `NoFrameRateError` without a rate, since pictures have none."""
        if frame_rate is None:
            raise NoFrameRateError(
                f"{path} is a folder of pictures, which do not say how many a second there are: "
                "give --frame-rate"
            )
        self.unreadable = self.unreadable_files = 0
        self.damage = ""
        """The first picture that is missing, in words; empty where none is."""
        self.frame_rate: Fraction | None = frame_rate
        self.announced_frames = len(files)
        self.reading = str(path)
        self._path = path
        self._files = files
        self._clock = RateClock(start, frame_rate)
        self._limit = limit
        self._warn = warn

    def close(self) -> None:
        """Nothing is open between two pictures."""

    def taken_frames(self) -> Iterator[TakenFrame]:
        """The pictures, once."""
        for index, path in enumerate(self._files):
            self.reading = str(path)
            captured_epoch_ms = self._clock.capture_epoch_ms(index, 0.0)
            yield TakenFrame(
                index=index,
                captured_epoch_ms=captured_epoch_ms,
                is_kept=self._limit.keeps(captured_epoch_ms),
                image=self._image,
            )

    def _image(self) -> Image | None:
        try:
            image = cv2.imread(self.reading, cv2.IMREAD_COLOR)
        except cv2.error:
            image = None
        if image is None or image.size == 0:
            self.unreadable += 1
            self.damage = self.damage or f"the first: {Path(self.reading).name}"
            self._warn(f"{self.reading} cannot be read as a picture; going on without it")
            return None
        return np.ascontiguousarray(image, dtype=np.uint8)
