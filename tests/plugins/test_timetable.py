"""The night's timetable: which day, when it begins, and that Airflow can store it."""

from __future__ import annotations

from datetime import date

import pendulum
import pytest
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction

from store_pipeline.timetable import DayTimetable

START = pendulum.datetime(2026, 1, 1)
DAY = pendulum.datetime(2026, 11, 23)


def next_run(
    timetable: DayTimetable, last: DataInterval | None, *, catchup: bool
) -> DagRunInfo | None:
    restriction = TimeRestriction(earliest=START, latest=None, catchup=catchup)
    return timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)


def test_day_is_the_interval_and_its_run_begins_hours_after_its_end() -> None:
    last = DataInterval(DAY.subtract(days=1), DAY)
    info = next_run(DayTimetable(hours_after=2), last, catchup=True)
    assert info == (
        pendulum.datetime(2026, 11, 24, 2),
        DataInterval(DAY, DAY.add(days=1)),
        None,
        None,
    )
    assert info.logical_date == DAY  # type: ignore[attr-defined]


def test_first_run_is_about_the_last_whole_day() -> None:
    info = next_run(DayTimetable(hours_after=2), None, catchup=False)
    assert info is not None
    days_ago = pendulum.now("UTC") - info.data_interval.end
    assert 0 <= days_ago.total_seconds() < 24 * 3600
    assert info.run_after == info.data_interval.end.add(hours=2)


def test_last_run_leads_to_none() -> None:
    restriction = TimeRestriction(earliest=START, latest=START.subtract(days=1), catchup=True)
    none = DayTimetable().next_dagrun_info(
        last_automated_data_interval=None, restriction=restriction
    )
    assert none is None


@pytest.mark.parametrize("hours", [0, 2, 1.5])
def test_serialised_it_is_the_same(hours: float) -> None:
    timetable = DayTimetable(hours_after=hours)
    again = DayTimetable.deserialize(timetable.serialize())
    assert again.hours_after == hours
    assert again == timetable
    assert again.summary == f"each UTC day, {hours:g} h after its end"


def test_range_of_days_has_them_all() -> None:
    """As `airflow backfill create --from-date 2026-11-21 --to-date 2026-11-23` asks."""
    timetable, last, days = DayTimetable(hours_after=2), None, []
    restriction = TimeRestriction(earliest=DAY.subtract(days=2), latest=DAY, catchup=True)
    while info := timetable.next_dagrun_info(
        last_automated_data_interval=last, restriction=restriction
    ):
        days.append(info.logical_date.date())
        last = info.data_interval
    assert days == [date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)]
