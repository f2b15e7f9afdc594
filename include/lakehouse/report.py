"""What one run left in each layer, asked of Trino as a user would ask."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from lakehouse.errors import LakehouseError
from lakehouse.query import Session, session
from lakehouse.settings import LakehouseSettings

SQL_DIR = Path(__file__).resolve().parents[1] / "sql" / "report"
FIRST_MINUTES = 10
"""Rows of people per minute that the report shows."""


class RunSummaryUnreadable(LakehouseError):
    """The file that should say which run to report on is missing or broken."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(
            f"cannot read the run's summary {path} ({cause}): run `make demo`, "
            "or name the .summary.json beside your JSONL with --summary"
        )


@dataclass(frozen=True)
class Run:
    """The run to report on, from vision's and replay's summaries."""

    run_id: str
    store_id: str
    camera_id: str
    detector: str
    days: tuple[str, ...]
    frames_extracted: int
    detections_extracted: int
    frames_published: int | None


@dataclass(frozen=True)
class Layer:
    """One row of the report: a layer, what is counted there, how many, and a remark."""

    name: str
    measure: str
    value: object
    remark: str = ""


@dataclass(frozen=True)
class Report:
    """The layers' counts, and the first rows of people per minute."""

    layers: tuple[Layer, ...]
    minutes: tuple[tuple[Any, ...], ...]


def default_summary() -> Path:
    """Where the DAG's vision step leaves its summary."""
    return Path(os.environ.get("RVA_DATA_DIR", "data")) / "metadata" / "video.summary.json"


def read_run(summary: Path) -> Run:
    """Read vision's summary and, beside it, the replay's where there is one.

    :raises RunSummaryUnreadable: it is missing, no JSON, or lacks a field.
    """
    try:
        vision = json.loads(summary.read_text(encoding="utf-8"))
        replay_path = summary.with_name(summary.name.replace(".summary.json", ".replay.json"))
        replay = json.loads(replay_path.read_text("utf-8")) if replay_path.exists() else None
        return Run(
            run_id=vision["run_id"],
            store_id=vision["store_id"],
            camera_id=vision["camera_id"],
            detector=vision["detector"],
            days=tuple(vision["days"]),
            frames_extracted=vision["frames"],
            detections_extracted=vision["detections"],
            frames_published=None
            if replay is None
            else replay["published"] + replay["already_published"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunSummaryUnreadable(summary, f"{type(error).__name__}: {error}") from error


def count(run: Run, settings: LakehouseSettings) -> Report:
    """Ask Trino what the run left in Bronze, Silver and quarantine, and its camera's Gold.

    :raises ServerUnreachable: Trino does not answer.
    :raises QueryFailed: a table is missing.
    """
    camera = [run.store_id, run.camera_id]
    days = ",".join(run.days)
    with session(settings) as trino:
        bronze = _rows(trino, "bronze.sql", [run.run_id])[0]
        silver = _rows(trino, "silver.sql", [run.run_id])[0]
        quarantine = _rows(trino, "quarantine.sql", [run.run_id])[0]
        people = _rows(trino, "gold_people_per_minute.sql", [*camera, days])[0]
        tracks = _rows(trino, "gold_track_summary.sql", [*camera, days])[0]
        dwell = _rows(trino, "gold_zone_dwell.sql", [*camera, days])[0]
        heatmap = _rows(trino, "gold_zone_heatmap.sql", [*camera, days])[0]
        late = _rows(trino, "gold_late_events.sql", [*camera, days])
        minutes = _rows(trino, "first_minutes.sql", [*camera, days, FIRST_MINUTES])
    published = "unknown" if run.frames_published is None else run.frames_published
    return Report(
        layers=(
            Layer("Vision", "frames extracted", run.frames_extracted, f"detector: {run.detector}"),
            Layer("Vision", "detections extracted", run.detections_extracted),
            Layer("Pulsar", "frames published", published),
            Layer("Bronze", "distinct frames", bronze[0], f"{bronze[1]} messages"),
            Layer("Silver", "detections", silver[0], f"{silver[1]} tracks"),
            Layer("Silver", "quarantined", quarantine[0]),
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
            *_late_layers(late),
        ),
        minutes=minutes,
    )


def show(report: Report, run: Run, console: Console) -> None:
    """Print the report as two tables."""
    layers = RichTable(
        title=f"Run {run.run_id}",
        caption=f"Gold: all of {run.store_id}/{run.camera_id} on {', '.join(run.days)}",
        title_justify="left",
        caption_justify="left",
    )
    for heading, justify in (
        ("layer", "left"),
        ("count of", "left"),
        ("value", "right"),
        ("", "left"),
    ):
        layers.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for layer in report.layers:
        layers.add_row(layer.name, layer.measure, str(layer.value), layer.remark)
    console.print(layers)
    minutes = RichTable(
        title=f"People per minute (first {FIRST_MINUTES} rows)",
        title_justify="left",
    )
    for heading in ("minute (UTC)", "unique people", "detections"):
        minutes.add_column(heading, justify="right")
    for minute, people, detections in report.minutes:
        minutes.add_row(f"{minute:%Y-%m-%d %H:%M}", str(people), str(detections))
    console.print(minutes)


def _late_layers(late: Sequence[tuple[Any, ...]]) -> Iterator[Layer]:
    """What streaming Gold left out, a row for each table; none if it left out nothing."""
    for number, (table, detections, seconds) in enumerate(late):
        name = "Late for streaming Gold" if number == 0 else ""
        yield Layer(name, f"detections, {table}", detections, f"up to {seconds:.1f} s late")


def _rows(trino: Session, name: str, values: Sequence[object]) -> tuple[tuple[Any, ...], ...]:
    return trino.ask((SQL_DIR / name).read_text(encoding="utf-8"), values).rows
