"""When a day is rebuilt: some hours after it has ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable


class DayTimetable(CronDataIntervalTimetable):
    """A run a UTC day: the day is its data interval, midnight its logical date.

    `CronDataIntervalTimetable("0 2 * * *")` would run at the same time, but its logical date is
    2 o'clock, so that `airflow backfill create --to-date 2026-11-24` leaves the 24th out.

    :param hours_after: how long after the day's end a scheduled run begins
    """

    def __init__(self, hours_after: float = 0.0) -> None:
        super().__init__("0 0 * * *", timezone="UTC")
        self.hours_after = hours_after

    @property
    def summary(self) -> str:
        """For the UI."""
        return f"each UTC day, {self.hours_after:g} h after its end"

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """As its parent does, begun later."""
        info = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
        if info is None:
            return None
        return info._replace(run_after=info.run_after + timedelta(hours=self.hours_after))

    def serialize(self) -> dict[str, Any]:
        """What `deserialize` needs."""
        return {"hours_after": self.hours_after}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DayTimetable:
        """Make it again from what `serialize` gave."""
        return cls(data["hours_after"])
