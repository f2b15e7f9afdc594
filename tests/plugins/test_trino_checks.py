from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from trino_checks.checks import (
    Verdict,
    describe,
    judge,
    named_sums,
    require_equal,
    single_count,
    too_late,
)
from trino_checks.errors import (
    GroupsDiffer,
    GroupsDoubled,
    RowCountMismatch,
    RowsDoubled,
    RowsMissing,
    SumsDiffer,
    TrinoCheckError,
    TrinoUnreachable,
    UnusableAnswer,
    UnusableExpectation,
)
from trino_checks.expectations import (
    Expectation,
    Tolerance,
    expectation,
    tolerance,
    whole_number,
)


def verdict(given: Any, *answer: Any, **more: Any) -> Verdict:
    """Judge an answer of one number, or of rows of a group's columns and a count."""
    columns = ["n"] if len(answer) == 1 and isinstance(answer[0], int) else ["camera_id", "n"]
    rows = [answer] if columns == ["n"] else list(answer)
    return judge("rva.t", expectation("rva.t", expected=given, **more), columns, rows, "run r1")


def test_equal_counts_pass() -> None:
    assert verdict(1394, 1394) == Verdict(1394, None)


def test_too_few_rows_name_table_expected_actual_and_may_heal() -> None:
    error = verdict(1394, 1390).error
    assert isinstance(error, RowCountMismatch)
    assert "rva.t: expected 1,394 rows, found 1,390 (-4) for run r1" in str(error)
    assert (error.bounds.least, error.actual) == (1394, 1390)
    assert error.may_heal


def test_too_many_rows_are_doubled_and_do_not_heal() -> None:
    told = verdict(5, 6)
    assert isinstance(told.error, RowsDoubled)
    assert "(+1)" in str(told.error)
    assert told.is_hopeless


def test_rows_that_still_arrive_are_waited_for() -> None:
    assert [verdict(3, n).error is None for n in (0, 2, 3)] == [False, False, True]
    assert not verdict(3, 2).is_hopeless


def test_rows_that_did_not_arrive_in_time_point_to_the_quarantine() -> None:
    late = too_late("rva.t", verdict(10, 0).error or TrinoCheckError())
    assert isinstance(late, RowsMissing)
    assert "found 0 (-10)" in str(late)
    assert "silver_quarantine" in str(late)


def test_trino_that_never_answered_says_so_when_the_time_is_up() -> None:
    late = too_late("rva.t", TrinoUnreachable("trino", "refused"))
    assert "no count in the time that was given" in str(late)
    assert "refused" in str(late)


@pytest.mark.parametrize(("given", "number"), [(0, 0), (7, 7), ("1394", 1394)])
def test_expected_number_is_read_from_a_template_too(given: object, number: int) -> None:
    assert whole_number("t", given) == number


@pytest.mark.parametrize("given", [-1, "-1", "", "None", "1.5", 1.0, None, True])
def test_what_is_no_count_is_refused(given: object) -> None:
    with pytest.raises(UnusableExpectation, match="whole number"):
        whole_number("t", given)


@pytest.mark.parametrize(
    ("share", "rows", "right", "wrong"),
    [
        pytest.param(0.01, None, (990, 1000, 1010), (989, 1011), id="share of the expected"),
        pytest.param(None, 3, (997, 1003), (996, 1004), id="rows"),
        pytest.param("0.01", "25", (975, 1025), (974, 1026), id="the wider counts, as text too"),
        pytest.param(0.0005, None, (1000,), (999, 1001), id="part of a row is none"),
    ],
)
def test_count_may_be_within_a_tolerance(
    share: Any, rows: Any, right: tuple[int, ...], wrong: tuple[int, ...]
) -> None:
    within = tolerance("rva.t", share, rows)
    assert [verdict(1000, n, within=within).error for n in right] == [None] * len(right)
    few, many = (verdict(1000, n, within=within) for n in wrong)
    assert isinstance(few.error, RowCountMismatch)
    assert isinstance(many.error, RowsDoubled)


def test_tolerance_is_told_with_its_bounds_and_the_distance_from_what_is_expected() -> None:
    error = verdict(1000, 900, within=tolerance("rva.t", 0.05, None)).error
    assert "expected 1,000 rows (from 950 to 1,050), found 900 (-100)" in str(error)


@pytest.mark.parametrize("share", [-0.1, "much", "nan", "inf", True])
def test_tolerance_that_is_no_share_is_refused(share: Any) -> None:
    with pytest.raises(UnusableExpectation, match="a share from 0"):
        tolerance("rva.t", share, None)


@pytest.mark.parametrize(
    ("least", "most", "actual", "told"),
    [
        (10, None, 9, "expected at least 10 rows, found 9 (-1)"),
        (10, None, 10, None),
        (10, None, 10_000, None),
        (None, 10, 0, None),
        (None, 10, 11, "expected at most 10 rows, found 11 (+1)"),
        (5, 10, 12, "expected from 5 to 10 rows, found 12 (+2)"),
        ("5", "10", 7, None),
    ],
)
def test_count_may_be_between_thresholds(
    least: Any, most: Any, actual: int, told: str | None
) -> None:
    error = verdict(None, actual, min_threshold=least, max_threshold=most).error
    assert (error is None) if told is None else told in str(error)


BY_CAMERA = {"cam_01": 5, "cam_02": "3"}


def test_groups_that_are_all_right_are_told_by_name() -> None:
    assert verdict(BY_CAMERA, ("cam_02", 3), ("cam_01", 5)) == Verdict({"cam_02": 3, "cam_01": 5})


def test_missing_and_short_groups_are_named_and_may_heal() -> None:
    told = verdict({**BY_CAMERA, "cam_03": 1}, ("cam_01", 4), ("cam_02", 3))
    assert isinstance(told.error, GroupsDiffer)
    assert not told.is_hopeless
    assert (
        "rva.t: 2 of 3 groups by camera_id are wrong for run r1: cam_01 has 4, expected 5 rows; "
        "cam_03 is missing, expected 1 rows" in str(told.error)
    )
    assert "silver_quarantine" in str(told.error.not_in_time())


@pytest.mark.parametrize("surplus", ["cam_99", None])
def test_surplus_group_is_named_and_does_not_heal(surplus: str | None) -> None:
    told = verdict(BY_CAMERA, ("cam_01", 5), ("cam_02", 3), (surplus, 7))
    assert isinstance(told.error, GroupsDoubled)
    assert f"{surplus or 'NULL'} is surplus, with 7 rows" in str(told.error)
    assert told.is_hopeless


def test_group_with_too_many_rows_does_not_heal() -> None:
    told = verdict(BY_CAMERA, ("cam_01", 6), ("cam_02", 1))
    assert told.is_hopeless
    assert "cam_01 has 6, expected 5 rows; cam_02 has 1, expected 3 rows" in str(told.error)


def test_missing_group_of_which_nothing_is_expected_is_right() -> None:
    assert verdict({"cam_01": 5, "cam_02": 0}, ("cam_01", 5)).error is None


def test_group_may_be_of_several_columns_null_and_of_any_type() -> None:
    given = expectation("rva.t", expected=[["store_01", None, 5], ["2026-11-24", "cam_01", 2]])
    rows = [(date(2026, 11, 24), "cam_01", 2), ("store_01", None, 5)]
    told = judge("rva.t", given, ["a", "b", "n"], rows, "all rows")
    assert told == Verdict({"2026-11-24/cam_01": 2, "store_01/NULL": 5})
    # NULL is not the word
    rows[1] = ("store_01", "None", 5)
    assert judge("rva.t", given, ["a", "b", "n"], rows, "all rows").error is not None


def test_only_a_least_count_a_group_leaves_other_groups_alone() -> None:
    told = verdict(None, ("cam_01", 9), ("cam_07", 1), min_threshold={"cam_01": 5})
    assert told.error is None
    few = verdict(None, ("cam_01", 4), ("cam_07", 1), min_threshold={"cam_01": 5}).error
    assert "cam_01 has 4, expected at least 5 rows" in str(few)
    assert "cam_07" not in str(few)


def test_of_many_wrong_groups_ten_are_named_and_the_rest_counted() -> None:
    error = verdict({f"cam_{n:02}": 1 for n in range(30)}, ("cam_00", 1)).error
    assert "29 of 30 groups" in str(error)
    assert "cam_10 is missing" in str(error)
    assert "cam_11" not in str(error)
    assert "and 19 more" in str(error)


def test_no_groups_at_all_are_all_missing() -> None:
    given = expectation("rva.t", expected={"cam_01": 5})
    assert "cam_01 is missing" in str(judge("rva.t", given, ["c", "n"], [], "all rows").error)


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        pytest.param(["n"], [[5]], id="no group"),
        pytest.param(["c", "n"], [["cam_01", 5], ["cam_01", 6]], id="a group twice"),
        pytest.param(["c", "n"], [["cam_01", None]], id="NULL for a count"),
        pytest.param(["c", "n"], [["cam_01", "5"]], id="text for a count"),
    ],
)
def test_query_by_group_must_answer_each_group_once_with_its_count(
    columns: list[str], rows: list[list[Any]]
) -> None:
    with pytest.raises(UnusableAnswer, match="each group once"):
        judge("rva.t", expectation("rva.t", expected={"cam_01": 5}), columns, rows, "all rows")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"expected": 5, "min_threshold": 3}, id="a count and a threshold"),
        pytest.param({"min_threshold": 3, "max_threshold": 2}, id="thresholds the wrong way round"),
        pytest.param({"min_threshold": 3, "max_threshold": {"a": 2}}, id="one of two by group"),
        pytest.param({"expected": {"cam_01": "many"}}, id="a group's count is none"),
        pytest.param({"expected": [["cam_01", 5], ["cam_01", 6]]}, id="a group twice"),
        pytest.param({"expected": [["a", "b", 5], ["a", 6]]}, id="groups of other columns"),
        pytest.param({"expected": [[5]]}, id="no group's columns"),
        pytest.param({"expected": [5]}, id="no rows"),
        pytest.param({"expected": 1.5}, id="half a row"),
        pytest.param({"min_threshold": 1, "within": Tolerance(rows=1)}, id="a loose threshold"),
    ],
)
def test_expectation_that_is_none_is_refused_for_good(given: dict[str, Any]) -> None:
    with pytest.raises(UnusableExpectation) as caught:
        expectation("rva.t", **given)
    assert not caught.value.may_heal


@pytest.mark.parametrize(
    "given",
    [
        {"expected": 5},
        {"expected": 5, "within": Tolerance(share=0.1)},
        {"min_threshold": 5},
        {"expected": [["store_01", None, 5]]},
        {"min_threshold": {"cam_01": 5}},
    ],
)
def test_expectation_is_the_same_behind_json(given: dict[str, Any]) -> None:
    told = expectation("rva.t", **given)
    assert Expectation.from_dict(json.loads(json.dumps(told.as_dict()))) == told


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
