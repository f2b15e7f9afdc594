"""A query at work: known by its id as soon as Trino has it, and cancelled from elsewhere.

Airflow calls `on_kill` in a signal handler, in the thread that waits for the query, and a trigger's
in the event loop, beside the thread that waits. So cancelling only leaves word: Trino's client is
answered once a second while a query runs (the protocol's longest wait), sees the word then, in the
thread of the query, and cancels it on the server. No connection is ever used by two at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trino_checks.errors import QueryCancelled

Told = Callable[[str], None]
"""Takes a query's id."""


class RunningQuery:
    """One task's query, or its queries one after another.

    :param check: what asks, for errors.
    """

    def __init__(self, check: str) -> None:
        self.check = check
        self.query_id: str | None = None
        self.is_cancelled = False

    def cancel(self) -> None:
        """End what runs within some two seconds, and begin nothing more."""
        self.is_cancelled = True

    def refuse_if_cancelled(self) -> None:
        """Begin nothing after a cancel.

        :raises QueryCancelled: it came.
        """
        if self.is_cancelled:
            raise QueryCancelled(self.check, self.query_id)

    def follow(self, tell: Told | None) -> Callable[[Mapping[str, Any]], None]:
        """Return what Trino's client calls with each answer of the server.

        Raising there ends the query: the cursor is closed, which cancels it on the server.
        """

        def on_stats(stats: Mapping[str, Any]) -> None:
            query_id = stats.get("queryId")
            if query_id and query_id != self.query_id:
                self.query_id = str(query_id)
                if tell is not None:
                    tell(self.query_id)
            self.refuse_if_cancelled()

        return on_stats
