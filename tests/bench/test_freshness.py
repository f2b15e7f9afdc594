"""How long frames and minutes take until a query shows them."""

import pytest

from bench.freshness import (
    Poll,
    maintenance_a_day,
    minutes_ended,
    waits_for_frames,
    waits_for_minutes,
)

POLLS = [
    Poll(at=100.0, newest={"a": 90.0}, newest_minute=0.0),
    Poll(at=103.0, newest={"a": 95.0, "b": 94.0}, newest_minute=0.0),
    Poll(at=130.0, newest={"a": 120.0, "b": 94.0}, newest_minute=60.0),
]


def test_frame_waits_for_the_first_answer_that_has_it_or_a_newer_one_of_its_camera() -> None:
    assert waits_for_frames({"a": [90.0, 90.5, 95.0, 95.1], "b": [93.0]}, POLLS) == pytest.approx(
        [10.0, 12.5, 8.0, 34.9, 10.0]
    )


def test_frame_that_no_answer_has_is_not_passed_over() -> None:
    with pytest.raises(IndexError):
        waits_for_frames({"b": [94.1]}, POLLS)


def test_minutes_of_a_time_are_those_that_end_in_it() -> None:
    assert minutes_ended(59.0, 180.0) == [60.0, 120.0, 180.0]
    assert minutes_ended(60.5, 119.0) == []


def test_minute_waits_from_its_end_to_the_first_answer_that_has_it() -> None:
    assert waits_for_minutes([60.0, 120.0], POLLS) == [40.0, 10.0]


def test_a_day_of_maintenance_is_a_look_and_what_each_commit_took_beside_it() -> None:
    assert maintenance_a_day(30.0, 10.0, 100, 8640) == pytest.approx(10 + 0.2 * 8640)


def test_maintenance_that_took_no_longer_than_a_look_costs_nothing_a_commit() -> None:
    assert maintenance_a_day(9.5, 10.0, 6, 1440) == 10.0
