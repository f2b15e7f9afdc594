"""What a check can find or trip over, each with its facts and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from trino_checks.expectations import Bounds

MOST_GROUPS_TOLD = 10
"""Groups that an error names; the rest is a number, so that a log's line can be read."""
LAGGING = (
    "the job that writes it lags or has failed, or rows went to quarantine; look at its state "
    "in Flink's UI and at silver_quarantine"
)
DOUBLED = "rows were written twice; find which by the key that the check's SQL names"


class TrinoCheckError(Exception):
    """Base of this package's errors.

    `may_heal` says whether the same check may pass later without anybody's doing; `refutes`
    whether it was answered, and does not hold.
    """

    may_heal: ClassVar[bool] = True
    refutes: ClassVar[bool] = False


class CountMismatch(TrinoCheckError):
    """A table holds other numbers of rows than it should."""

    refutes: ClassVar[bool] = True

    def not_in_time(self) -> CountMismatch:
        """The same after a wait whose time is up."""
        raise NotImplementedError


class RowCountMismatch(CountMismatch):
    """A table holds another number of rows than it should."""

    advice: ClassVar[str] = "see what the step before it wrote"

    def __init__(self, table: str, bounds: Bounds, actual: int, subject: str) -> None:
        super().__init__(
            f"{table}: expected {bounds}, found {actual:,} "
            f"({_difference(bounds, actual)}) for {subject}: {self.advice}"
        )
        self.table, self.bounds, self.actual, self.subject = table, bounds, actual, subject

    def not_in_time(self) -> RowsMissing:
        """The same after a wait whose time is up."""
        return RowsMissing(self.table, self.bounds, self.actual, self.subject)


class RowsMissing(RowCountMismatch):
    """The rows did not all arrive in the time that was given."""

    advice = LAGGING


class RowsDoubled(RowCountMismatch):
    """More rows than there can be: the table only grows, so waiting cannot mend it."""

    may_heal = False
    advice = DOUBLED


@dataclass(frozen=True)
class GroupCount:
    """One group's count beside what it must be."""

    group: tuple[str | None, ...]
    bounds: Bounds
    actual: int | None
    """None: the query did not answer the group."""
    is_named: bool = True
    """Whether somebody expects the group."""

    @property
    def is_missing_rows(self) -> bool:
        """Whether there are too few."""
        return not self.bounds.is_reached(self.actual or 0)

    @property
    def has_too_many(self) -> bool:
        """Whether there are more than there can be."""
        return self.bounds.is_exceeded(self.actual or 0)

    def __str__(self) -> str:
        name = "/".join("NULL" if value is None else value for value in self.group)
        if not self.is_named:
            return f"{name} is surplus, with {self.actual or 0:,} rows"
        if self.actual is None:
            return f"{name} is missing, expected {self.bounds}"
        return f"{name} has {self.actual:,}, expected {self.bounds}"


class GroupsDiffer(CountMismatch):
    """Groups of a table hold other numbers of rows than they should, are missing or surplus."""

    advice: ClassVar[str] = "see what the step before it wrote"

    def __init__(
        self,
        table: str,
        columns: tuple[str, ...],
        wrong: tuple[GroupCount, ...],
        groups: int,
        subject: str,
    ) -> None:
        told = "; ".join(str(each) for each in wrong[:MOST_GROUPS_TOLD])
        rest = len(wrong) - MOST_GROUPS_TOLD
        more = f"; and {rest:,} more" if rest > 0 else ""
        super().__init__(
            f"{table}: {len(wrong):,} of {groups:,} groups by {', '.join(columns) or '?'} are "
            f"wrong for {subject}: {told}{more}: {self.advice}"
        )
        self.table, self.columns, self.wrong = table, columns, wrong
        self.groups, self.subject = groups, subject

    def not_in_time(self) -> GroupsMissing:
        """The same after a wait whose time is up."""
        return GroupsMissing(self.table, self.columns, self.wrong, self.groups, self.subject)


class GroupsMissing(GroupsDiffer):
    """The rows of some groups did not all arrive in the time that was given."""

    advice = LAGGING


class GroupsDoubled(GroupsDiffer):
    """A group has more rows than there can be, or is one that nobody expects."""

    may_heal = False
    advice = DOUBLED


class NoAnswerInTime(TrinoCheckError):
    """Trino gave no answer for as long as was waited."""

    def __init__(self, table: str, cause: str) -> None:
        super().__init__(f"{table}: no count in the time that was given; at last: {cause}")
        self.table, self.cause = table, cause


class SumsDiffer(TrinoCheckError):
    """Sums that must be equal are not."""

    refutes: ClassVar[bool] = True

    def __init__(self, check: str, sums: Mapping[str, object], subject: str) -> None:
        told = ", ".join(f"{name} {value}" for name, value in sums.items())
        super().__init__(
            f"{check}: these must be equal for {subject}: {told}. Rebuild the day with "
            "`make backfill DAY=…`; if they still differ, look at the job's SQL"
        )
        self.check, self.sums, self.subject = check, dict(sums), subject


class InvalidIdentifier(TrinoCheckError):
    """A name that cannot stand in SQL."""

    may_heal = False

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            f"{name!r} cannot be a {what}: use lower-case letters, digits and underscores, "
            "a letter first"
        )
        self.what, self.name = what, name


class ParametersDiffer(TrinoCheckError):
    """The values given are not those that the SQL names."""

    may_heal = False

    def __init__(self, missing: set[str], unused: set[str]) -> None:
        super().__init__(
            "the check's parameters differ from its SQL: "
            f"missing {', '.join(sorted(missing)) or 'none'}; "
            f"unused {', '.join(sorted(unused)) or 'none'}"
        )
        self.missing, self.unused = missing, unused


class UnusableAnswer(TrinoCheckError):
    """A check's query does not answer what a check needs."""

    may_heal = False

    def __init__(self, check: str, needed: str, answer: object) -> None:
        super().__init__(f"the query of {check} must give {needed}; it gave {answer!r}")
        self.check, self.needed, self.answer = check, needed, answer


class UnusableExpectation(TrinoCheckError):
    """What to compare with is no count."""

    may_heal = False

    def __init__(
        self, table: str, given: object, what: str = "rows", advice: str = "a whole number from 0"
    ) -> None:
        super().__init__(f"{table}: cannot expect {given!r} ({what}): give {advice}")
        self.table, self.given, self.what = table, given, what


class QueryFailed(TrinoCheckError):
    """Trino refused a check's query."""

    def __init__(self, check: str, cause: str) -> None:
        super().__init__(f"Trino refused the query of {check}: {cause}")
        self.check, self.cause = check, cause


class TrinoUnreachable(TrinoCheckError):
    """Trino does not answer."""

    def __init__(self, conn_id: str, cause: str) -> None:
        super().__init__(
            f"Trino does not answer (connection {conn_id!r}: {cause}): "
            "see `make status`, start it with `make up`"
        )
        self.conn_id, self.cause = conn_id, cause


class QueryCancelled(TrinoCheckError):
    """The task was ended, and its query with it."""

    def __init__(self, check: str, query_id: str | None) -> None:
        super().__init__(f"the query of {check} ({query_id or 'not begun'}) was cancelled")
        self.check, self.query_id = check, query_id


def _difference(bounds: Bounds, actual: int) -> str:
    """From the nearest count that is right."""
    nearest = bounds.around
    if nearest is None:
        nearest = bounds.most if bounds.most is not None and actual > bounds.most else bounds.least
    return f"{actual - nearest:+,}"
