"""A source as it is read: its frames with their places and times, and what was missed of them."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import chain
from types import TracebackType
from typing import Protocol, Self

from vision.boxes import Image
from vision.capture import TakenFrame
from vision.errors import SourceChangedError, SourceError, StoppedEarlyError
from vision.folder import check_folder
from vision.folder_frames import PictureFolder, VideoFolder
from vision.live import LiveFrames, LiveSettings
from vision.recorded import VideoFile
from vision.sources import (
    FileSource,
    RecordedSource,
    Source,
    check_reachable,
)
from vision.timestamps import FrameLimit, LiveClock, rational_rate


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame, its place among all frames of the video from 0, and when it was captured."""

    index: int
    image: Image
    captured_epoch_ms: int


def _never() -> bool:
    return False


def _nobody_listens(_: object) -> None:
    pass


class Video:
    """An opened source. Iterate over it once; what it counts are the numbers so far."""

    def __init__(
        self,
        source: Source,
        *,
        frame_rate: Fraction | None = None,
        clock: str = "auto",
        start: datetime | None = None,
        fps_limit: Fraction | float | None = None,
        live: LiveSettings | None = None,
        should_stop: Callable[[], bool] = _never,
        on_silence: Callable[[float], None] = _nobody_listens,
        on_return: Callable[[float], None] = _nobody_listens,
        warn: Callable[[str], None] = _nobody_listens,
    ) -> None:
        """Open it and wait for the first frame. Raises `SourceError`, `StoppedEarlyError`.

        `frame_rate` stands in for what a file says. `clock` is one of `settings.CLOCKS`, for
        files. `start` is when the first frame of a file was captured, and the moment of this
        call for a camera; None: now. `fps_limit` keeps no more frames a second than this.

        `on_silence` is called once when a camera has given no frame for some seconds, and with
        how many; `on_return` when it gives frames again. `warn` is told in one line what is
        missed and reading goes on without. They are called by the thread that iterates, and
        `should_stop` is asked by it, several times a second while it waits.
        """
        self.source = source
        self.is_live = not isinstance(source, RecordedSource)
        self.fps_limit = rational_rate(float(fps_limit)) if fps_limit is not None else None
        self.limited = 0
        """Frames that `fps_limit` left out."""
        self._stopped = threading.Event()
        self._should_stop = should_stop
        self._first_index = 0
        self._live: LiveFrames | None = None
        start = start or datetime.now(UTC)
        limit = FrameLimit(self.fps_limit)
        if isinstance(source, RecordedSource):
            self._frames = _open(source, frame_rate, clock, start, limit, warn)
        else:
            # what can never be right is not waited for
            check_reachable(source, wait_for_source=True)
            self._frames = self._live = LiveFrames(
                source,
                LiveClock(start),
                live or LiveSettings(),
                limit,
                should_stop=self._is_stopping,
                on_silence=on_silence,
                on_return=on_return,
                warn=warn,
            )
        try:
            self._kept = self._kept_frames()
            if self._live is not None:
                self.frame_size = _size(self._live.first_image())
            else:
                first = next(self._kept, None)
                if first is None:
                    if self._is_stopping():
                        raise StoppedEarlyError(
                            f"stopped before {source} gave a frame: nothing was written"
                        )
                    raise SourceError(
                        f"{source} gives no frame that can be read: copy the recording again, or "
                        "convert it, as to H.264 in an mp4"
                    )
                self.frame_size = _size(first.image)
                self._kept = chain([first], self._kept)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames a second, exactly, before any limit; None where the source does not say."""
        return self._frames.frame_rate

    @property
    def announced_frames(self) -> int | None:
        """How many frames there should be, before any limit; None where the source does not say."""
        return self._frames.announced_frames

    @property
    def unreadable(self) -> int:
        """Frames that are damaged or missing."""
        return self._frames.unreadable

    @property
    def unreadable_files(self) -> int:
        """Videos of a folder of which no frame could be read; their frames are not known."""
        return self._frames.unreadable_files

    @property
    def damage(self) -> str:
        """Where the first of what is unreadable is, in words; empty where nothing is."""
        return self._frames.damage

    @property
    def reconnections(self) -> int:
        """How often a camera that was lost gave frames again."""
        return self._live.reconnections if self._live else 0

    @property
    def silent_seconds(self) -> float:
        """How long a camera gave no frame, in all silences and losses."""
        return self._live.silent_seconds if self._live else 0.0

    def __iter__(self) -> Iterator[VideoFrame]:
        return self.frames()

    def frames(self, first_index: int = 0) -> Iterator[VideoFrame]:
        """The frames from this place on; those before it are counted and not decoded into images.

        A camera, which has nothing before it, counts its frames from `first_index`. Raises
        `SourceLostError`, and `SourceChangedError` where frames of another size follow; the frames
        before are as good as ever.
        """
        self._first_index = first_index
        return (frame for frame in self._kept if frame.index >= first_index)

    def stop(self) -> None:
        """End the iteration, from any thread and whatever it waits for; within a second."""
        self._stopped.set()

    def close(self) -> None:
        """Let go of the source. While another thread iterates, `stop` it first, and wait for it."""
        self._frames.close()

    def _is_stopping(self) -> bool:
        return self._stopped.is_set() or self._should_stop()

    def _kept_frames(self) -> Iterator[VideoFrame]:
        size: tuple[int, int] | None = None
        for taken in self._frames.taken_frames():
            if self._is_stopping():
                return
            if not taken.is_kept:
                self.limited += 1
                continue
            index = taken.index
            if self.is_live:
                index += self._first_index
            elif index < self._first_index:
                continue
            image = taken.image()
            if image is None:
                continue
            size = size or _size(image)
            if _size(image) != size:
                raise SourceChangedError(
                    f"{self._frames.reading} has frames of {_in_words(_size(image))}, and those "
                    f"before frame {index} are {_in_words(size)}: read them as a video of their own"
                )
            yield VideoFrame(index, image, taken.captured_epoch_ms)


class _Frames(Protocol):
    """What each kind of source gives."""

    # read only
    @property
    def frame_rate(self) -> Fraction | None: ...
    @property
    def announced_frames(self) -> int | None: ...
    @property
    def unreadable(self) -> int: ...
    @property
    def unreadable_files(self) -> int: ...
    @property
    def damage(self) -> str: ...
    @property
    def reading(self) -> str:
        """What is read now, in words."""

    def taken_frames(self) -> Iterator[TakenFrame]:
        """The frames, once, their places counted from 0."""

    def close(self) -> None:
        """Let go of it."""


def _open(
    source: RecordedSource,
    frame_rate: Fraction | None,
    clock: str,
    start: datetime,
    limit: FrameLimit,
    warn: Callable[[str], None],
) -> "_Frames":
    if isinstance(source, FileSource):
        return VideoFile(
            source.path, frame_rate=frame_rate, clock=clock, start=start, limit=limit, warn=warn
        )
    content = check_folder(source.path)
    if content.passed_over:
        count = len(content.passed_over)
        suffixes = ", ".join(sorted({each.suffix or each.name for each in content.passed_over}))
        what = "picture" if content.are_pictures else "video"
        warn(f"passed over in {source.path}: {count}, no {what}s by their names ({suffixes})")
    if content.are_pictures:
        return PictureFolder(
            source.path, content.files, frame_rate=frame_rate, start=start, limit=limit, warn=warn
        )
    return VideoFolder(
        source.path,
        content.files,
        frame_rate=frame_rate,
        clock=clock,
        start=start,
        limit=limit,
        warn=warn,
    )


def _size(image: Image) -> tuple[int, int]:
    """(height, width) in pixels."""
    return image.shape[0], image.shape[1]


def _in_words(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"
