"""What a change of a job is compared with, and how much a job has taken in."""

from __future__ import annotations

import pytest

from bench import streams
from bench.stages import flink
from bench.tuning import CHANGES, Change, Done, beside


def done(rate: float, cpu_us: float) -> Done:
    return Done(rate=rate, cpu_us=cpu_us, files_a_commit=1.0, bytes_a_record=10.0)


def test_change_is_compared_with_the_runs_before_and_after_it() -> None:
    change = Change(job=streams.SILVER, name="anything")

    tried = beside(change, done(150.0, 6.0), done(90.0, 7.0), done(110.0, 9.0))

    assert (tried.rate_as_it_is, tried.cpu_us_as_it_is) == (100, 8.0)
    assert (tried.rate_times, tried.cpu_times) == (1.5, 0.75)


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: f"{each.job}: {each.name}")
def test_each_change_changes_something(change: Change) -> None:
    assert change.options or change.source or change.arguments or change.properties


def test_no_job_is_tried_twice_with_the_same() -> None:
    names = [(change.job, change.name) for change in CHANGES]

    assert len(names) == len(set(names))


def test_subtasks_of_an_operator_are_added_up_and_its_neighbours_are_not() -> None:
    metrics = [
        {"id": "0.Calc[3].numRecordsIn", "value": "40"},
        {"id": "1.Calc[3].numRecordsIn", "value": "2"},
        {"id": "0.Writer.numRecordsIn", "value": "7"},
    ]

    assert flink.by_operator(metrics) == {"Calc[3].numRecordsIn": 42, "Writer.numRecordsIn": 7}
