"""A series of minutes as one line of blocks: pure, of any length, in any width.

Of our own: what the libraries lack is the sum of this (gaps, the greatest of a column, ASCII).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.:-=+*#"
GAP = " "
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Columns:
    """A series fitted into a width."""

    values: tuple[int | None, ...]
    """The greatest of each column's minutes; None where none of them is there."""
    minutes_each: int
    """How many minutes a column stands for; the last may have fewer."""


def fit(minutes: Mapping[datetime, int], width: int) -> Columns:
    """Lay the minutes from the first to the last into at most `width` columns of equal length.

    A minute that is not in `minutes` is a gap. What is longer than the width is put together by
    the greatest of each column, so that no peak is lost.
    """
    if not minutes:
        return Columns((), 1)
    first = min(minutes)
    length = (max(minutes) - first) // MINUTE + 1
    each = -(-length // max(1, width))
    values: list[int | None] = [None] * -(-length // each)
    for minute, value in minutes.items():
        column = (minute - first) // MINUTE // each
        known = values[column]
        values[column] = value if known is None else max(known, value)
    return Columns(tuple(values), each)


def draw(values: Sequence[int | None], *, blocks: str = BLOCKS) -> str:
    """Draw each value as a block between 0 (the lowest) and the greatest; None is a blank."""
    greatest = max((value for value in values if value is not None), default=0)
    return "".join(GAP if value is None else blocks[_level(value, greatest)] for value in values)


def _level(value: int, greatest: int, levels: int = len(BLOCKS)) -> int:
    """The lowest for nobody; the rest is rounded up, so that one person is never nobody."""
    if value <= 0:
        return 0
    return -(-value * (levels - 1) // greatest)
