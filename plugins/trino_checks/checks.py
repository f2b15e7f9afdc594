"""Compare what a query answers with what must be. Pure: no server, no Airflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trino_checks.errors import (
    CountMismatch,
    GroupCount,
    GroupsDiffer,
    GroupsDoubled,
    NoAnswerInTime,
    RowCountMismatch,
    RowsDoubled,
    SumsDiffer,
    TrinoCheckError,
    UnusableAnswer,
)
from trino_checks.expectations import Expectation, Group

Counted = int | dict[str, int]
"""One count, or the counts by their groups' names."""


@dataclass(frozen=True)
class Verdict:
    """What was counted, and what is wrong with it."""

    counted: Counted
    error: CountMismatch | None = None

    @property
    def is_hopeless(self) -> bool:
        """Whether waiting cannot mend it: there are more rows than there can be."""
        return self.error is not None and not self.error.may_heal


def group_name(group: Group) -> str:
    """Name a group for people and for XCom: `store_01/cam_01`."""
    return "/".join("NULL" if value is None else value for value in group)


def single_count(table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
    """Read the one number that a count query answers.

    :raises UnusableAnswer: it answered something else.
    """
    if len(rows) == 1 and len(columns) == 1:
        value = rows[0][0]
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    raise UnusableAnswer(table, "one row of one number", rows)


def named_sums(
    check: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> dict[str, object]:
    """Read the one row of two or more named sums that an equality check answers.

    :raises UnusableAnswer: it answered something else.
    """
    if len(rows) != 1 or len(set(columns)) < 2 or len(rows[0]) != len(set(columns)):
        raise UnusableAnswer(check, "one row of two or more named sums", rows)
    return dict(zip(columns, rows[0], strict=True))


def grouped_counts(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> dict[Group, int]:
    """Read the counts that a query by group answers: a group's columns, the count last.

    :raises UnusableAnswer: it answered something else, or a group twice.
    """
    counts: dict[Group, int] = {}
    for row in rows:
        *values, count = row
        group = tuple(None if value is None else str(value) for value in values)
        is_count = isinstance(count, int) and not isinstance(count, bool)
        if len(columns) < 2 or not is_count or group in counts:
            raise UnusableAnswer(table, "each group once: its columns, then its count", [list(row)])
        counts[group] = int(str(count))
    return counts


def judge(
    table: str,
    expectation: Expectation,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    subject: str,
) -> Verdict:
    """Compare what the query answered with what must be.

    :raises UnusableAnswer: it answered no counts.
    """
    if expectation.bounds is not None:
        actual = single_count(table, columns, rows)
        bounds = expectation.bounds
        if bounds.is_exceeded(actual):
            return Verdict(actual, RowsDoubled(table, bounds, actual, subject))
        if not bounds.is_reached(actual):
            return Verdict(actual, RowCountMismatch(table, bounds, actual, subject))
        return Verdict(actual)
    counts = grouped_counts(table, columns, rows)
    groups = {**dict.fromkeys(expectation.groups or {}, 0), **counts}
    wrong = [
        GroupCount(
            group,
            expectation.bounds_of(group),
            counts.get(group),
            is_named=group in (expectation.groups or {}),
        )
        for group in groups
    ]
    wrong = [each for each in wrong if each.is_missing_rows or each.has_too_many]
    told = {group_name(group): count for group, count in counts.items()}
    if not wrong:
        return Verdict(told)
    names = tuple(columns[:-1])
    kind = GroupsDoubled if any(each.has_too_many for each in wrong) else GroupsDiffer
    return Verdict(told, kind(table, names, tuple(wrong), len(groups), subject))


def too_late(table: str, error: TrinoCheckError) -> TrinoCheckError:
    """Say what is wrong when the time of a wait is up."""
    if isinstance(error, CountMismatch):
        return error.not_in_time()
    return NoAnswerInTime(table, str(error))


def require_equal(check: str, sums: Mapping[str, object], subject: str) -> None:
    """Compare all sums with the first; NULL equals nothing.

    :raises SumsDiffer: they are not all equal.
    """
    values = list(sums.values())
    if None in values or any(value != values[0] for value in values[1:]):
        raise SumsDiffer(check, sums, subject)


def describe(parameters: Mapping[str, object]) -> str:
    """Name what a check was about, for people: `day 2026-11-24, store_id store_01`."""
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "all rows"
