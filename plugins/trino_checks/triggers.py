"""The wait for rows in the triggerer, so that it holds no worker slot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from trino_checks.checks import has_arrived, missing, single_count
from trino_checks.errors import TrinoCheckError, TrinoUnreachable
from trino_checks.query import Query, Value


class TrinoRowCountTrigger(BaseTrigger):
    """Wait until a count is what it must be; give up at once when it is more.

    The event's payload has `done` (bool), `actual`, and `error` with `may_heal` when not done.

    :param trino_conn_id: reference to the Airflow Connection.
    :param sql: SQL with `?` placeholders that answers one number.
    :param values: the values for them.
    :param table: what is counted, for the error.
    :param subject: what the check is about, for the error.
    :param expected: the number.
    :param deadline: epoch seconds when the wait is given up.
    :param poll_interval_seconds: pause before each look, the first one too: an event that fires
        at once can meet a task that is not yet recorded as deferred.
    """

    def __init__(
        self,
        *,
        trino_conn_id: str,
        sql: str,
        values: Sequence[Value],
        table: str,
        subject: str,
        expected: int,
        deadline: float,
        poll_interval_seconds: float,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.trino_conn_id = trino_conn_id
        self.sql = sql
        self.values = list(values)
        self.table = table
        self.subject = subject
        self.expected = expected
        self.deadline = deadline
        self.poll_interval_seconds = poll_interval_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments that make this trigger again elsewhere."""
        return (
            "trino_checks.triggers.TrinoRowCountTrigger",
            {
                "trino_conn_id": self.trino_conn_id,
                "sql": self.sql,
                "values": self.values,
                "table": self.table,
                "subject": self.subject,
                "expected": self.expected,
                "deadline": self.deadline,
                "poll_interval_seconds": self.poll_interval_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Count until all rows are there, there are too many, or the deadline has passed."""
        actual: int | None = None
        while True:
            await asyncio.sleep(self.poll_interval_seconds)
            try:
                actual = await asyncio.to_thread(self._count)
                done = has_arrived(self.table, self.expected, actual, self.subject)
            except TrinoUnreachable as error:
                self.log.warning("%s; looking again", error)
                done = False
            except TrinoCheckError as error:
                yield self._event(actual, error)
                return
            if done:
                yield self._event(actual)
                return
            if time.time() > self.deadline:
                yield self._event(actual, missing(self.table, self.expected, actual, self.subject))
                return
            self.log.info("%s: %s of %s rows", self.table, actual, self.expected)

    def _count(self) -> int:
        from trino_checks.answers import ask

        query = Query(self.sql, tuple(self.values))
        return single_count(self.table, *ask(self.trino_conn_id, self.table, query))

    def _event(self, actual: int | None, error: TrinoCheckError | None = None) -> TriggerEvent:
        payload: dict[str, Any] = {"done": error is None, "actual": actual}
        if error is not None:
            payload |= {"error": str(error), "may_heal": error.may_heal}
        return TriggerEvent(payload)  # type: ignore[no-untyped-call]
