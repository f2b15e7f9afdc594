"""The report's numbers, as Trino gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lakehouse.query import Session, session
from lakehouse.report import layers
from lakehouse.report.asking import rows
from lakehouse.report.errors import NothingInGold
from lakehouse.report.layers import Layer
from lakehouse.report.run import Run
from lakehouse.settings import LakehouseSettings

TOP_ZONES = 5
"""Cells that the report lists, those with the longest dwell first."""


@dataclass(frozen=True)
class Minute:
    """A minute in which the camera detected someone."""

    starts_at: datetime
    """UTC, aware."""
    unique_people: int
    detections: int


@dataclass(frozen=True)
class Zone:
    """A cell of the 10 x 10 grid, its dwell over all visits."""

    zone_x: int
    zone_y: int
    total_dwell_seconds: float
    visits: int
    mean_dwell_seconds: float
    max_dwell_seconds: float


@dataclass(frozen=True)
class Tracks:
    """A camera's tracks; the durations are those of the summaries, None without one."""

    tracks: int
    summaries: int
    median_duration_seconds: float | None
    """Approximate, as on the dashboards."""
    max_duration_seconds: float | None


@dataclass(frozen=True)
class Report:
    """The layers' counts, and what Gold has of a camera's days."""

    title: str
    camera: str
    days: tuple[str, ...]
    layers: tuple[Layer, ...]
    minutes: tuple[Minute, ...]
    hits: dict[tuple[int, int], int]
    """By (zone_x, zone_y); cells without hits are missing."""
    top_zones: tuple[Zone, ...]
    tracks: Tracks


def count(run: Run, settings: LakehouseSettings) -> Report:
    """Ask Trino what the run left in Bronze, Silver and quarantine, and its camera's Gold.

    :raises ServerUnreachable: Trino does not answer.
    :raises QueryFailed: a table is missing.
    """
    with session(settings) as trino:
        counted = layers.of_run(trino, run)
        title = f"Run {run.run_id}"
        return _report(trino, title, run.store_id, run.camera_id, run.days, counted)


def count_day(store_id: str, camera_id: str, day: date, settings: LakehouseSettings) -> Report:
    """Ask Trino what Silver and Gold have of a camera on a UTC day.

    :raises NothingInGold: no row of it; says what Gold has.
    :raises ServerUnreachable: Trino does not answer.
    :raises QueryFailed: a table is missing.
    """
    with session(settings) as trino:
        counted = layers.of_day(trino, store_id, camera_id, day)
        title = f"{store_id}/{camera_id} on {day}"
        report = _report(trino, title, store_id, camera_id, (day.isoformat(),), counted)
        if not (report.minutes or report.tracks.summaries or report.hits):
            raise NothingInGold(store_id, camera_id, day, rows(trino, "gold_extent", []))
    return report


def _report(
    trino: Session,
    title: str,
    store_id: str,
    camera_id: str,
    days: Sequence[str],
    counted: tuple[Layer, ...],
) -> Report:
    camera_days = [store_id, camera_id, ",".join(days)]
    return Report(
        title=title,
        camera=f"{store_id}/{camera_id}",
        days=tuple(days),
        layers=(*counted, *layers.of_gold(trino, camera_days)),
        minutes=tuple(Minute(*row) for row in rows(trino, "people_per_minute", camera_days)),
        hits={(x, y): hits for x, y, hits in rows(trino, "zone_hits", camera_days)},
        top_zones=tuple(
            Zone(*row) for row in rows(trino, "zone_dwell_top", [*camera_days, TOP_ZONES])
        ),
        tracks=Tracks(*rows(trino, "track_durations", camera_days)[0]),
    )
