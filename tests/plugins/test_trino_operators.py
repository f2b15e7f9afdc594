"""What the operators and the sensor make of answers; the SQL itself runs on the real Trino."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.openlineage.extractors.base import DefaultExtractor
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from trino_checks import answers
from trino_checks.counting import RowCountCheck
from trino_checks.errors import (
    GroupsDiffer,
    QueryCancelled,
    RowCountMismatch,
    RowsMissing,
    SumsDiffer,
    TrinoCheckError,
    TrinoUnreachable,
)
from trino_checks.expectations import Bounds, Expectation
from trino_checks.operators import (
    TrinoEqualityCheckOperator,
    TrinoRowCountOperator,
    TrinoSkipWhenZeroOperator,
)
from trino_checks.query import Query
from trino_checks.sensors import TrinoRowCountSensor

Rows = list[list[Any]]
Answering = Callable[..., list[tuple[str, str, Query]]]
CONTEXT: Any = {}


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Let Trino answer what is given, the last one for ever; returns what it was asked."""

    def answering(columns: list[str], *given: Rows | Exception) -> list[tuple[str, str, Query]]:
        asked: list[tuple[str, str, Query]] = []
        left = list(given)

        def ask(
            conn_id: str, check: str, query: Query, *, running: Any, tell: Any = None
        ) -> tuple[list[str], Rows]:
            running.refuse_if_cancelled()
            asked.append((conn_id, check, query))
            if tell is not None:
                number = len(asked)
                tell(f"q{number}", f"http://trino:8080/ui/query.html?q{number}")
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return columns, answer

        monkeypatch.setattr(answers, "ask", ask)
        return asked

    return answering


def sums(kind: type[Any]) -> Any:
    return kind(
        task_id="sums",
        sql="SELECT :day AS silver, 2 AS gold FROM {database}.t",
        database="rva",
        parameters={"day": "2026-11-24"},
    )


def count(kind: type[Any], **changed: Any) -> Any:
    asked = {"sql": "SELECT count(*) FROM {database}.t", "table": "t", "database": "rva"}
    return kind(**{"task_id": "count", "expected": "3", **asked, **changed})


def test_values_are_bound_and_the_schema_is_named(answering: Answering) -> None:
    asked = answering(["silver", "gold"], [[2, 2]])
    sums(TrinoEqualityCheckOperator).execute(CONTEXT)
    query = Query("SELECT ? AS silver, 2 AS gold FROM rva.t", ("2026-11-24",))
    assert asked == [("trino", "sums", query)]


@pytest.mark.parametrize("kind", [TrinoEqualityCheckOperator, TrinoSkipWhenZeroOperator])
def test_sums_that_pass_are_returned(answering: Answering, kind: type[Any]) -> None:
    answering(["silver", "gold"], [[2, 2]])
    assert sums(kind).execute(CONTEXT) == {"silver": 2, "gold": 2}


def test_sums_that_differ_fail(answering: Answering) -> None:
    answering(["silver", "gold"], [[2, 1]])
    with pytest.raises(SumsDiffer, match="for day 2026-11-24: silver 2, gold 1"):
        sums(TrinoEqualityCheckOperator).execute(CONTEXT)


def test_sums_of_zero_skip_and_one_that_is_not_does_not(answering: Answering) -> None:
    answering(["silver", "gold"], [[0, 0]], [[0, 1]])
    operator = sums(TrinoSkipWhenZeroOperator)
    with pytest.raises(AirflowSkipException, match="day 2026-11-24"):
        operator.execute(CONTEXT)
    assert operator.execute(CONTEXT) == {"silver": 0, "gold": 1}


@pytest.mark.parametrize("kind", [TrinoEqualityCheckOperator, TrinoSkipWhenZeroOperator])
def test_query_that_gives_no_sums_is_not_tried_again(answering: Answering, kind: type[Any]) -> None:
    answering(["silver"], [[1]])
    with pytest.raises(AirflowFailException, match="two or more named sums"):
        sums(kind).execute(CONTEXT)


def test_count_is_exact(answering: Answering) -> None:
    answering(["n"], [[3]], [[2]])
    operator = count(TrinoRowCountOperator)
    assert operator.execute(CONTEXT) == 3
    with pytest.raises(RowCountMismatch, match=r"rva\.t: expected 3 rows, found 2"):
        operator.execute(CONTEXT)


def test_sensor_in_poke_mode_waits_for_rows_and_for_trino(answering: Answering) -> None:
    asked = answering(["n"], TrinoUnreachable("trino", "refused"), [[1]], [[3]])
    sensor = count(TrinoRowCountSensor, poke_interval=0.01, deferrable=False)
    assert sensor.execute(CONTEXT) == 3
    assert len(asked) == 3


def test_sensor_gives_up_with_both_numbers(answering: Answering) -> None:
    answering(["n"], [[1]])
    sensor = count(TrinoRowCountSensor, poke_interval=0.01, timeout=0.05, deferrable=False)
    with pytest.raises(RowsMissing, match="expected 3 rows, found 1"):
        sensor.execute(CONTEXT)


def test_sensor_fails_for_good_when_there_are_too_many(answering: Answering) -> None:
    answering(["n"], [[4]])
    with pytest.raises(AirflowFailException, match="written twice"):
        count(TrinoRowCountSensor, deferrable=True).execute(CONTEXT)


def test_deferred_sensor_hands_what_it_waits_for_to_the_trigger(answering: Answering) -> None:
    answering(["n"], [[1]])
    with pytest.raises(TaskDeferred) as caught:
        count(TrinoRowCountSensor, deferrable=True).execute(CONTEXT)
    arguments = caught.value.trigger.serialize()[1]
    check = RowCountCheck.from_dict(arguments["check"])
    assert (check.table, check.expectation) == ("rva.t", Expectation(Bounds(3, 3)))
    assert check.query.sql == "SELECT count(*) FROM rva.t"


def test_deferred_operator_asks_nothing_in_the_worker_and_has_the_task_s_time(
    answering: Answering,
) -> None:
    asked = answering(["n"], [[3]])
    operator = count(TrinoRowCountOperator, deferrable=True, execution_timeout=timedelta(minutes=7))
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(CONTEXT)
    assert asked == []
    assert caught.value.timeout == timedelta(minutes=7)
    assert caught.value.trigger.serialize()[1]["deadline"] is None


def test_sensor_that_is_deferred_first_looks_once(answering: Answering) -> None:
    asked = answering(["n"], [[3]])
    assert count(TrinoRowCountSensor, deferrable=True).execute(CONTEXT) == 3
    assert len(asked) == 1


@pytest.mark.parametrize("kind", [TrinoRowCountOperator, TrinoRowCountSensor])
@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ({"expected": None, "min_threshold": "2"}, [[3]]),
        ({"expected": None, "max_threshold": 3}, [[3]]),
        ({"expected": "4", "tolerance": "0.25"}, [[3]]),
        ({"expected": 2, "tolerance_rows": 1}, [[3]]),
    ],
)
def test_bounds_are_told_to_operator_and_sensor_alike(
    answering: Answering, kind: type[Any], told: dict[str, Any], answer: Rows
) -> None:
    answering(["n"], answer)
    assert count(kind, deferrable=False, **told).execute(CONTEXT) == 3


@pytest.mark.parametrize("kind", [TrinoRowCountOperator, TrinoRowCountSensor])
def test_counts_by_group_are_compared_with_a_mapping(answering: Answering, kind: type[Any]) -> None:
    answering(["camera_id", "n"], [["cam_01", 5], ["cam_09", 1]])
    by_camera = {"cam_01": 5, "cam_02": 3}
    with pytest.raises(AirflowFailException, match=r"cam_02 is missing.*cam_09 is surplus"):
        count(kind, deferrable=False, expected=by_camera).execute(CONTEXT)


def test_counts_by_group_are_compared_with_a_second_query_that_shares_the_values(
    answering: Answering,
) -> None:
    expected = [["cam_01", 5], ["cam_02", 3]]
    asked = answering(["camera_id", "n"], expected, [["cam_01", 5], ["cam_02", 2]])
    operator = count(
        TrinoRowCountOperator,
        sql="SELECT camera_id, count(*) FROM {database}.t WHERE day = :day GROUP BY 1",
        expected=None,
        expected_sql="SELECT camera_id, n FROM {database}.told WHERE run = :run AND day = :day",
        parameters={"day": "2026-11-24", "run": "r1"},
    )
    with pytest.raises(GroupsDiffer, match="cam_02 has 2, expected 3 rows"):
        operator.execute(CONTEXT)
    assert [query.values for _, _, query in asked] == [("r1", "2026-11-24"), ("2026-11-24",)]


def test_tolerance_is_of_each_group_s_own_count(answering: Answering) -> None:
    expected = [["cam_01", 100], ["cam_02", 10]]
    told = {
        "sql": "SELECT camera_id, n FROM {database}.t",
        "expected": None,
        "expected_sql": "SELECT camera_id, n FROM {database}.told",
        "tolerance": 0.1,
    }
    answering(["camera_id", "n"], expected, [["cam_01", 90], ["cam_02", 9]])
    assert count(TrinoRowCountOperator, **told).execute(CONTEXT) == {"cam_01": 90, "cam_02": 9}
    answering(["camera_id", "n"], expected, [["cam_01", 95], ["cam_02", 5]])
    with pytest.raises(GroupsDiffer, match=r"1 of 2 groups.*cam_02 has 5"):
        count(TrinoRowCountOperator, **told).execute(CONTEXT)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"expected": "many"}, id="no count"),
        pytest.param({"expected_sql": "SELECT 1"}, id="a count and a query for it"),
        pytest.param({"tolerance": "some"}, id="no tolerance"),
        pytest.param({"table": "t; DROP TABLE u"}, id="a table that is SQL"),
        pytest.param({"database": 'rva"; --'}, id="a schema that is SQL"),
        pytest.param({"parameters": {"x": 1}}, id="a value in vain"),
    ],
)
@pytest.mark.parametrize("kind", [TrinoRowCountOperator, TrinoRowCountSensor])
@pytest.mark.parametrize("deferrable", [True, False])
def test_wrong_argument_fails_for_good_before_anything_is_asked(
    answering: Answering, kind: type[Any], told: dict[str, Any], deferrable: bool
) -> None:
    asked = answering(["n"], [[3]])
    with pytest.raises(AirflowFailException):
        count(kind, deferrable=deferrable, **told).execute(CONTEXT)
    assert asked == []


def test_what_may_heal_is_not_tried_again_where_nobody_wants_it(answering: Answering) -> None:
    answering(["n"], [[2]])
    with pytest.raises(AirflowFailException, match="found 2"):
        count(TrinoRowCountOperator, retry_on_failure=False).execute(CONTEXT)


class Pushed:
    """Stands for the task instance: keeps what is pushed."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.xcoms: dict[str, Any] = {}
        self.is_broken = is_broken

    def xcom_push(self, key: str, value: Any) -> None:
        if self.is_broken:
            raise RuntimeError("no API server")
        self.xcoms[key] = value


@pytest.mark.parametrize(
    ("make", "columns", "answer"),
    [
        (lambda: count(TrinoRowCountOperator), ["n"], [[3]]),
        (lambda: count(TrinoRowCountSensor, deferrable=False), ["n"], [[3]]),
        (lambda: sums(TrinoEqualityCheckOperator), ["a", "b"], [[3, 3]]),
        (lambda: sums(TrinoSkipWhenZeroOperator), ["a", "b"], [[3, 3]]),
    ],
)
def test_query_is_left_for_the_link_while_it_runs(
    answering: Answering, make: Callable[[], Any], columns: list[str], answer: Rows
) -> None:
    answering(columns, answer)
    task = Pushed()
    make().execute({"ti": task})
    assert task.xcoms == {
        "trino_query_id": "q1",
        "trino_query_url": "http://trino:8080/ui/query.html?q1",
    }


def test_link_that_cannot_be_left_fails_no_check(answering: Answering) -> None:
    answering(["n"], [[3]])
    assert count(TrinoRowCountOperator).execute({"ti": Pushed(is_broken=True)}) == 3


def test_query_of_the_triggerer_is_left_for_the_link_too() -> None:
    task = Pushed()
    event = {"done": True, "counted": {"cam_01": 3}, "query_id": "q9", "query_url": "http://x"}
    operator = count(TrinoRowCountOperator)
    assert operator.execute_complete({"ti": task}, event) == {"cam_01": 3}
    assert task.xcoms == {"trino_query_id": "q9", "trino_query_url": "http://x"}


@pytest.mark.parametrize(
    ("may_heal", "retry", "error"),
    [
        (True, True, TrinoCheckError),
        (True, False, AirflowFailException),
        (False, True, AirflowFailException),
    ],
)
def test_error_of_the_triggerer_is_raised_and_tried_again_if_it_may_heal(
    may_heal: bool, retry: bool, error: type[Exception]
) -> None:
    event = {"done": False, "counted": 2, "error": "expected 3 rows", "may_heal": may_heal}
    operator = count(TrinoRowCountOperator, retry_on_failure=retry)
    with pytest.raises(error, match="expected 3 rows"):
        operator.execute_complete(CONTEXT, event)


def test_killed_operator_asks_nothing_more(answering: Answering) -> None:
    asked = answering(["n"], [[1]])
    sensor = count(TrinoRowCountSensor, deferrable=False, poke_interval=0.01)
    sensor.poke(CONTEXT)
    sensor.on_kill()
    with pytest.raises(QueryCancelled):
        sensor.execute(CONTEXT)
    assert len(asked) == 1


def test_operator_that_has_asked_nothing_can_be_killed() -> None:
    count(TrinoRowCountOperator).on_kill()


@pytest.mark.parametrize("field", ["expected", "expected_sql", "min_threshold", "tolerance"])
def test_what_is_expected_is_templated(field: str) -> None:
    assert field in TrinoRowCountOperator.template_fields
    assert field in TrinoRowCountSensor.template_fields


def lineage(operator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What OpenLineage's provider gets from the operator when it has succeeded or failed."""
    monkeypatch.setenv("AIRFLOW_CONN_TRINO", "trino://me:secret@trino:8082/?catalog=lakehouse")
    return DefaultExtractor(operator).extract_on_failure(None)


def test_count_that_holds_is_an_assertion_about_its_table(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(["count"], [[3]])
    sql = "SELECT count(*) FROM lakehouse.{database}.t JOIN lakehouse.{database}.u ON a = :word"
    operator = count(TrinoRowCountOperator, sql=sql, parameters={"word": "private"})
    operator.execute({"ti": SimpleNamespace(xcom_push=lambda **_: None)})
    told = lineage(operator, monkeypatch)
    assert [(each.namespace, each.name) for each in told.inputs] == [
        ("trino://trino:8082", "lakehouse.rva.t"),
        ("trino://trino:8082", "lakehouse.rva.u"),
    ]
    (assertion,) = told.inputs[0].inputFacets["dataQualityAssertions"].assertions
    assert (assertion.assertion, assertion.success, assertion.actual) == ("row_count", True, "3")
    assert not told.inputs[1].inputFacets
    assert told.run_facets["externalQuery"].externalQueryId == "q1"
    assert "JOIN lakehouse.rva.u ON a = ?" in told.job_facets["sql"].query
    assert not {"private", "secret"} & set(re.split(r"\W+", str(told)))


def test_count_that_does_not_hold_is_told_so(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(["count"], [[4]])
    operator = count(TrinoRowCountOperator)
    with pytest.raises(AirflowFailException) as caught:
        operator.execute(CONTEXT)
    (table,) = lineage(operator, monkeypatch).inputs
    (assertion,) = table.inputFacets["dataQualityAssertions"].assertions
    assert (assertion.success, assertion.actual) == (False, str(caught.value))


@pytest.mark.parametrize("refuted", [True, False])
def test_error_of_the_triggerer_is_a_failed_assertion_only_if_trino_has_answered(
    monkeypatch: pytest.MonkeyPatch, refuted: bool
) -> None:
    event = {"done": False, "counted": 2, "error": "x", "may_heal": True, "refuted": refuted}
    operator = count(TrinoRowCountOperator)
    with pytest.raises(TrinoCheckError):
        operator.execute_complete(CONTEXT, event)
    (table,) = lineage(operator, monkeypatch).inputs
    assert ("dataQualityAssertions" in table.inputFacets) is refuted


def test_trino_that_does_not_answer_refutes_nothing(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering([], TrinoUnreachable("trino", "refused"))
    operator = sums(TrinoEqualityCheckOperator)
    with pytest.raises(TrinoUnreachable):
        operator.execute(CONTEXT)
    told = lineage(operator, monkeypatch)
    assert "test" not in told.run_facets
    assert [each.name for each in told.inputs] == ["lakehouse.rva.t"]


@pytest.mark.parametrize(("gold", "status"), [(2, "pass"), (3, "fail")])
def test_equality_is_a_test_of_the_run(
    answering: Answering, monkeypatch: pytest.MonkeyPatch, gold: int, status: str
) -> None:
    answering(["silver", "gold"], [[2, gold]])
    operator = sums(TrinoEqualityCheckOperator)
    if status == "pass":
        operator.execute(CONTEXT)
    else:
        with pytest.raises(SumsDiffer):
            operator.execute(CONTEXT)
    (test,) = lineage(operator, monkeypatch).run_facets["test"].tests
    assert (test.name, test.status, test.type) == ("sums", status, "equality")


def test_sql_that_openlineage_cannot_parse_leaves_the_counted_table(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(["count"], [[3]])
    sql = "SELECT count(*) FROM lakehouse.{database}.t FOR VERSION AS OF 'b'"
    operator = count(TrinoRowCountOperator, sql=sql)
    operator.execute(CONTEXT)
    told = lineage(operator, monkeypatch)
    assert [each.name for each in told.inputs] == ["lakehouse.rva.t"]
    assert "extractionError" in told.run_facets
