"""What the stages are measured with: simulated frames of twenty cameras in one file."""

from __future__ import annotations

import heapq
import tempfile
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from store_simulator import files
from store_simulator.scenario_file import load

SCENARIO = Path(__file__).parent / "cameras.yaml"
_CAPTURED = b'"capture_ts":"'


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Frame metadata, a line a frame, in the order of capture over all cameras."""

    path: Path
    frames: int
    detections: int
    bytes: int
    day: str


def make(folder: Path, seconds: int, after: timedelta = timedelta(0)) -> Frames:
    """Simulate so many seconds of all cameras into one file of the folder.

    :param after: so long after the scenario's start
    """
    scenario = load(str(SCENARIO))
    scenario = msgspec.structs.replace(
        scenario, start=scenario.start + after, duration_minutes=seconds / 60
    )
    path = folder / f"frames-{seconds}.jsonl"
    with tempfile.TemporaryDirectory(dir=folder) as apart:
        written = files.write(scenario, Path(apart) / "cameras", threading.Event())
        cameras = [each.open("rb") for each in sorted((Path(apart) / "cameras").glob("*.jsonl"))]
        try:
            with path.open("wb") as merged:
                # one file after the other would be an hour of one camera, then of the next
                merged.writelines(heapq.merge(*cameras, key=_capture_ts))
        finally:
            for each in cameras:
                each.close()
    return Frames(
        path=path,
        frames=written.messages,
        detections=written.detections,
        bytes=path.stat().st_size,
        day=f"{scenario.start:%Y-%m-%d}",
    )


def _capture_ts(line: Any) -> bytes:
    at = line.index(_CAPTURED) + len(_CAPTURED)
    return bytes(line[at : at + len("2026-11-24T10:15:41.133Z")])
