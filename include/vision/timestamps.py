"""When a frame was captured, exactly: integers and fractions, never a float that drifts."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Protocol

from vision.errors import SettingsError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

LARGEST_USUAL_DENOMINATOR = 1001
"""Frame rates are whole, or whole over 1001 (29.97 is 30000/1001), save for odd recorders."""

_FLOAT_ERROR = Fraction(1, 10**9)
"""How far, relatively, a container's float may be from the rate that it stands for."""


def parse_start_time(text: str | None, now: datetime | None = None) -> datetime:
    """The start of a capture in UTC and whole milliseconds; `text` without offset is UTC.

    None is now. Raises `SettingsError`.
    """
    if text is None:
        moment = now or datetime.now(UTC)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise SettingsError(
                f"--start-time must be ISO 8601 such as 2026-11-24T10:15:00Z, not {text!r}"
            ) from None
        moment = moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment
    try:
        moment = moment.astimezone(UTC)
        moment + timedelta(days=366)
    except OverflowError:
        moment = _EPOCH - _MILLISECOND
    if moment < _EPOCH:
        raise SettingsError(f"--start-time must be from 1970 on, and before 9999, not {text!r}")
    return from_epoch_ms(to_epoch_ms(moment))


def to_epoch_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970, cut off."""
    return (moment - _EPOCH) // _MILLISECOND


def from_epoch_ms(epoch_ms: int) -> datetime:
    """The moment in UTC."""
    return _EPOCH + epoch_ms * _MILLISECOND


def default_run_id(store_id: str, camera_id: str, start: datetime) -> str:
    """`store_01-cam_01-20261124T101500Z`."""
    return f"{store_id}-{camera_id}-{start:%Y%m%dT%H%M%SZ}"


def rational_rate(frames_per_second: float) -> Fraction:
    """The exact rate that a container's float stands for: 29.97002997 is 30000/1001."""
    exact = Fraction(frames_per_second)
    usual = exact.limit_denominator(LARGEST_USUAL_DENOMINATOR)
    if abs(usual - exact) <= exact * _FLOAT_ERROR:
        return usual
    return exact.limit_denominator(1_000_000)


class FrameClock(Protocol):
    """Tells when a frame of a file was captured."""

    def capture_epoch_ms(self, frame_index: int, position_ms: float) -> int:
        """Milliseconds since 1970 of the frame at this place in the file."""

    def end_ms(self, frames: int) -> Fraction:
        """When the file ends, after so many frames, in milliseconds since the capture's start."""


class RateClock:
    """Start plus index over rate: for files whose frames are evenly spaced."""

    def __init__(self, start: datetime, rate: Fraction, offset_ms: Fraction = Fraction(0)) -> None:
        """`offset_ms` is where the file begins in its capture, if others came before it."""
        self._start_ms = to_epoch_ms(start)
        self._rate = rate
        self._offset_ms = offset_ms

    def capture_epoch_ms(self, frame_index: int, position_ms: float) -> int:  # noqa: ARG002
        """To the nearest millisecond, half a millisecond up."""
        return self._start_ms + _nearest(self.end_ms(frame_index))

    def end_ms(self, frames: int) -> Fraction:
        """Exactly the frames' number over the rate, behind the files before."""
        return self._offset_ms + Fraction(1000 * frames) / self._rate


class PositionClock:
    """Start plus the file's own time stamp: for files whose frames are not evenly spaced."""

    def __init__(
        self,
        start: datetime,
        offset_ms: Fraction = Fraction(0),
        usual_gap_ms: Fraction | None = None,
    ) -> None:
        """`usual_gap_ms` is how long the last frame lasts; None: as long as the one before."""
        self._start_ms = to_epoch_ms(start)
        self._offset_ms = offset_ms
        self._usual_gap_ms = usual_gap_ms
        self._first_position_ms: float | None = None
        self._latest_ms = self._gap_ms = Fraction(0)

    def capture_epoch_ms(self, frame_index: int, position_ms: float) -> int:  # noqa: ARG002
        """Counted from the first frame's stamp; never earlier than the frame before."""
        if self._first_position_ms is None:
            self._first_position_ms = position_ms
        moment = Fraction(position_ms) - Fraction(self._first_position_ms)
        if moment > self._latest_ms:
            self._gap_ms = moment - self._latest_ms
            self._latest_ms = moment
        return self._start_ms + _nearest(self._offset_ms + self._latest_ms)

    def end_ms(self, frames: int) -> Fraction:  # noqa: ARG002
        """The last frame's stamp and how long it lasts, behind the files before."""
        gap = self._gap_ms if self._usual_gap_ms is None else self._usual_gap_ms
        return self._offset_ms + self._latest_ms + gap


def _steady_seconds() -> float:
    """Seconds that nobody sets back, and that go on while the machine sleeps, where it can tell."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class LiveClock:
    """Start plus the time that has passed since: for cameras. A clock set back does not matter."""

    def __init__(
        self, start: datetime, steady_seconds: Callable[[], float] = _steady_seconds
    ) -> None:
        self._start_ms = to_epoch_ms(start)
        self._steady_seconds = steady_seconds
        self._began = steady_seconds()

    def now_epoch_ms(self) -> int:
        """Milliseconds since 1970; read when a frame arrives."""
        return self._start_ms + int(1000 * (self._steady_seconds() - self._began))


class FrameLimit:
    """Chooses frames so that there are no more than so many a second, the same ones each time.

    Time is cut into slots of 1 / limit from the first frame on, and the first frame that comes in
    a slot is kept: what is chosen never drifts, however the frames are spaced.
    """

    def __init__(self, frames_per_second: Fraction | None) -> None:
        """None keeps every frame."""
        self._rate = frames_per_second
        self._first_ms: int | None = None
        self._latest_slot = -1

    def keeps(self, captured_epoch_ms: int) -> bool:
        """Ask once for each frame, in order."""
        if self._rate is None:
            return True
        if self._first_ms is None:
            self._first_ms = captured_epoch_ms
        # one more, since both are rounded, and a frame must not miss the slot that it begins
        elapsed_ms = captured_epoch_ms - self._first_ms + 1
        slot = (elapsed_ms * self._rate / 1000).__floor__()
        if slot <= self._latest_slot:
            return False
        self._latest_slot = slot
        return True


def _nearest(milliseconds: Fraction) -> int:
    """Half a millisecond up."""
    return (milliseconds + Fraction(1, 2)).__floor__()


class DetectionNumbers:
    """Names detections `d_<epoch second>_<n>`, n counting from 001 within that second."""

    def __init__(self) -> None:
        self._second = -1
        self._count = 0

    def next_id(self, capture_epoch_ms: int) -> str:
        """The next name in the second of this moment; moments must not go back."""
        second = capture_epoch_ms // 1000
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        return f"d_{second}_{self._count:03d}"
