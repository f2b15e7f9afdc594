"""Writing an mp4 that browsers and phones play: H.264, its index at the front."""

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from vision.boxes import Image
from vision.errors import OutputError

TIME_BASE = Fraction(1, 1000)
"""Frames are timed in milliseconds, as their capture times are; they need not be evenly spaced."""

QUALITY = {"crf": "23", "preset": "veryfast"}
"""x264's usual quality; slower presets only make the file smaller."""

_BT_601 = 6
"""How red, green and blue become brightness and colour here: players guess otherwise above 576p."""


class Mp4File:
    """Frames go to `<path>.partial`; `finish` renames it to `path`, else nothing is left of it."""

    def __init__(self, path: Path, width_px: int, height_px: int, frame_rate: Fraction) -> None:
        """Begin it; `frame_rate` is what players are told. The sides are even numbers.

        Raises `OutputError`.
        """
        self.path = path
        self.frames = 0
        self._partial = path.with_name(path.name + ".partial")
        self._latest_ms = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(
                str(self._partial), "w", format="mp4", options={"movflags": "+faststart"}
            )
        except (OSError, av.FFmpegError) as error:
            raise self._cannot_write(error) from None
        stream = self._container.add_stream("libx264", rate=frame_rate, options=QUALITY)
        assert isinstance(stream, VideoStream)  # noqa: S101  of an encoder for video
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.codec_context.time_base = TIME_BASE
        stream.codec_context.colorspace = _BT_601
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # what went wrong has been raised already
        with contextlib.suppress(OSError, av.FFmpegError):
            self._container.close()
        self._partial.unlink(missing_ok=True)

    def write(self, image: Image, at_ms: int) -> None:
        """Add a frame to be shown from `at_ms` on, or right behind the one before if that is later.

        Raises `OutputError`.
        """
        # OpenCV's conversion is exact, FFmpeg's darkens by some levels
        planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        self._latest_ms = max(at_ms, self._latest_ms + 1)
        frame.pts, frame.time_base = self._latest_ms, TIME_BASE
        try:
            self._container.mux(self._stream.encode(frame))
        except (OSError, av.FFmpegError) as error:
            raise self._cannot_write(error) from None
        self.frames += 1

    def finish(self) -> None:
        """Write the rest and give the file its name. Raises `OutputError`."""
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._partial.replace(self.path)
        except (OSError, av.FFmpegError) as error:
            raise self._cannot_write(error) from None

    def _cannot_write(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return OutputError(f"cannot write {self.path}: {reason}")
