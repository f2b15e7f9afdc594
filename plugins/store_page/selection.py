"""What a request is about: one camera of one store, and a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from store_page.errors import ChoiceUnusable

MAX_DAYS = 31
"""Days of one request: a month of minutes is what a screen and a download can take."""
MAX_NAME_CHARACTERS = 200
"""Of a store's or a camera's name; a longer one is none of ours."""
MAX_LIVE_MINUTES = 24 * 60
LIVE_STEP_SECONDS = 5
"""How often Live moves on: as often as the page asks."""
_MOST_DIGITS = 19
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """A time, UTC: its end is not in it. `is_live` where it goes on with the clock."""

    begin: datetime
    end: datetime
    is_live: bool

    @property
    def first_day(self) -> date:
        """The day in which it begins."""
        return self.begin.date()

    @property
    def last_day(self) -> date:
        """The day of its last moment."""
        return (self.end - timedelta(microseconds=1)).date()

    def is_closed(self, now: datetime) -> bool:
        """Whether it is over, so that no camera adds to it any more."""
        return self.end <= now


@dataclass(frozen=True)
class Selection:
    """A camera and a time."""

    store: str
    camera: str
    span: Span

    @property
    def values(self) -> dict[str, str]:
        """What the queries bind."""
        return {
            "store": self.store,
            "camera": self.camera,
            "begin": in_sql(self.span.begin),
            "end": in_sql(self.span.end),
        }


def in_sql(moment: datetime) -> str:
    """Write a time as the queries take it: `2026-11-24 10:15:41.133000`, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def name(what: str, text: str) -> str:
    """Return a store's or a camera's name as it can be asked for.

    :raises ChoiceUnusable: it is empty or too long for one.
    """
    if not text or len(text) > MAX_NAME_CHARACTERS:
        raise ChoiceUnusable(f"The {what} must have 1 to {MAX_NAME_CHARACTERS} characters.")
    return text


def span(first: str | None, last: str | None, live_minutes: str | None, now: datetime) -> Span:
    """Read the days, both included, or the minutes up to now.

    :param first: `2026-11-24`; the last is the same where it is not given
    :raises ChoiceUnusable: neither or both are given, or one is no day, no number, or too long.
    """
    if live_minutes is not None:
        if first is not None or last is not None:
            raise ChoiceUnusable("Choose days, or live, not both.")
        minutes = _number("live", live_minutes, 1, MAX_LIVE_MINUTES)
        # all who look on within these seconds look at the same
        now = now.replace(second=now.second // LIVE_STEP_SECONDS * LIVE_STEP_SECONDS, microsecond=0)
        return Span(now - timedelta(minutes=minutes), now + timedelta(minutes=1), is_live=True)
    if first is None:
        raise ChoiceUnusable("Choose a day, such as first=2026-11-24, or live=60.")
    begin = _day("first", first)
    end = begin if last is None else _day("last", last)
    if end < begin:
        raise ChoiceUnusable("The last day is before the first.")
    if (end - begin).days >= MAX_DAYS:
        raise ChoiceUnusable(f"Choose at most {MAX_DAYS} days at once.")
    return Span(_midnight(begin), _midnight(end) + _A_DAY, is_live=False)


def whole(what: str, text: str | None, default: int, most: int, least: int = 1) -> int:
    """Read a number, such as a page.

    :raises ChoiceUnusable: it is none, or too large.
    """
    return default if text is None else _number(what, text, least, most)


def moment(what: str, text: str) -> datetime:
    """Read a time with its offset, `2026-11-24T10:15:41.133Z`.

    :raises ChoiceUnusable: it is none.
    """
    try:
        read = datetime.fromisoformat(text)
        in_utc = None if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        in_utc = None
    if in_utc is None or not _FIRST_YEAR <= in_utc.year <= _LAST_YEAR:
        raise ChoiceUnusable(f"{what} is no time such as 2026-11-24T10:15:41.133Z.")
    return in_utc


_FIRST_YEAR = 1970
_LAST_YEAR = 9998
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(what: str, text: str) -> date:
    try:
        # weeks, 2026-W48-1, are ISO's too, and meant by nobody
        read = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        read = None
    if read is None or not _FIRST_YEAR <= read.year <= _LAST_YEAR:
        raise ChoiceUnusable(f"{what} is no day such as 2026-11-24.")
    return read


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _number(what: str, text: str, least: int, most: int) -> int:
    digits = text.removeprefix("-")
    # as many digits as a number of Trino's has: Python's own refuse to be read at some thousands
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
        read = None
    else:
        read = int(text)
    if read is None or not least <= read <= most:
        raise ChoiceUnusable(f"{what} must be a whole number from {least} to {most}.")
    return read
