"""Run a check's query on Trino.

Importing this module imports Trino's client, so a DAG file must not: operators and triggers import
it when they run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.trino.hooks.trino import TrinoException, TrinoHook
from airflow.sdk.exceptions import AirflowNotFoundException

from trino_checks.errors import QueryFailed, TrinoUnreachable
from trino_checks.query import Query


def ask(conn_id: str, check: str, query: Query) -> tuple[list[str], list[Sequence[Any]]]:
    """Return the names of the columns and the rows.

    :raises TrinoUnreachable: it does not answer, or there is no such Connection.
    :raises QueryFailed: it refuses the query.
    """
    from requests.exceptions import RequestException
    from trino.exceptions import Error, TrinoConnectionError, TrinoQueryError

    hook = TrinoHook(trino_conn_id=conn_id)  # type: ignore[no-untyped-call]
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
    except (RequestException, TrinoConnectionError) as error:
        raise TrinoUnreachable(conn_id, str(error)) from error
    except AirflowNotFoundException as error:
        raise TrinoUnreachable(conn_id, "no such connection") from error
    except (TrinoException, Error) as error:
        raise QueryFailed(check, str(error)) from error
    return columns, rows
