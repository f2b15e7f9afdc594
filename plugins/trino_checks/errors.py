"""What a check can find or trip over, each with its facts and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class TrinoCheckError(Exception):
    """Base of this package's errors.

    `may_heal` says whether the same check may pass later without anybody's doing.
    """

    may_heal: ClassVar[bool] = True


class RowCountMismatch(TrinoCheckError):
    """A table holds another number of rows than it should."""

    advice: ClassVar[str] = "see what the step before it wrote"

    def __init__(self, table: str, expected: int, actual: int, subject: str) -> None:
        super().__init__(
            f"{table}: expected {expected:,} rows, found {actual:,} "
            f"({actual - expected:+,}) for {subject}: {self.advice}"
        )
        self.table, self.expected, self.actual, self.subject = table, expected, actual, subject


class RowsMissing(RowCountMismatch):
    """The rows did not all arrive in the time that was given."""

    advice = (
        "the job that writes it lags or has failed, or rows went to quarantine; look at its state "
        "in Flink's UI and at silver_quarantine"
    )


class RowsDoubled(RowCountMismatch):
    """More rows than there can be: the table only grows, so waiting cannot mend it."""

    may_heal = False
    advice = "rows were written twice; find which by the key that the check's SQL names"


class SumsDiffer(TrinoCheckError):
    """Sums that must be equal are not."""

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
    """The number to compare with is not a count."""

    may_heal = False

    def __init__(self, table: str, expected: object) -> None:
        super().__init__(f"{table}: cannot expect {expected!r} rows: give a whole number from 0")
        self.table, self.expected = table, expected


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
