"""The DAGs' Python steps: what a task runs when it is not an operator of its own.

Heavy imports stand inside the functions: a DAG file imports this module each time it is parsed.
Every step can be run again and leaves the same.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from store_pipeline.assets import SILVER
from store_pipeline.capture import captures, day_to_rebuild, of_capture
from store_pipeline.errors import InputUnusable, NotAllPublished
from store_pipeline.settings import PipelineSettings
from store_pipeline.sources import hide_password, resolve


def capture(params: Any = None, dag_run: Any = None) -> list[dict[str, Any]]:
    """Check the form, so that bad input is told before anything long starts; one a camera."""
    settings = PipelineSettings.from_env()
    for each in (params, *(params.get("further_cameras") or ())):
        hide_password(str(each["video"]))
    try:
        found = captures(params, run_after=dag_run.run_after, settings=settings)
        for inputs in found:
            resolve(inputs["input"])
        return found
    except InputUnusable as error:
        raise AirflowFailException(str(error)) from error


def live(params: Any = None) -> dict[str, Any]:
    """Check the form of the live mode, so that bad input is told before anything is started."""
    from replay.settings import ReplaySettings
    from store_pipeline.live import live_inputs

    try:
        return live_inputs(
            params,
            settings=PipelineSettings.from_env(),
            pulsar_url=ReplaySettings.from_env().pulsar_url,
        )
    except InputUnusable as error:
        raise AirflowFailException(str(error)) from error


def live_cameras(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Say of each camera what Bronze must hold, as a sensor's arguments.

    At least what the broker has acknowledged: a process that crashed has not told of its last.
    """
    return [
        {
            "parameters": {
                "store_id": summary["store_id"],
                "camera_id": each["camera"],
                "run_ids": json.dumps(each["run_ids"]),
            },
            "min_threshold": each["published"],
        }
        for each in summary["cameras"]
        if each["run_ids"]
    ]


def live_days(dag_run: Any = None) -> list[str]:
    """Name the UTC days from the run's begin on to now."""
    first, last = (each.astimezone(UTC).date() for each in (dag_run.run_after, datetime.now(UTC)))
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def day(params: Any = None, dag_run: Any = None) -> str:
    """Name the UTC day to rebuild: the form's, else the logical date's."""
    try:
        return day_to_rebuild(
            params, logical_date=dag_run.logical_date, run_after=dag_run.run_after
        )
    except InputUnusable as error:
        raise AirflowFailException(str(error)) from error


def ensure_tables() -> list[str]:
    """Make the Iceberg tables, or bring them to their definition."""
    from lakehouse.catalog import connect
    from lakehouse.errors import InvalidSetting, SchemaConflict
    from lakehouse.tables import ensure_tables as ensure

    try:
        changes = ensure(connect(), PipelineSettings.from_env().database)
    except (InvalidSetting, SchemaConflict) as error:
        raise AirflowFailException(str(error)) from error
    return [str(change) for change in changes]


def replay(summary: dict[str, Any], params: Any = None) -> dict[str, Any]:
    """Publish each frame once; run again, it goes on behind what the broker has."""
    from dataclasses import replace

    from replay.errors import InputRefused, InputUnreadable, InvalidSetting
    from replay.publish import replay_file
    from replay.settings import ReplaySettings

    try:
        settings = replace(ReplaySettings.from_env(), fps=float(params["fps"]))
        told = replay_file(summary["output"], settings)
        # beside vision's, for `python -m lakehouse report`
        told.write(Path(summary["output"]).with_suffix(".replay.json"))
    except (InputRefused, InputUnreadable, InvalidSetting) as error:
        raise AirflowFailException(str(error)) from error
    if told.published + told.already_published != summary["frames"]:
        raise NotAllPublished(
            summary["run_id"], summary["frames"], told.published, told.already_published
        )
    return told.as_dict()


def bronze_expected(summary: dict[str, Any]) -> dict[str, Any]:
    """What Bronze must hold of a capture, as a sensor's arguments."""
    return {"parameters": of_capture(summary), "expected": summary["frames"]}


def silver_expected(summary: dict[str, Any]) -> dict[str, Any]:
    """What Silver must hold of a capture, as a sensor's arguments."""
    times = {name: summary[name] for name in ("first_capture_ts", "last_capture_ts")}
    return {"parameters": of_capture(summary) | times, "expected": summary["detections"]}


def days_touched(summaries: list[dict[str, Any]]) -> list[str]:
    """Name the UTC days that the captures touch: each is rebuilt and checked.

    One of which something was let go is not: rebuilt from what is left, it would lose the rest.
    """
    from lakehouse.backfill.claims import require_kept
    from lakehouse.backfill.errors import DayLetGo
    from lakehouse.catalog import connect

    days = sorted({day for summary in summaries for day in summary["days"]})
    try:
        require_kept(
            connect(),
            PipelineSettings.from_env().database,
            [date.fromisoformat(day) for day in days],
        )
    except DayLetGo as error:
        raise AirflowFailException(str(error)) from error
    return days


def silver_is_updated(days: list[str], outlet_events: Any = None) -> list[str]:
    """Update the asset of Silver: what follows from new detections of these days begins."""
    outlet_events[SILVER].extra = {"days": days}
    return days


def close_days(days: list[str]) -> list[str]:
    """Put the rebuilt days that have ended out of streaming Gold's reach; returns all such days."""
    from lakehouse.catalog import connect
    from lakehouse.closing import close_days as close

    close(
        connect(), PipelineSettings.from_env().database, [date.fromisoformat(day) for day in days]
    )
    return known_closed_days()


def known_closed_days() -> list[str]:
    """Name the days that batches have closed."""
    from store_pipeline.streams import closed_days_of

    return closed_days_of(PipelineSettings.from_env())
