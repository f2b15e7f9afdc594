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
    """Tells when a frame was captured."""

    def capture_epoch_ms(self, frame_index: int, position_ms: float) -> int:
        """Milliseconds since 1970 of the frame at this place in the video."""


class RateClock:
    """Start plus index over rate: for files, whose frames are evenly spaced."""

    def __init__(self, start: datetime, rate: Fraction) -> None:
        self._start_ms = to_epoch_ms(start)
        self._rate = rate

    def capture_epoch_ms(self, frame_index: int, position_ms: float) -> int:  # noqa: ARG002
        """To the nearest millisecond, half a millisecond up."""
        return (
            self._start_ms
            + (Fraction(1000 * frame_index) / self._rate + Fraction(1, 2)).__floor__()
        )


class PositionClock:
    """Start plus the file's own time stamp: for files whose frames are not evenly spaced."""

    def __init__(self, start: datetime) -> None:
        self._start_ms = to_epoch_ms(start)
        self._first_position_ms: float | None = None
        self._latest_ms = self._start_ms

    def capture_epoch_ms(self, frame_index: int, position_ms: float) -> int:  # noqa: ARG002
        """Counted from the first frame's stamp; never earlier than the frame before."""
        if self._first_position_ms is None:
            self._first_position_ms = position_ms
        moment = self._start_ms + round(position_ms - self._first_position_ms)
        self._latest_ms = max(self._latest_ms, moment)
        return self._latest_ms


class LiveClock:
    """Start plus the time that has passed since: for cameras. A clock set back does not matter."""

    def __init__(self, start: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._start_ms = to_epoch_ms(start)
        self._monotonic = monotonic
        self._began = monotonic()

    def capture_epoch_ms(self, frame_index: int, position_ms: float) -> int:  # noqa: ARG002
        """Read when the frame arrives."""
        return self._start_ms + int(1000 * (self._monotonic() - self._began))


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
