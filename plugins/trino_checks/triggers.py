"""Counting in the triggerer: a long query, or a long wait for rows, holds no worker slot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from trino_checks.checks import Counted, Verdict, too_late
from trino_checks.counting import RowCountCheck
from trino_checks.errors import TrinoCheckError, TrinoUnreachable
from trino_checks.links import QUERY_ID_KEY, QUERY_URL_KEY
from trino_checks.running import RunningQuery

CANCEL_SECONDS = 10.0
"""How long `on_kill` waits until Trino has ended the query; Airflow gives it 30."""


class TrinoRowCountTrigger(BaseTrigger):
    """Count once, or until the count is what it must be; give up at once when it is more.

    Each query runs in a thread of its own, so that long ones do not use up those that the
    triggerer's event loop has for all triggers. Moved to another triggerer, it asks anew: a query's
    answer is for the client that asked, and a check only reads.

    The event's payload has `done` (bool), `counted`, `query_id`, `query_url`, and `error` with
    `may_heal` and `refuted` (whether it is an answer) when not done.

    :param check: what `RowCountCheck.as_dict` gives.
    :param deadline: epoch seconds when the wait is given up; None: count once.
    :param poll_interval_seconds: pause before each look, the first one too: an event that fires
        at once can meet a task that is not yet recorded as deferred.
    """

    def __init__(
        self,
        *,
        check: Mapping[str, Any],
        deadline: float | None,
        poll_interval_seconds: float,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.check = RowCountCheck.from_dict(check)
        self.deadline = deadline
        self.poll_interval_seconds = poll_interval_seconds
        self._running = RunningQuery(self.check.table)
        self._asked: Future[Verdict] | None = None
        self._query: dict[str, str | None] = {"query_id": None, "query_url": None}
        self._has_linked = False

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments that make this trigger again elsewhere."""
        return (
            "trino_checks.triggers.TrinoRowCountTrigger",
            {
                "check": self.check.as_dict(),
                "deadline": self.deadline,
                "poll_interval_seconds": self.poll_interval_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Count until all rows are there, there are too many, or the deadline has passed."""
        counted: Counted | None = None
        while True:
            await asyncio.sleep(self.poll_interval_seconds)
            left: TrinoCheckError | None
            try:
                verdict = await self._look_in_thread()
                counted, left = verdict.counted, verdict.error
                is_over = left is None or verdict.is_hopeless
            except TrinoUnreachable as error:
                left, is_over = error, False
            except TrinoCheckError as error:
                left, is_over = error, True
            if is_over or left is None or self.deadline is None:
                yield self._event(counted, left)
                return
            if time.time() > self.deadline:
                yield self._event(counted, too_late(self.check.table, left))
                return
            self.log.info("%s; looking again", left)

    async def on_kill(self) -> None:
        """End the query on Trino too: the task was marked, or cleared, by somebody."""
        self._running.cancel()
        if self._asked is not None:
            await asyncio.to_thread(wait, [self._asked], CANCEL_SECONDS)

    async def cleanup(self) -> None:
        """Leave no query behind, also at a triggerer's end: nobody else can fetch its answer."""
        self._running.cancel()

    async def _look_in_thread(self) -> Verdict:
        executor = ThreadPoolExecutor(1, thread_name_prefix="trino-query")
        try:
            self._asked = executor.submit(self._look)
            return await asyncio.wrap_future(self._asked)
        finally:
            executor.shutdown(wait=False)

    def _look(self) -> Verdict:
        return self.check.look(self._running, self._tell)

    def _tell(self, query_id: str, url: str) -> None:
        """Keep the query for the event; show the first one at once, while it runs."""
        self._query = {"query_id": query_id, "query_url": url}
        task = self.task_instance
        if self._has_linked or task is None:
            return
        self._has_linked = True
        self.log.info("Trino query %s: %s", query_id, url)
        try:
            from airflow.sdk.execution_time.xcom import XCom

            for key, value in ((QUERY_ID_KEY, query_id), (QUERY_URL_KEY, url)):
                XCom.set(
                    key,
                    value,
                    dag_id=task.dag_id,
                    task_id=task.task_id,
                    run_id=task.run_id,
                    map_index=-1 if task.map_index is None else task.map_index,
                )
        except Exception as error:  # noqa: BLE001 - the count is worth more than a link
            self.log.warning("The link to the query comes when it has ended (%s)", error)

    def _event(self, counted: Counted | None, error: TrinoCheckError | None) -> TriggerEvent:
        payload: dict[str, Any] = {"done": error is None, "counted": counted, **self._query}
        if error is not None:
            payload |= {
                "error": str(error),
                "may_heal": error.may_heal,
                "refuted": error.refutes,
            }
        return TriggerEvent(payload)  # type: ignore[no-untyped-call]
