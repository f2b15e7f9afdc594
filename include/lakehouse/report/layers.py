"""How much of a run, or of a camera's day, is in each layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lakehouse.query import Session
from lakehouse.report.asking import rows
from lakehouse.report.run import Run


@dataclass(frozen=True)
class Layer:
    """One row of the report: a layer, what is counted there, how many, and a remark."""

    name: str
    measure: str
    value: object
    remark: str = ""


def of_run(trino: Session, run: Run) -> tuple[Layer, ...]:
    """What vision and replay say of a run, what Bronze, Silver and quarantine have of it."""
    bronze = rows(trino, "bronze", [run.run_id])[0]
    silver = rows(trino, "silver", [run.run_id])[0]
    quarantine = rows(trino, "quarantine", [run.run_id])[0]
    published = "unknown" if run.frames_published is None else run.frames_published
    return (
        Layer("Vision", "frames extracted", run.frames_extracted, f"detector: {run.detector}"),
        Layer("Vision", "detections extracted", run.detections_extracted),
        Layer("Pulsar", "frames published", published),
        Layer("Bronze", "distinct frames", bronze[0], f"{bronze[1]} messages"),
        Layer("Silver", "detections", silver[0], f"{silver[1]} tracks"),
        Layer("Silver", "quarantined", quarantine[0]),
    )


def of_day(trino: Session, store_id: str, camera_id: str, day: date) -> tuple[Layer, ...]:
    """What Silver has of a camera's UTC day; Bronze goes by the time of receiving."""
    bounds = [day.isoformat(), (day + timedelta(days=1)).isoformat()]
    detections, persons, tracks = rows(trino, "silver_of_day", [store_id, camera_id, *bounds])[0]
    return (
        Layer("Silver", "detections", detections),
        Layer("", "of persons", persons, f"{tracks} tracks"),
    )


def of_gold(trino: Session, camera_days: Sequence[str]) -> tuple[Layer, ...]:
    """What Gold has; the values are store_id, camera_id and the days, joined by commas."""
    people = rows(trino, "gold_people_per_minute", camera_days)[0]
    tracks = rows(trino, "gold_track_summary", camera_days)[0]
    dwell = rows(trino, "gold_zone_dwell", camera_days)[0]
    heatmap = rows(trino, "gold_zone_heatmap", camera_days)[0]
    return (
        Layer("Gold people per minute", "rows", people[0]),
        Layer("", "sum of detections", people[1]),
        Layer("", "most people in a minute", people[2]),
        Layer("Gold track summary", "rows", tracks[0]),
        Layer("", "sum of frames", tracks[1]),
        Layer("Gold zone dwell", "rows", dwell[0]),
        Layer("", "sum of visits", dwell[1]),
        Layer("", "total dwell, seconds", dwell[2]),
        Layer("Gold zone heatmap", "rows", heatmap[0]),
        Layer("", "sum of hits", heatmap[1]),
        *_late(rows(trino, "gold_late_events", camera_days)),
    )


def _late(late: Sequence[tuple[Any, ...]]) -> Iterator[Layer]:
    """What streaming Gold left out, a row for each table; none if it left out nothing."""
    for number, (table, detections, seconds) in enumerate(late):
        name = "Late for streaming Gold" if number == 0 else ""
        yield Layer(name, f"detections, {table}", detections, f"up to {seconds:.1f} s late")
