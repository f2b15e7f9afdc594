"""Compare what a query answers with what must be. Pure: no server, no Airflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trino_checks.errors import (
    RowCountMismatch,
    RowsDoubled,
    RowsMissing,
    SumsDiffer,
    UnusableAnswer,
    UnusableExpectation,
)


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


def require_count(table: str, expected: int, actual: int, subject: str) -> None:
    """Compare exactly.

    :raises RowCountMismatch: the numbers differ.
    """
    if actual > expected:
        raise RowsDoubled(table, expected, actual, subject)
    if actual < expected:
        raise RowCountMismatch(table, expected, actual, subject)


def has_arrived(table: str, expected: int, actual: int, subject: str) -> bool:
    """Compare while rows still arrive: true when all are there, false while some are missing.

    :raises RowsDoubled: there are more than can be.
    """
    if actual > expected:
        raise RowsDoubled(table, expected, actual, subject)
    return actual == expected


def missing(table: str, expected: int, actual: int | None, subject: str) -> RowsMissing:
    """Make the error for rows that did not arrive in time."""
    return RowsMissing(table, expected, actual or 0, subject)


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
