"""Run a check's query on Trino.

Importing this module imports Trino's client, so a DAG file must not: operators and triggers import
it when they run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from airflow.providers.trino.hooks.trino import TrinoException, TrinoHook
from airflow.sdk.exceptions import AirflowNotFoundException

from trino_checks.errors import QueryFailed, TrinoUnreachable
from trino_checks.links import UI_URL_EXTRA, query_url
from trino_checks.query import Query
from trino_checks.running import RunningQuery

TellQuery = Callable[[str, str], None]
"""Takes a query's id and the address of its page in Trino's UI."""


class WatchedTrinoHook(TrinoHook):
    """Trino's hook, whose cursors tell of their query while it runs.

    :param running: who is told, and may end it.
    :param tell: called once a query, with its id and its page.
    """

    def __init__(self, conn_id: str, running: RunningQuery, tell: TellQuery | None) -> None:
        super().__init__(trino_conn_id=conn_id)  # type: ignore[no-untyped-call]
        self.running = running
        self.tell = tell

    def get_conn(self) -> Any:
        """Connect; every cursor of the connection is watched."""
        connection: Any = super().get_conn()
        told = None if self.tell is None else self._teller(connection, self.tell)
        connection.cursor = partial(connection.cursor, stats_callback=self.running.follow(told))
        return connection

    def _teller(self, connection: Any, tell: TellQuery) -> Callable[[str], None]:
        extra = self.get_connection(self.get_conn_id()).extra_dejson
        page = partial(
            query_url,
            connection.http_scheme,
            connection.host,
            connection.port,
            ui_url=str(extra.get(UI_URL_EXTRA) or ""),
        )
        return lambda query_id: tell(query_id, page(query_id))


def ask(
    conn_id: str,
    check: str,
    query: Query,
    *,
    running: RunningQuery | None = None,
    tell: TellQuery | None = None,
) -> tuple[list[str], list[Sequence[Any]]]:
    """Return the names of the columns and the rows.

    :param running: by which the query can be cancelled while it runs.
    :param tell: called with the query's id and page as soon as Trino has given it an id.
    :raises TrinoUnreachable: it does not answer, or there is no such Connection.
    :raises QueryFailed: it refuses the query.
    :raises QueryCancelled: somebody cancelled it by `running`.
    """
    from requests.exceptions import RequestException
    from trino.exceptions import Error, HttpError, TrinoConnectionError, TrinoQueryError

    running = running or RunningQuery(check)
    running.refuse_if_cancelled()
    hook = WatchedTrinoHook(conn_id, running, tell)
    columns: list[str] = []

    def read(cursor: Any) -> list[Sequence[Any]]:
        rows = list(cursor.fetchall())
        columns.extend(str(column[0]) for column in cursor.description)
        return rows

    try:
        rows: Any = hook.run(
            query.sql, parameters=list(query.values) or None, handler=read, split_statements=False
        )
    except TrinoQueryError as error:
        raise QueryFailed(check, f"{error.error_name}: {error.message}") from error
    except (RequestException, TrinoConnectionError, HttpError) as error:
        raise TrinoUnreachable(conn_id, str(error)) from error
    except AirflowNotFoundException as error:
        raise TrinoUnreachable(conn_id, "no such connection") from error
    except (TrinoException, Error) as error:
        raise QueryFailed(check, str(error)) from error
    return columns, rows
