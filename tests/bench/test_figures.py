"""What benchmarks make of many measurements."""

import pytest

from bench.figures import a_day, percentile, seconds_behind, trend


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 10.0), (0.95, 19.0), (0.951, 20.0), (1.0, 20.0)]
)
def test_percentile_is_the_least_value_that_so_many_do_not_exceed(
    share: float, expected: float
) -> None:
    assert percentile([float(value) for value in range(20, 0, -1)], share) == expected


def test_percentile_of_one_value_is_that_value() -> None:
    assert percentile([3.0], 0.05) == percentile([3.0], 0.95) == 3.0


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_commit_each_ten_seconds_makes_8640_a_day() -> None:
    assert a_day(18, 180.0) == 8640


def test_warm_up_of_the_first_third_is_no_growth() -> None:
    assert trend([1, 5, 9, 10, 10, 10, 10, 10, 10], most_times=1.1, slack=0).is_flat


def test_what_grows_all_the_time_is_not_flat() -> None:
    found = trend([float(value) for value in range(90)], most_times=1.5, slack=0)
    assert (found.middle, found.last) == (44.5, 74.5)
    assert not found.is_flat


def test_one_peak_in_the_last_third_is_no_growth() -> None:
    assert trend([5, 5, 5, 5, 5, 5, 5, 500, 5], most_times=1.1, slack=0).is_flat


def test_little_may_become_many_times_as_much_within_the_slack() -> None:
    values = [1.0] * 6 + [3.0] * 3
    assert trend(values, most_times=1.5, slack=2).is_flat
    assert not trend(values, most_times=1.5, slack=1).is_flat


def test_course_has_every_value_in_one_of_its_parts() -> None:
    values = [float(value) for value in range(25)]
    course = trend(values, most_times=1.5, slack=0).course
    assert course == (0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5, 16.5, 18.5, 20.5, 23.0)
    assert trend(values[:3], most_times=1.5, slack=0).course == (0.0, 1.0, 2.0)


def test_two_values_have_no_thirds() -> None:
    with pytest.raises(ValueError, match="no thirds"):
        trend([1.0, 2.0], most_times=1, slack=0)


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        pytest.param(300, 0.0, id="all"),
        pytest.param(301, 0.0, id="more than was counted a moment before"),
        pytest.param(200, 2.0, id="what there was at a look"),
        pytest.param(150, 3.0, id="between two looks"),
        pytest.param(0, 4.0, id="nothing yet"),
    ],
)
def test_behind_is_the_time_since_as_much_was_published_as_is_reached(
    reached: int, expected: float
) -> None:
    assert seconds_behind([10, 12, 14], [100, 200, 300], reached) == expected


def test_nothing_published_for_a_while_and_all_reached_is_not_behind() -> None:
    assert seconds_behind([10, 12, 14], [100, 200, 200], 200) == 0.0
