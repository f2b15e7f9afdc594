"""One look at a count: ask Trino, and compare. The same in a worker and in the triggerer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from trino_checks.checks import Verdict, judge
from trino_checks.errors import UnusableExpectation
from trino_checks.expectations import NONE, Expectation, Tolerance, read_groups, whole_number
from trino_checks.query import Query

if TYPE_CHECKING:
    from trino_checks.answers import TellQuery
    from trino_checks.running import RunningQuery


@dataclass(frozen=True, kw_only=True)
class RowCountCheck:
    """What is counted and what it must be: plain values, so that a trigger can be made of it."""

    conn_id: str
    table: str
    """`database.table`, for errors."""
    subject: str
    """What the check is about, for errors."""
    query: Query
    """Answers one number, or each group's columns and its count."""
    expectation: Expectation | None = None
    expected_query: Query | None = None
    """In place of an expectation: answers what `query` must answer."""
    within: Tolerance = NONE
    """How far from what `expected_query` answers."""

    def look(self, running: RunningQuery, tell: TellQuery | None = None) -> Verdict:
        """Ask once and compare.

        :raises TrinoCheckError: Trino does not answer, or no counts.
        """
        # Trino's client takes half a second to import
        from trino_checks.answers import ask

        expectation = self.expectation
        if self.expected_query is not None:
            answer = ask(self.conn_id, self.table, self.expected_query, running=running)
            expectation = self._expectation_of(*answer)
        if expectation is None:
            raise UnusableExpectation(self.table, None)
        columns, rows = ask(self.conn_id, self.table, self.query, running=running, tell=tell)
        return judge(self.table, expectation, columns, rows, self.subject)

    def _expectation_of(self, columns: list[str], rows: list[Sequence[Any]]) -> Expectation:
        if len(columns) == 1 and len(rows) == 1:
            return Expectation(self.within.around(whole_number(self.table, rows[0][0])))
        if len(columns) == 1:
            raise UnusableExpectation(
                self.table, rows, "expected_sql", "one number, or a group's columns and its count"
            )
        counts = read_groups(self.table, rows)
        return Expectation(groups={g: self.within.around(n) for g, n in counts.items()})

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for a trigger."""
        return {
            "conn_id": self.conn_id,
            "table": self.table,
            "subject": self.subject,
            "query": _plain(self.query),
            "expectation": self.expectation and self.expectation.as_dict(),
            "expected_query": self.expected_query and _plain(self.expected_query),
            "within": asdict(self.within),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> RowCountCheck:
        """What `as_dict` gave."""
        expectation, expected_query = plain["expectation"], plain["expected_query"]
        return cls(
            conn_id=plain["conn_id"],
            table=plain["table"],
            subject=plain["subject"],
            query=_query(plain["query"]),
            expectation=expectation and Expectation.from_dict(expectation),
            expected_query=expected_query and _query(expected_query),
            within=Tolerance(**plain["within"]),
        )


def _plain(query: Query) -> dict[str, Any]:
    return {"sql": query.sql, "values": list(query.values)}


def _query(plain: Mapping[str, Any]) -> Query:
    return Query(plain["sql"], tuple(plain["values"]))
