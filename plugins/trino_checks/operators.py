"""Operators that check the lakehouse by Trino. They only read, so each can be run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from trino_checks.checks import (
    describe,
    named_sums,
    require_count,
    require_equal,
    single_count,
    whole_number,
)
from trino_checks.errors import TrinoCheckError
from trino_checks.query import Query, Value, bind

if TYPE_CHECKING:
    from airflow.sdk import Context

DEFAULT_CONN_ID = "trino"


@contextmanager
def failing_for_good() -> Iterator[None]:
    """Let Airflow retry only what may heal without anybody's doing."""
    try:
        yield
    except TrinoCheckError as error:
        if error.may_heal:
            raise
        raise AirflowFailException(str(error)) from error


class TrinoCheck(BaseOperator):
    """What the checks share: SQL of a file, the schema, values that are bound."""

    template_fields: Sequence[str] = ("sql", "database", "parameters")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"sql": "sql", "parameters": "json"}  # noqa: RUF012 - Airflow's
    ui_color = "#e3f0fb"

    def __init__(
        self,
        *,
        sql: str,
        database: str,
        parameters: Mapping[str, Value] | None = None,
        trino_conn_id: str = DEFAULT_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.database = database
        self.parameters = parameters or {}
        self.trino_conn_id = trino_conn_id

    def _query(self) -> Query:
        return bind(self.sql, database=self.database, parameters=self.parameters)

    def _ask(self, check: str) -> tuple[list[str], list[Sequence[Any]]]:
        # Trino's client takes half a second to import
        from trino_checks.answers import ask

        return ask(self.trino_conn_id, check, self._query())


class TrinoCount(TrinoCheck):
    """What the operator and the sensor of a count share: the table, and the number it must be."""

    template_fields: Sequence[str] = (*TrinoCheck.template_fields, "table", "expected")

    def __init__(self, *, table: str, expected: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.expected = expected

    @property
    def full_name(self) -> str:
        """`database.table`."""
        return f"{self.database}.{self.table}"

    def _expected(self) -> int:
        return whole_number(self.full_name, self.expected)

    def _count(self) -> int:
        return single_count(self.full_name, *self._ask(self.full_name))

    def _tell(self, actual: int) -> None:
        self.log.info("%s: %s rows, as expected", self.full_name, f"{actual:,}")


class TrinoRowCountOperator(TrinoCount):
    """Compare a count with the number that it must be, exactly.

    :param sql: file in the DAG's template search path, or text, that answers one number; it names
        values `:name` and the schema `{database}`. (templated)
    :param table: what is counted, for the error. (templated)
    :param expected: the number. (templated)
    :param database: the schema. (templated)
    :param parameters: values of the SQL's `:name`s; bound, never pasted. (templated)
    :param trino_conn_id: reference to the Airflow Connection.
    """

    def execute(self, context: Context) -> int:  # noqa: ARG002 - Airflow passes it
        """Count and compare; returns the count."""
        with failing_for_good():
            expected = self._expected()
            actual = self._count()
            require_count(self.full_name, expected, actual, describe(self.parameters))
        self._tell(actual)
        return actual


class _TrinoSumsOperator(TrinoCheck):
    """Ask for the named sums of a query's one row, and judge them."""

    def execute(self, context: Context) -> dict[str, object]:  # noqa: ARG002 - Airflow passes it
        """Ask and judge; returns the sums."""
        with failing_for_good():
            sums = named_sums(self.task_id, *self._ask(self.task_id))
            self._judge(sums)
        return sums

    def _judge(self, sums: Mapping[str, object]) -> None:
        """Raise, or log why not."""
        raise NotImplementedError


class TrinoEqualityCheckOperator(_TrinoSumsOperator):
    """Require that the named sums of a query's one row are all equal.

    :param sql: file in the DAG's template search path, or text, that answers one row of two or
        more named sums; it names values `:name` and the schema `{database}`. (templated)
    :param database: the schema. (templated)
    :param parameters: values of the SQL's `:name`s; bound, never pasted. (templated)
    :param trino_conn_id: reference to the Airflow Connection.
    """

    def _judge(self, sums: Mapping[str, object]) -> None:
        require_equal(self.task_id, sums, describe(self.parameters))
        self.log.info("All equal: %s", describe(sums))


class TrinoSkipWhenZeroOperator(_TrinoSumsOperator):
    """Skip itself and what follows when every named sum of a query's one row is zero.

    :param sql: file in the DAG's template search path, or text, that answers one row of two or
        more named sums; it names values `:name` and the schema `{database}`. (templated)
    :param database: the schema. (templated)
    :param parameters: values of the SQL's `:name`s; bound, never pasted. (templated)
    :param trino_conn_id: reference to the Airflow Connection.
    """

    def _judge(self, sums: Mapping[str, object]) -> None:
        if not any(sums.values()):
            raise AirflowSkipException(
                f"Nothing to do for {describe(self.parameters)}: {describe(sums)}"
            )
        self.log.info("Going on: %s", describe(sums))
