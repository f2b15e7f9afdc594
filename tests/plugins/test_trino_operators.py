"""What the operators and the sensor make of answers; the SQL itself runs on the real Trino."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from trino_checks import answers
from trino_checks.errors import RowCountMismatch, RowsMissing, SumsDiffer, TrinoUnreachable
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

        def ask(conn_id: str, check: str, query: Query) -> tuple[list[str], Rows]:
            asked.append((conn_id, check, query))
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
    assert (arguments["table"], arguments["expected"]) == ("rva.t", 3)
    assert arguments["sql"] == "SELECT count(*) FROM rva.t"
