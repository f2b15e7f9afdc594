"""What Airflow must be told of: the one file here that its scan for plugins imports."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from store_pipeline.timetable import DayTimetable
from trino_checks.links import TrinoQueryLink


class RetailVideoAnalytics(AirflowPlugin):
    """Classes that a serialised DAG names."""

    name = "retail_video_analytics"
    timetables = [DayTimetable]  # noqa: RUF012 - Airflow's own attribute
    operator_extra_links = [TrinoQueryLink()]  # noqa: RUF012 - the same
