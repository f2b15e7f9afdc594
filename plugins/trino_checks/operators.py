"""Operators that check the lakehouse by Trino. They only read, so each can be run again.

They follow the conventions of `airflow.providers.common.sql.operators.sql` and use its names for
like things: `sql`, `database`, `parameters`, `table`, `tolerance` (a share of the expected count,
as in `SQLValueCheckOperator`), `min_threshold` and `max_threshold` (`SQLThresholdCheckOperator`),
`retry_on_failure`. Where they differ:

- The connection is `trino_conn_id`, as in Trino's hook, not `conn_id`: the errors, the binding and
  the link are Trino's own.
- `expected` in place of `pass_value`: it is a count or counts by group, and what is no count is
  refused; `pass_value` is any value, compared as a float or as text.
- There is no `partition_clause`, no `checks` and no `check_statement`: text that is pasted into
  SQL. What is counted stands in the SQL's file, with `:name` for values, which are bound.
- `database` is put in where the SQL has `{database}`, and validated; common.sql makes it the
  session's schema and validates nothing.
- A query that answers no row, NULL or text is an error for good. `SQLCheckOperator` casts with
  `bool`, so that a text such as `'0'` passes.
- What cannot heal by waiting (doubled rows, a wrong form) fails for good though
  `retry_on_failure` is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from trino_checks.checks import Counted, describe, named_sums, require_equal
from trino_checks.counting import RowCountCheck
from trino_checks.errors import TrinoCheckError, UnusableExpectation
from trino_checks.expectations import Counts, expectation, tolerance
from trino_checks.lineage import Outcome, check_lineage
from trino_checks.links import QUERY_ID_KEY, QUERY_URL_KEY, TrinoQueryLink
from trino_checks.query import Query, Value, bind, bind_each, identifier
from trino_checks.running import RunningQuery
from trino_checks.triggers import TrinoRowCountTrigger

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

DEFAULT_CONN_ID = "trino"

PAUSE_SECONDS = 1.0
"""Before a deferred operator asks: its task is recorded as deferred by then."""


class TrinoCheck(BaseOperator):
    """What the checks share: SQL of a file, the schema, values that are bound; link and cancel.

    Killed while its query runs (marked, cleared, out of time), it cancels the query on Trino.
    """

    template_fields: Sequence[str] = ("sql", "database", "parameters", "trino_conn_id")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"sql": "sql", "parameters": "json"}  # noqa: RUF012 - Airflow's
    operator_extra_links = (TrinoQueryLink(),)
    ui_color = "#e3f0fb"
    outcome_kind: ClassVar[str] = "custom_sql"
    """OpenLineage's word for what is checked."""

    def __init__(
        self,
        *,
        sql: str,
        database: str,
        parameters: Mapping[str, Value] | None = None,
        trino_conn_id: str = DEFAULT_CONN_ID,
        retry_on_failure: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.database = database
        self.parameters = parameters or {}
        self.trino_conn_id = trino_conn_id
        self.retry_on_failure = retry_on_failure
        self._running: RunningQuery | None = None
        self._query_id: str | None = None
        self._outcome: Outcome | None = None

    def on_kill(self) -> None:
        """Cancel the query on Trino."""
        if self._running is not None:
            self._running.cancel()

    def get_openlineage_facets_on_complete(
        self, _task_instance: object
    ) -> OperatorLineage[Any, Any]:
        """Tell OpenLineage what the check reads and what came of it. A failure tells the same."""
        return check_lineage(
            self.trino_conn_id,
            self.task_id,
            self._queries(),
            table=self._counted_table(),
            outcome=self._outcome,
            query_id=self._query_id,
        )

    def _queries(self) -> list[Query]:
        return [self._query()]

    def _counted_table(self) -> str | None:
        return None

    @contextmanager
    def _failing_for_good(self) -> Iterator[None]:
        """Let Airflow retry only what may heal without anybody's doing."""
        try:
            yield
        except TrinoCheckError as error:
            if error.refutes:
                self._outcome = Outcome(self.outcome_kind, holds=False, found=str(error))
            if error.may_heal and self.retry_on_failure:
                raise
            raise AirflowFailException(str(error)) from error

    def _begin(self, check: str) -> RunningQuery:
        self._running = self._running or RunningQuery(check)
        return self._running

    def _query(self) -> Query:
        return bind(self.sql, database=self.database, parameters=self.parameters)

    def _ask(self, context: Context, check: str) -> tuple[list[str], list[Sequence[Any]]]:
        # Trino's client takes half a second to import
        from trino_checks.answers import ask

        return ask(
            self.trino_conn_id,
            check,
            self._query(),
            running=self._begin(check),
            tell=lambda query_id, url: self._show(context, query_id, url),
        )

    def _show(self, context: Context, query_id: str | None, url: str | None) -> None:
        """Leave the query for the link; at once, so that it can be looked at while it runs."""
        task = context.get("ti")
        if task is None or not query_id:
            return
        self._query_id = query_id
        self.log.info("Trino query %s: %s", query_id, url)
        try:
            task.xcom_push(key=QUERY_ID_KEY, value=query_id)
            task.xcom_push(key=QUERY_URL_KEY, value=url)
        except Exception as error:  # noqa: BLE001 - the answer is worth more than a link
            self.log.warning("There will be no link to the query: %s", error)


class TrinoCount(TrinoCheck):
    """What the operator and the sensor of a count share: the table, and what the count must be."""

    template_fields: Sequence[str] = (
        *TrinoCheck.template_fields,
        "table",
        "expected",
        "expected_sql",
        "min_threshold",
        "max_threshold",
        "tolerance",
        "tolerance_rows",
    )
    template_fields_renderers = {  # noqa: RUF012 - Airflow's
        **TrinoCheck.template_fields_renderers,
        "expected_sql": "sql",
        "expected": "json",
    }

    def __init__(
        self,
        *,
        table: str,
        expected: Counts | None = None,
        expected_sql: str | None = None,
        min_threshold: Counts | None = None,
        max_threshold: Counts | None = None,
        tolerance: float | str | None = None,
        tolerance_rows: int | str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.expected = expected
        self.expected_sql = expected_sql
        self.min_threshold = min_threshold
        self.max_threshold = max_threshold
        self.tolerance = tolerance
        self.tolerance_rows = tolerance_rows
        self.deferrable = deferrable

    outcome_kind = "row_count"

    @property
    def full_name(self) -> str:
        """`database.table`."""
        return f"{self.database}.{self.table}"

    def _queries(self) -> list[Query]:
        check = self._check()
        return [each for each in (check.query, check.expected_query) if each is not None]

    def _counted_table(self) -> str:
        return self.full_name

    def _check(self) -> RowCountCheck:
        table = f"{self.database}.{identifier('table', self.table)}"
        sqls = [self.sql] if self.expected_sql is None else [self.sql, self.expected_sql]
        query, *second = bind_each(sqls, database=self.database, parameters=self.parameters)
        within = tolerance(table, self.tolerance, self.tolerance_rows)
        told = (self.expected, self.min_threshold, self.max_threshold)
        if second and told != (None, None, None):
            raise UnusableExpectation(table, told, "expected_sql", "either it, or the counts")
        return RowCountCheck(
            conn_id=self.trino_conn_id,
            table=table,
            subject=describe(self.parameters),
            query=query,
            expectation=None
            if second
            else expectation(
                table,
                expected=self.expected,
                min_threshold=self.min_threshold,
                max_threshold=self.max_threshold,
                within=within,
            ),
            expected_query=second[0] if second else None,
            within=within,
        )

    def _tell(self, counted: Counted) -> None:
        groups = f" in {len(counted):,} groups" if isinstance(counted, dict) else ""
        rows = sum(counted.values()) if isinstance(counted, dict) else counted
        self._outcome = Outcome(self.outcome_kind, holds=True, found=str(rows))
        self.log.info("%s: %s rows%s, as expected", self.full_name, f"{rows:,}", groups)

    def _defer(
        self, check: RowCountCheck, *, deadline: float | None, poll_interval_seconds: float
    ) -> NoReturn:
        self.defer(
            trigger=TrinoRowCountTrigger(
                check=check.as_dict(),
                deadline=deadline,
                poll_interval_seconds=poll_interval_seconds,
            ),
            method_name="execute_complete",
            timeout=self.execution_timeout,
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Counted:
        """Go on after the triggerer has counted; returns the count, or the counts by group."""
        self._show(context, event.get("query_id"), event.get("query_url"))
        if event["done"]:
            counted: Counted = event["counted"]
            self._tell(counted)
            return counted
        if event.get("refuted"):
            self._outcome = Outcome(self.outcome_kind, holds=False, found=event["error"])
        if event["may_heal"] and self.retry_on_failure:
            raise TrinoCheckError(event["error"])
        raise AirflowFailException(event["error"])


class TrinoRowCountOperator(TrinoCount):
    """Compare a count, or the counts of groups, with what they must be.

    Exactly `expected`; within `tolerance` or `tolerance_rows` of it, the wider one counting; at
    least `min_threshold`, at most `max_threshold`. By group, the SQL answers the group's columns
    and then its count, and what is expected is a mapping (`{"cam_01": 5}`, for one column), rows
    (`[["store_01", "cam_01", 5]]`), or what a second query answers, `expected_sql`. A group that is
    missing counts 0; one that nobody expects is surplus and wrong, save where only a
    `min_threshold` is given. Groups are compared as text. The errors name them, up to ten.

    Returns the count, or the counts by group (`{"store_01/cam_01": 5}`).

    :param sql: file in the DAG's template search path, or text, that answers one number, or groups;
        it names values `:name` and the schema `{database}`. (templated)
    :param table: what is counted, for the error. (templated)
    :param expected: the count, or the counts by group. (templated)
    :param expected_sql: SQL that answers them, in the same form as `sql`. (templated)
    :param min_threshold: the least count, or those by group. (templated)
    :param max_threshold: the greatest count, or those by group. (templated)
    :param tolerance: how far a count may be from the expected one, as a share of that: 0.01 is one
        per cent. (templated)
    :param tolerance_rows: the same in rows. (templated)
    :param database: the schema. (templated)
    :param parameters: values of the `:name`s in both queries; bound, never pasted. (templated)
    :param trino_conn_id: reference to the Airflow Connection. (templated)
    :param retry_on_failure: let Airflow try again what may heal.
    :param deferrable: let the query run in the triggerer, so that a long one holds no worker slot.
    """

    def execute(self, context: Context) -> Counted:
        """Count and compare, here or in the triggerer."""
        with self._failing_for_good():
            check = self._check()
            if self.deferrable:
                self._defer(check, deadline=None, poll_interval_seconds=PAUSE_SECONDS)
            verdict = check.look(
                self._begin(self.full_name),
                lambda query_id, url: self._show(context, query_id, url),
            )
            if verdict.error is not None:
                raise verdict.error
        self._tell(verdict.counted)
        return verdict.counted


class _TrinoSumsOperator(TrinoCheck):
    """Ask for the named sums of a query's one row, and judge them."""

    def execute(self, context: Context) -> dict[str, object]:
        """Ask and judge; returns the sums."""
        with self._failing_for_good():
            sums = named_sums(self.task_id, *self._ask(context, self.task_id))
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
    :param trino_conn_id: reference to the Airflow Connection. (templated)
    :param retry_on_failure: let Airflow try again what may heal.
    """

    outcome_kind = "equality"

    def _judge(self, sums: Mapping[str, object]) -> None:
        require_equal(self.task_id, sums, describe(self.parameters))
        self._outcome = Outcome(self.outcome_kind, holds=True, found=describe(sums))
        self.log.info("All equal: %s", describe(sums))


class TrinoSkipWhenZeroOperator(_TrinoSumsOperator):
    """Skip itself and what follows when every named sum of a query's one row is zero.

    :param sql: file in the DAG's template search path, or text, that answers one row of two or
        more named sums; it names values `:name` and the schema `{database}`. (templated)
    :param database: the schema. (templated)
    :param parameters: values of the SQL's `:name`s; bound, never pasted. (templated)
    :param trino_conn_id: reference to the Airflow Connection. (templated)
    :param retry_on_failure: let Airflow try again what may heal.
    """

    def _judge(self, sums: Mapping[str, object]) -> None:
        if not any(sums.values()):
            raise AirflowSkipException(
                f"Nothing to do for {describe(self.parameters)}: {describe(sums)}"
            )
        self.log.info("Going on: %s", describe(sums))
