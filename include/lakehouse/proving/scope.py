"""What is to be proven: a run, a day or everything; and which messages that concerns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from lakehouse.proving.errors import DayUnusable
from lakehouse.proving.reading import Reading
from lakehouse.terminal import printable

MS_A_DAY = 24 * 3600 * 1000
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A run, a day (UTC), or with neither all.

    A frame belongs to the day in which it was captured, a message that cannot be read to the day
    in which it was received.
    """

    run_id: str | None = None
    day: date | None = None

    def __str__(self) -> str:
        if self.run_id is not None:
            return f"run {printable(self.run_id)}"
        return "everything" if self.day is None else f"day {self.day}"

    @property
    def is_all(self) -> bool:
        """Whether neither run nor day was named."""
        return self.run_id is None and self.day is None

    @property
    def can_be_known(self) -> bool:
        """Whether a message could carry such a run: its name must be text, and not empty."""
        try:
            return self.run_id is None or self.run_id.encode() != b""
        except UnicodeEncodeError:  # bytes of the command line that are no text
            return False

    def holds(self, reading: Reading, ingest_ms: int) -> bool:
        """Whether a message is in scope."""
        if self.run_id is not None:
            return reading.run_id == self.run_id
        if self.day is not None:
            ms = reading.capture_ms if reading.reason is None else ingest_ms
            return ms is not None and day_of(ms) == self.day
        return True


@dataclass(frozen=True, kw_only=True)
class GoldDays:
    """The days whose Gold is compared, and what must be read to compute it; None: all days.

    `reach_seconds` before a day show what began earlier; a day after it, how far what began in it
    goes on (the batch looks as far: `lookahead_hours`).
    """

    days: frozenset[date] | None
    reach_seconds: int
    _whole: frozenset[int] = field(init=False, default=frozenset())
    _evening: frozenset[int] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        """Turn the days into day numbers, which are quick to look up."""
        numbers = {_number(day) for day in self.days or ()}
        object.__setattr__(self, "_whole", frozenset(numbers | {each + 1 for each in numbers}))
        object.__setattr__(self, "_evening", frozenset(each - 1 for each in numbers))

    def need(self, capture_ms: int) -> bool:
        """Whether a frame of that time can touch the Gold of the days."""
        number, past_midnight = divmod(capture_ms, MS_A_DAY)
        return (
            self.days is None
            or number in self._whole
            or (number in self._evening and past_midnight >= MS_A_DAY - self.reach_seconds * 1000)
        )

    def written_dates(self) -> frozenset[str]:
        """Every date that a needed frame's `capture_ts` can begin with, at any offset."""
        return frozenset(
            date.fromordinal(number).isoformat()
            for day in self.days or ()
            for number in range(day.toordinal() - 2, day.toordinal() + 4)
            if date.min.toordinal() <= number <= date.max.toordinal()
        )


def day_of(ms: int) -> date:
    """The UTC day of an epoch millisecond."""
    return date.fromordinal(_EPOCH_ORDINAL + ms // MS_A_DAY)


def parse_day(text: str, *, now: datetime | None = None) -> date:
    """Read a day that has begun.

    :raises DayUnusable: it is not written as 2026-11-24, or lies in the future.
    """
    try:
        day = date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise DayUnusable(text, "write a UTC day as 2026-11-24") from None
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    if day > today:
        raise DayUnusable(text, f"it lies in the future; today is {today} (UTC)")
    return day


def _number(day: date) -> int:
    return day.toordinal() - _EPOCH_ORDINAL
