"""The run to report on, from the summaries that vision and replay leave."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from lakehouse.report.errors import RunSummaryUnreadable


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
