"""The page's queries: fixed SQL, values bound, answers kept for a few seconds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from time import monotonic
from typing import Any

from lakehouse.errors import LakehouseError, ServerUnreachable
from lakehouse.query import QueryFailed, session
from lakehouse.settings import LakehouseSettings
from store_page.errors import CannotAnswer, PageError, ServerAway, TablesMissing, TookTooLong
from store_page.kept import Kept
from trino_checks.query import Value, bind

log = logging.getLogger(__name__)

SQL_DIR = Path(__file__).resolve().parents[2] / "include" / "sql" / "dashboards" / "page"
QUERY_SECONDS = 20
"""The longest that a query of the page may take; Trino ends it then."""
ANSWER_SECONDS = 10.0
"""The longest that Trino may be silent."""
MOVING_SECONDS = 3.0
"""How long an answer about a time that still goes on is kept: the streams commit no faster."""
CLOSED_SECONDS = 60.0
"""How long one about a time that is over is kept: only a rebuild changes it."""
CAMERAS_SECONDS = 30.0
"""How old the list of cameras may be before another is asked for, while the old one answers."""
KEPT_ROWS = 400_000
"""Of all answers that are kept; a month of a camera's zones has up to 74,400, some 20 MB."""

_PROPERTIES = {"query_max_run_time": f"{QUERY_SECONDS}s"}
_TOO_LONG = {"EXCEEDED_TIME_LIMIT"}
_MISSING = {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "CATALOG_NOT_FOUND"}
_AWAY = {"SERVER_STARTING_UP", "SERVER_SHUTTING_DOWN", "NO_NODES_AVAILABLE"}


@dataclass(frozen=True)
class Table:
    """An answer: names of the columns, and the rows, as Python's types."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@cache
def text_of(name: str) -> str:
    """Return a query's text, by its file's name without `.sql`."""
    return (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")


class Numbers:
    """Trino's answers to the page's queries.

    Many browsers that ask the same at once make one query of it.
    """

    def __init__(self, settings: LakehouseSettings) -> None:
        self.settings = settings
        self._kept = {
            seconds: Kept[Table](seconds, KEPT_ROWS, lambda table: len(table.rows) + 1)
            for seconds in (MOVING_SECONDS, CLOSED_SECONDS)
        }

    def ask(
        self, name: str, values: Mapping[str, Value] | None = None, *, closed: bool = False
    ) -> Table:
        """Answer a query, from what is kept where that is young enough.

        :param closed: what it asks about is over, so that the answer may be kept for longer
        :raises PageError: Trino is away, has no tables, took too long, or failed.
        """
        values = values or {}
        kept = self._kept[CLOSED_SECONDS if closed else MOVING_SECONDS]
        return kept.get((name, tuple(sorted(values.items()))), lambda: self._ask(name, values))

    def _ask(self, name: str, values: Mapping[str, Value]) -> Table:
        query = bind(text_of(name), database=self.settings.database, parameters=values)
        try:
            with session(self.settings, _PROPERTIES, ANSWER_SECONDS) as trino:
                answer = trino.ask(query.sql, query.values)
        except LakehouseError as error:
            raise for_people(error, name) from error
        return Table(answer.columns, answer.rows)


class Cameras:
    """The cameras that Gold knows, answered at once: the list is renewed behind the answers.

    Every request needs it, and nothing on the page can be chosen before it is there.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._table: Table | None = None
        self._asked_at = 0.0
        self._lock = Lock()

    def table(self) -> Table:
        """Return the list.

        :raises PageError: there is none yet, and Trino gives none.
        """
        with self._lock:
            table, is_old = self._table, monotonic() - self._asked_at > CAMERAS_SECONDS
            if table is not None and is_old:
                self._asked_at = monotonic()
                Thread(target=self._renew, name="cameras", daemon=True).start()
        return self._ask() if table is None else table

    def has(self, store: str, camera: str) -> bool:
        """Whether there is such a camera; one that is new is looked for."""
        return _is_in(self.table(), store, camera) or _is_in(self._ask(), store, camera)

    def _ask(self) -> Table:
        table = self._numbers.ask("choices")
        with self._lock:
            self._table, self._asked_at = table, monotonic()
        return table

    def _renew(self) -> None:
        try:
            self._ask()
        except PageError as error:
            log.warning("the list of cameras stays as it was: %s", error)


def _is_in(table: Table, store: str, camera: str) -> bool:
    return any(row[:2] == (store, camera) for row in table.rows)


def for_people(error: LakehouseError, query: str, seconds: int = QUERY_SECONDS) -> PageError:
    """Say what went wrong without what is not for everybody; the log has the rest.

    :param seconds: how long the query might take
    """
    if isinstance(error, ServerUnreachable):
        log.warning("%s: %s", query, error)
        return ServerAway("Trino")
    name = error.name if isinstance(error, QueryFailed) else ""
    if name in _AWAY:
        return ServerAway("Trino")
    if name in _MISSING:
        return TablesMissing()
    if name in _TOO_LONG:
        return TookTooLong(seconds)
    log.error("%s: %s", query, error)
    return CannotAnswer("Trino")
