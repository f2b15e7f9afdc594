"""A sensor that waits for rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from trino_checks.checks import too_late
from trino_checks.errors import TrinoCheckError, TrinoUnreachable
from trino_checks.operators import TrinoCount

if TYPE_CHECKING:
    from airflow.sdk import Context


class TrinoRowCountSensor(TrinoCount, BaseSensorOperator):
    """Wait until a count, or the counts of groups, are what they must be.

    What they must be is told as to `TrinoRowCountOperator`. The tables that are waited for only
    grow, so a count above what can be means doubled rows and fails the task at once and for good;
    so does a group that nobody expects. When the time is up, the error names the table, the
    expected and the actual numbers. A Trino that does not answer is asked again until then.

    :param sql: file in the DAG's template search path, or text, that answers one number, or groups;
        it names values `:name` and the schema `{database}`. (templated)
    :param table: what is counted, for the error. (templated)
    :param expected: the count, or the counts by group. (templated)
    :param expected_sql: SQL that answers them; asked again at each look. (templated)
    :param min_threshold: the least count, or those by group. (templated)
    :param max_threshold: the greatest count, or those by group. (templated)
    :param tolerance: how far from the expected count, as a share of it. (templated)
    :param tolerance_rows: the same in rows. (templated)
    :param database: the schema. (templated)
    :param parameters: values of the `:name`s; bound, never pasted. (templated)
    :param trino_conn_id: reference to the Airflow Connection. (templated)
    :param retry_on_failure: let Airflow try again what may heal.
    :param deferrable: wait in the triggerer, after a first look.
    """

    def __init__(
        self, *, poke_interval: float = 3.0, timeout: float = 300.0, **kwargs: Any
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self._give_up_at: float | None = None

    def execute(self, context: Context) -> Any:
        """Look once; then wait here or in the triggerer. Returns what was counted."""
        if not self.deferrable:
            return super().execute(context)
        first_look = self.poke(context)
        if not first_look.is_done:
            self._defer(
                self._check(),
                deadline=time.time() + self.timeout,
                poll_interval_seconds=self.poke_interval,
            )
        return first_look.xcom_value

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        if self._give_up_at is None:
            self._give_up_at = time.monotonic() + self.timeout
        with self._failing_for_good():
            check = self._check()
            left: TrinoCheckError | None
            try:
                verdict = check.look(
                    self._begin(check.table),
                    lambda query_id, url: self._show(context, query_id, url),
                )
                left = verdict.error
                if left is None:
                    self._tell(verdict.counted)
                    return PokeReturnValue(is_done=True, xcom_value=verdict.counted)
                if verdict.is_hopeless:
                    raise left
            except TrinoUnreachable as error:
                left = error
            if time.monotonic() > self._give_up_at:
                raise too_late(check.table, left)
        self.log.info("%s; looking again", left)
        return PokeReturnValue(is_done=False)
