"""What is made of many measurements: percentiles, a day's worth, and whether something grows."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

DAY_SECONDS = 86_400
PARTS_OF_COURSE = 12


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that so large a share of them does not exceed: one that was measured.

    :param share: above 0, at most 1
    :raises ValueError: there are no values
    """
    if not values:
        raise ValueError("no values, no percentile")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def a_day(counted: float, seconds: float) -> int:
    """What was counted in so many seconds, as many as a day would bring."""
    return round(counted * DAY_SECONDS / seconds)


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The middle third of a run against its last: medians, in the unit of what was measured."""

    middle: float
    last: float
    most: float
    """What the last third may have."""
    course: tuple[float, ...]
    """Medians of its twelfths, or all values where there are fewer: for who wants to know why."""

    @property
    def is_flat(self) -> bool:
        """Whether it has not grown beyond that."""
        return self.last <= self.most


def trend(values: Sequence[float], *, most_times: float, slack: float, granted: float = 0) -> Trend:
    """Judge what was measured at even distances.

    :param most_times: the middle third's median times so much is still flat
    :param slack: so much more is too: of little, a little more is many times
    :param granted: it may grow as long as it never was more, as a heap does up to its size
    :raises ValueError: there are fewer than three values
    """
    third = len(values) // 3
    if not third:
        raise ValueError(f"{len(values)} values have no thirds")
    middle = statistics.median(values[third : 2 * third])
    last = statistics.median(values[2 * third :])
    most = max(middle * most_times, middle + slack)
    if max(values) <= granted:
        most = max(most, granted)
    parts = min(PARTS_OF_COURSE, len(values))
    bounds = [len(values) * part // parts for part in range(parts + 1)]
    course = tuple(statistics.median(values[first:end]) for first, end in pairwise(bounds))
    return Trend(middle=middle, last=last, most=round(most, 2), course=course)


def seconds_behind(moments: Sequence[float], published: Sequence[int], reached: int) -> float:
    """How long ago there were as many published as have been reached now.

    :param moments: seconds, ascending; the last one is now
    :param published: the count at each of these moments, never falling
    """
    now = moments[-1]
    if reached >= published[-1]:
        return 0.0
    place = bisect_left(published, reached)
    if place == 0:
        return now - moments[0]
    before, after = published[place - 1], published[place]
    share = (reached - before) / (after - before)
    return now - (moments[place - 1] + share * (moments[place] - moments[place - 1]))
