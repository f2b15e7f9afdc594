"""A sensor that waits for rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException

from trino_checks.checks import describe, has_arrived, missing
from trino_checks.errors import TrinoCheckError, TrinoUnreachable
from trino_checks.operators import TrinoCount, failing_for_good
from trino_checks.triggers import TrinoRowCountTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class TrinoRowCountSensor(TrinoCount, BaseSensorOperator):
    """Wait until a count is exactly what it must be.

    The tables that are waited for only grow, so a count above the number means doubled rows and
    fails the task at once and for good. When the time is up, the error names the table, the
    expected and the actual number. A Trino that does not answer is asked again until then.

    :param sql: file in the DAG's template search path, or text, that answers one number; it names
        values `:name` and the schema `{database}`. (templated)
    :param table: what is counted, for the error. (templated)
    :param expected: the number. (templated)
    :param database: the schema. (templated)
    :param parameters: values of the SQL's `:name`s; bound, never pasted. (templated)
    :param trino_conn_id: reference to the Airflow Connection.
    :param deferrable: wait in the triggerer.
    """

    def __init__(
        self,
        *,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float = 3.0,
        timeout: float = 300.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.deferrable = deferrable
        self._give_up_at: float | None = None

    def execute(self, context: Context) -> Any:
        """Look once; then wait here or in the triggerer. Returns the count."""
        if not self.deferrable:
            return super().execute(context)
        first_look = self.poke(context)
        if not first_look.is_done:
            self._wait_in_triggerer()
        return first_look.xcom_value

    def poke(self, context: Context) -> PokeReturnValue:  # noqa: ARG002 - Airflow passes it
        """Look once."""
        if self._give_up_at is None:
            self._give_up_at = time.monotonic() + self.timeout
        table, subject = self.full_name, describe(self.parameters)
        actual: int | None = None
        with failing_for_good():
            expected = self._expected()
            try:
                actual = self._count()
            except TrinoUnreachable as error:
                self.log.warning("%s; looking again", error)
            if actual is not None and has_arrived(table, expected, actual, subject):
                self._tell(actual)
                return PokeReturnValue(is_done=True, xcom_value=actual)
            if time.monotonic() > self._give_up_at:
                raise missing(table, expected, actual, subject)
        self.log.info("%s: %s of %s rows", table, actual, expected)
        return PokeReturnValue(is_done=False)

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002 - Airflow passes it
        event: dict[str, Any],
    ) -> int:
        """Go on after the triggerer has waited; returns the count."""
        if event["done"]:
            self._tell(event["actual"])
            return int(event["actual"])
        if event["may_heal"]:
            raise TrinoCheckError(event["error"])
        raise AirflowFailException(event["error"])

    def _wait_in_triggerer(self) -> NoReturn:
        query = self._query()
        self.defer(
            trigger=TrinoRowCountTrigger(
                trino_conn_id=self.trino_conn_id,
                sql=query.sql,
                values=query.values,
                table=self.full_name,
                subject=describe(self.parameters),
                expected=self._expected(),
                deadline=time.time() + self.timeout,
                poll_interval_seconds=self.poke_interval,
            ),
            method_name="execute_complete",
        )
