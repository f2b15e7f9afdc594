"""One connection to a camera, read by a thread of its own: what blocks in it holds up nobody."""

import threading
import time
from dataclasses import dataclass
from fractions import Fraction

import cv2

from vision import capture
from vision.boxes import Image
from vision.diagnosis import says_nothing, why_no_stream
from vision.errors import SourceError
from vision.leaving import CAMERA_THREAD
from vision.sources import CameraSource, LiveSource, check_reachable
from vision.timestamps import FrameLimit, LiveClock

LEAVE_SECONDS = 1.0
"""How long a connection that is left may take to end; a silent one ends at its own timeout."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame that came."""

    captured_epoch_ms: int
    at_seconds: float
    """When it came, by `time.monotonic`."""

    image: Image | None
    """None for a frame that the limit of frames a second leaves out."""

    def kept_image(self) -> Image | None:
        """The image."""
        return self.image


class Connection:
    """Connects and reads until the camera stops; then it has ended, and another must be made."""

    def __init__(
        self,
        source: LiveSource,
        clock: LiveClock,
        limit: FrameLimit,
        *,
        open_timeout_seconds: float,
        read_timeout_seconds: float,
        is_newest_wanted: bool,
        is_reason_wanted: bool,
    ) -> None:
        """Begin at once.

        `is_newest_wanted`: until the first frame is taken, only the newest one is kept.
        `is_reason_wanted`: where there is no video, ask the camera once more why.
        """
        self.frame_rate: Fraction | None = None
        self.error: Exception | None = None
        """Why there was no connection: a `SourceError`, or a mistake of ours."""
        self.is_refusal = False
        """Whether the camera was asked why, and `error` is its answer."""
        self.is_finite = False
        """Whether it is a recording, which a network recorder plays once for each connection."""
        self._source = source
        self._clock = clock
        self._limit = limit
        self._open_timeout_seconds = open_timeout_seconds
        self._read_timeout_seconds = read_timeout_seconds
        self._is_newest_wanted = is_newest_wanted
        self._is_reason_wanted = is_reason_wanted
        self._arrival: Arrival | None = None
        self._is_over = self._is_left = False
        self._changed = threading.Condition()
        # a camera that says nothing must not keep the process from ending
        self._thread = threading.Thread(target=self._run, name=CAMERA_THREAD, daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether no more frames will come out of it."""
        with self._changed:
            return self._is_over and self._arrival is None

    def peek(self, timeout_seconds: float) -> Arrival | None:
        """The next frame, which stays; None if none comes in that time."""
        with self._changed:
            self._changed.wait_for(lambda: self._arrival or self._is_over, timeout_seconds)
            return self._arrival

    def take(self, timeout_seconds: float) -> Arrival | None:
        """The next frame; None if none comes in that time."""
        with self._changed:
            self._is_newest_wanted = False
            self._changed.wait_for(lambda: self._arrival or self._is_over, timeout_seconds)
            taken, self._arrival = self._arrival, None
            self._changed.notify_all()
            return taken

    def leave(self) -> None:
        """Let it end by itself; waits a little for it."""
        with self._changed:
            self._is_left = True
            self._arrival = None
            self._changed.notify_all()
        self._thread.join(LEAVE_SECONDS)

    def _run(self) -> None:
        try:
            opened = self._open()
            try:
                self._read(opened)
            finally:
                # here, since no other thread may touch a capture that is being read
                opened.release()
        except Exception as error:  # noqa: BLE001  whoever iterates raises what is no SourceError
            self.error = error
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _open(self) -> cv2.VideoCapture:
        check_reachable(self._source)
        if isinstance(self._source, CameraSource):
            opened = capture.open_camera(self._source.index)
            if not opened.isOpened():
                raise SourceError(
                    f"cannot open {self._source}: is another program using it, or is it no camera?"
                )
            return opened
        began = time.monotonic()
        opened = capture.open_stream(
            self._source.address, self._open_timeout_seconds, self._read_timeout_seconds
        )
        if not opened.isOpened():
            if time.monotonic() - began >= self._open_timeout_seconds:
                raise SourceError(says_nothing(self._source))
            if not self._is_reason_wanted:
                raise SourceError(f"cannot open {self._source}")
            self.is_refusal = True
            raise why_no_stream(self._source, self._open_timeout_seconds)
        self.is_finite = capture.announced_frames(opened) is not None
        if self.is_finite and self._source.address.lower().startswith("http"):
            opened.release()
            raise SourceError(
                f"{self._source} is a file and no camera: download it, and give the file"
            )
        return opened

    def _read(self, opened: cv2.VideoCapture) -> None:
        self.frame_rate = capture.announced_rate(opened)
        while not self._is_left and capture.grab(opened):
            captured_epoch_ms = self._clock.now_epoch_ms()
            at_seconds = time.monotonic()
            is_kept = self._limit.keeps(captured_epoch_ms)
            image = capture.retrieve(opened) if is_kept else None
            if is_kept and image is None:
                return
            if not self._hand_over(Arrival(captured_epoch_ms, at_seconds, image)):
                return

    def _hand_over(self, arrival: Arrival) -> bool:
        """Wait until it can be taken, or put it in the place of an older one."""
        with self._changed:
            if self._is_newest_wanted and arrival.image is None:
                return not self._is_left
            self._changed.wait_for(
                lambda: self._arrival is None or self._is_newest_wanted or self._is_left
            )
            if self._is_left:
                return False
            self._arrival = arrival
            self._changed.notify_all()
            return True
