"""SQL over the tables, by Trino, as a user would ask."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import trino

from lakehouse.errors import LakehouseError, ServerUnreachable
from lakehouse.settings import LakehouseSettings

ANSWER_SECONDS = 30.0
"""How long Trino may take to say that it has taken a query; the query itself may take longer."""
CHANGE_ATTEMPTS = 10
"""A job's commits (one each 2 to 60 s) may come between a change's reading and its commit."""
_CONFLICTS = {"ICEBERG_COMMIT_ERROR", "TRANSACTION_CONFLICT"}
_OUT_OF_MEMORY = {
    "EXCEEDED_LOCAL_MEMORY_LIMIT",
    "EXCEEDED_GLOBAL_MEMORY_LIMIT",
    "CLUSTER_OUT_OF_MEMORY",
}
_PAUSE_SECONDS = 0.5


class QueryFailed(LakehouseError):
    """Trino could not run a statement; `name` is Trino's own for the error."""

    def __init__(self, cause: str, name: str = "") -> None:
        super().__init__(f"Trino could not run the statement: {cause}")
        self.name = name

    @property
    def is_conflict(self) -> bool:
        """Whether another commit came in between, so that it may go well the next time."""
        return self.name in _CONFLICTS

    @property
    def is_out_of_memory(self) -> bool:
        """Whether it took more memory than Trino may use, so that a part of it may go well."""
        return self.name in _OUT_OF_MEMORY


@dataclass(frozen=True)
class Answer:
    """Names of the columns, and the rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Session:
    """A connection to Trino in the lakehouse's database; made by `session`."""

    def __init__(self, connection: trino.dbapi.Connection) -> None:
        self._connection = connection

    def ask(self, sql: str, values: Sequence[object] = ()) -> Answer:
        """Run one statement; each `?` in it is bound to one of `values`, never pasted."""
        cursor = self._connection.cursor()
        cursor.execute(sql, list(values) or None)
        rows = tuple(tuple(row) for row in cursor.fetchall())
        return Answer(tuple(column[0] for column in cursor.description or ()), rows)

    def ask_in_parts(
        self, sql: str, values: Sequence[object], rows: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Run one statement and yield its rows so many at a time, for answers of any size."""
        cursor = self._connection.cursor()
        cursor.execute(sql, list(values) or None)
        while part := cursor.fetchmany(rows):
            yield [tuple(row) for row in part]


@contextmanager
def session(
    settings: LakehouseSettings,
    properties: Mapping[str, str] | None = None,
    answer_seconds: float = ANSWER_SECONDS,
) -> Iterator[Session]:
    """Connect for a few statements.

    :param properties: session properties of Trino's
    :param answer_seconds: how long Trino may take to say that it has taken a query
    :raises ServerUnreachable: Trino does not answer.
    :raises QueryFailed: a statement is wrong, or failed.
    """
    address = urlsplit(settings.trino_url)
    connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host=address.hostname,
        port=address.port,
        user="rva",
        http_scheme=address.scheme,
        catalog="lakehouse",
        schema=settings.database,
        session_properties=dict(properties or {}),
        max_attempts=2,
        request_timeout=answer_seconds,
        # else it asks Trino first what it can, and warns on the screen where nobody answers
        legacy_prepared_statements=False,
    )
    try:
        yield Session(connection)
    except (trino.exceptions.TrinoConnectionError, trino.exceptions.HttpError, OSError) as error:
        raise ServerUnreachable("Trino", settings.trino_url, str(error)) from error
    except trino.exceptions.TrinoQueryError as error:
        raise QueryFailed(error.message, error.error_name or "") from error
    finally:
        connection.close()


def change(
    settings: LakehouseSettings,
    sql: str,
    values: Sequence[object] = (),
    *,
    properties: Mapping[str, str] | None = None,
) -> None:
    """Run one statement that changes rows, again where another commit came in between.

    It must be safe to run twice.

    :raises QueryFailed: the statement failed, or met another commit at every attempt.
    """
    for attempt in range(1, CHANGE_ATTEMPTS + 1):
        try:
            with session(settings, properties) as trino:
                trino.ask(sql, values)
        except QueryFailed as error:
            if not error.is_conflict or attempt == CHANGE_ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
