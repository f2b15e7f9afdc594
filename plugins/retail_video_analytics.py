"""What Airflow must be told of: the one file here that its scan for plugins imports."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from store_pipeline.timetable import DayTimetable
from trino_checks.links import TrinoQueryLink


class _StorePage:
    """The page's application, made when the API server asks: tasks need none of it."""

    def __get__(self, instance: object, owner: type | None = None) -> list[dict[str, Any]]:
        from store_page.app import app

        return [{"app": app, "url_prefix": "/store", "name": "Store page"}]


class RetailVideoAnalytics(AirflowPlugin):
    """Classes that a serialised DAG names, and the store page with its place in the menu."""

    name = "retail_video_analytics"
    timetables = [DayTimetable]  # noqa: RUF012 - Airflow's own attribute
    operator_extra_links = [TrinoQueryLink()]  # noqa: RUF012 - the same
    fastapi_apps = _StorePage()
    external_views = [  # noqa: RUF012 - the same
        {
            "name": "Store",
            "href": "/store/",
            "url_route": "store",
            "destination": "nav",
            "nav_top_level": True,
            "icon": "/store/static/icon.svg",
        }
    ]
