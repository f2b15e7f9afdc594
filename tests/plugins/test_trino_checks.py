from __future__ import annotations

import pytest

from trino_checks.checks import (
    describe,
    has_arrived,
    missing,
    named_sums,
    require_count,
    require_equal,
    single_count,
    whole_number,
)
from trino_checks.errors import (
    RowCountMismatch,
    RowsDoubled,
    SumsDiffer,
    UnusableAnswer,
    UnusableExpectation,
)


def test_equal_counts_pass() -> None:
    require_count("rva.bronze_raw", 1394, 1394, "run r1")


def test_too_few_rows_name_table_expected_actual_and_may_heal() -> None:
    with pytest.raises(RowCountMismatch) as caught:
        require_count("rva.bronze_raw", 1394, 1390, "run_id r1")
    assert "rva.bronze_raw: expected 1,394 rows, found 1,390 (-4) for run_id r1" in str(
        caught.value
    )
    assert (caught.value.expected, caught.value.actual) == (1394, 1390)
    assert caught.value.may_heal


def test_too_many_rows_are_doubled_and_do_not_heal() -> None:
    with pytest.raises(RowsDoubled, match=r"\+1\)") as caught:
        require_count("rva.silver_detection", 5, 6, "run_id r1")
    assert not caught.value.may_heal


def test_rows_that_still_arrive_are_waited_for() -> None:
    assert [has_arrived("t", 3, n, "r1") for n in (0, 2, 3)] == [False, False, True]


def test_rows_beyond_the_expected_end_the_wait_at_once() -> None:
    with pytest.raises(RowsDoubled):
        has_arrived("t", 3, 4, "r1")


def test_rows_that_did_not_arrive_in_time_point_to_the_quarantine() -> None:
    assert "silver_quarantine" in str(missing("rva.silver_detection", 10, None, "r1"))
    assert "found 0 (-10)" in str(missing("rva.silver_detection", 10, None, "r1"))


@pytest.mark.parametrize(("given", "number"), [(0, 0), (7, 7), ("1394", 1394)])
def test_expected_number_is_read_from_a_template_too(given: object, number: int) -> None:
    assert whole_number("t", given) == number


@pytest.mark.parametrize("given", [-1, "-1", "", "None", "1.5", 1.0, None, True])
def test_what_is_no_count_is_refused(given: object) -> None:
    with pytest.raises(UnusableExpectation, match="whole number"):
        whole_number("t", given)


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        pytest.param(["n"], [], id="no row"),
        pytest.param(["n"], [[1], [2]], id="two rows"),
        pytest.param(["a", "b"], [[1, 2]], id="two columns"),
        pytest.param(["n"], [[None]], id="NULL"),
        pytest.param(["n"], [[1.5]], id="no whole number"),
    ],
)
def test_count_query_must_answer_one_number(columns: list[str], rows: list[list[object]]) -> None:
    with pytest.raises(UnusableAnswer, match="one row of one number"):
        single_count("t", columns, rows)


def test_sums_are_named_by_their_columns() -> None:
    assert named_sums("gold", ["silver", "gold"], [[3, 3]]) == {"silver": 3, "gold": 3}


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        pytest.param(["a"], [[1]], id="nothing to compare with"),
        pytest.param(["a", "b"], [], id="no row"),
        pytest.param(["a", "a"], [[1, 2]], id="two of one name"),
    ],
)
def test_sums_query_must_answer_named_sums(columns: list[str], rows: list[list[object]]) -> None:
    with pytest.raises(UnusableAnswer):
        named_sums("gold", columns, rows)


def test_equal_sums_pass() -> None:
    require_equal("gold", {"silver": 3, "per_minute": 3, "heatmap": 3}, "day 2026-11-24")


@pytest.mark.parametrize("heatmap", [2, 4, None])
def test_different_sums_are_all_told_with_the_day(heatmap: int | None) -> None:
    with pytest.raises(SumsDiffer, match=rf"day 2026-11-24: silver 3, heatmap {heatmap}\."):
        require_equal("gold", {"silver": 3, "heatmap": heatmap}, "day 2026-11-24")


def test_no_sum_at_all_is_not_equality() -> None:
    with pytest.raises(SumsDiffer):
        require_equal("gold", {"silver": None, "heatmap": None}, "day 2026-11-24")


def test_subject_of_a_check_is_told_in_words() -> None:
    assert describe({"day": "2026-11-24", "n": 1}) == "day 2026-11-24, n 1"
    assert describe({}) == "all rows"
