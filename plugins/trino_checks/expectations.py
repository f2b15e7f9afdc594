"""What a count must be: exactly, at least, at most, within a tolerance; for all rows or by group.

Pure: no server, no Airflow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trino_checks.errors import UnusableExpectation

Group = tuple[str | None, ...]
"""The values of a group's columns, as text; None is NULL."""

Count = int | str
"""A count, or the text that a template makes of it."""

Counts = Count | Mapping[str, Count] | Sequence[Sequence[Any]]
"""One count; or one a group: by its one column's value, or as rows of its columns and the count."""


def whole_number(table: str, expected: object) -> int:
    """Read an expected count, which templates give as text.

    :raises UnusableExpectation: it is not a whole number from 0.
    """
    if isinstance(expected, bool) or not isinstance(expected, int | str):
        raise UnusableExpectation(table, expected)
    try:
        number = int(expected)
    except ValueError:
        raise UnusableExpectation(table, expected) from None
    if number < 0:
        raise UnusableExpectation(table, expected)
    return number


@dataclass(frozen=True)
class Bounds:
    """The least and the most rows that are right, both included; `most` None: any number."""

    least: int
    most: int | None
    around: int | None = None
    """The count that a tolerance lies around."""

    def __str__(self) -> str:
        if self.around is not None:
            return f"{self.around:,} rows (from {self.least:,} to {self.most:,})"
        if self.most is None:
            return f"at least {self.least:,} rows"
        if self.least == self.most:
            return f"{self.least:,} rows"
        if self.least == 0:
            return f"at most {self.most:,} rows"
        return f"from {self.least:,} to {self.most:,} rows"

    def is_reached(self, actual: int) -> bool:
        """Whether there are enough."""
        return actual >= self.least

    def is_exceeded(self, actual: int) -> bool:
        """Whether there are too many, which waiting cannot mend."""
        return self.most is not None and actual > self.most


NOTHING = Bounds(0, 0)
"""What is right for a group that nobody expects."""


@dataclass(frozen=True)
class Expectation:
    """The bounds of one count, or those of each group; JSON by `as_dict` and `from_dict`."""

    bounds: Bounds | None = None
    groups: Mapping[Group, Bounds] | None = None
    is_closed: bool = True
    """Whether a group that is not named is wrong; not where each need only be reached."""

    @property
    def is_grouped(self) -> bool:
        """Whether the query answers a count a group."""
        return self.groups is not None

    def bounds_of(self, group: Group) -> Bounds:
        """What is right for a group, also for one that is not named."""
        if self.groups is None:
            raise TypeError("this is the expectation of one count")
        return self.groups.get(group, NOTHING if self.is_closed else Bounds(0, None))

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for a trigger."""
        pairs = [((), self.bounds)] if self.groups is None else list(self.groups.items())
        return {
            "is_grouped": self.is_grouped,
            "is_closed": self.is_closed,
            "rows": [[list(g), b.least, b.most, b.around] for g, b in pairs if b is not None],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Expectation:
        """What `as_dict` gave."""
        groups = {tuple(g): Bounds(least, most, around) for g, least, most, around in plain["rows"]}
        if plain["is_grouped"]:
            return cls(groups=groups, is_closed=plain["is_closed"])
        return cls(bounds=groups[()], is_closed=plain["is_closed"])


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a count may be from the one that is expected."""

    share: float = 0.0
    """Of the expected count: 0.01 is one per cent."""
    rows: int = 0

    def around(self, expected: int) -> Bounds:
        """The bounds; the wider of the two tolerances counts, and part of a row is none."""
        if not self.share and not self.rows:
            return Bounds(expected, expected)
        margin = max(self.rows, math.floor(expected * self.share + 1e-9))
        return Bounds(max(0, expected - margin), expected + margin, expected)


NONE = Tolerance()
"""Exactly."""


def tolerance(table: str, share: object, rows: object) -> Tolerance:
    """Read the tolerances, which templates give as text; None is none.

    :raises UnusableExpectation: the share is not from 0 on, or the rows are no whole number from 0.
    """
    try:
        number = 0.0 if share is None else float(str(share))
    except ValueError:
        number = -1.0
    if isinstance(share, bool) or not 0 <= number < math.inf:
        raise UnusableExpectation(table, share, "tolerance", "a share from 0, such as 0.01")
    return Tolerance(share=number, rows=0 if rows is None else whole_number(table, rows))


def expectation(
    table: str,
    *,
    expected: Counts | None = None,
    min_threshold: Counts | None = None,
    max_threshold: Counts | None = None,
    within: Tolerance | None = None,
) -> Expectation:
    """Read what an operator was told.

    :raises UnusableExpectation: nothing, too much or what is no count was given.
    """
    given = (min_threshold, max_threshold)
    if expected is not None and given != (None, None):
        raise UnusableExpectation(
            table, expected, "expected", "either it, or min_threshold and max_threshold"
        )
    if expected is not None:
        around = (within or NONE).around
        if not _is_grouped(expected):
            return Expectation(around(whole_number(table, expected)))
        return Expectation(groups={g: around(n) for g, n in _counts(table, expected).items()})
    if given == (None, None):
        raise UnusableExpectation(table, None, "expected", "it, a min_threshold or a max_threshold")
    if within not in (None, NONE):
        raise UnusableExpectation(
            table, within, "tolerance", "it with expected only: thresholds are bounds already"
        )
    if not any(_is_grouped(each) for each in given):
        least = 0 if min_threshold is None else whole_number(table, min_threshold)
        most = None if max_threshold is None else whole_number(table, max_threshold)
        return Expectation(_ordered(table, least, most))
    if not all(each is None or _is_grouped(each) for each in given):
        raise UnusableExpectation(table, given, "threshold", "both by group, or neither")
    least_of = {} if min_threshold is None else _counts(table, min_threshold)
    most_of = {} if max_threshold is None else _counts(table, max_threshold)
    return Expectation(
        groups={
            group: _ordered(table, least_of.get(group, 0), most_of.get(group))
            for group in [*least_of, *(each for each in most_of if each not in least_of)]
        },
        is_closed=max_threshold is not None,
    )


def read_groups(
    table: str, rows: Iterable[Sequence[object]], *, columns: int | None = None
) -> dict[Group, int]:
    """Read rows of a group's columns and its count.

    :raises UnusableExpectation: a row has no count, none or other columns, or comes twice.
    """
    counts: dict[Group, int] = {}
    for row in rows:
        group = tuple(None if value is None else str(value) for value in row[:-1])
        if not group or (columns is not None and len(group) != columns):
            raise UnusableExpectation(
                table, list(row), "row", "the group's columns, then the count"
            )
        if group in counts:
            raise UnusableExpectation(table, list(row), "group", "each group once")
        counts[group] = whole_number(table, row[-1])
        columns = len(group)
    return counts


def _is_grouped(counts: object) -> bool:
    return not isinstance(counts, str | int | float | None)


def _counts(table: str, given: object) -> dict[Group, int]:
    if isinstance(given, Mapping):
        return read_groups(table, given.items())
    if isinstance(given, Sequence) and all(
        isinstance(row, Sequence) and not isinstance(row, str) for row in given
    ):
        return read_groups(table, given)
    raise UnusableExpectation(
        table, given, "groups", "a mapping of counts, or rows of the group's columns and the count"
    )


def _ordered(table: str, least: int, most: int | None) -> Bounds:
    if most is not None and least > most:
        raise UnusableExpectation(
            table, [least, most], "thresholds", "a min_threshold that max_threshold is not below"
        )
    return Bounds(least, most)
