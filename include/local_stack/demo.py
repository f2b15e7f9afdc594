"""`make demo`: one video through the whole way, then what was counted and where to look."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from dataclasses import dataclass
from datetime import date, timedelta

from local_stack import processes, stack
from local_stack.dag_run import checked_file, checked_video, run_dag
from local_stack.errors import StackError
from local_stack.servers import airflow
from local_stack.settings import CHECKOUT, LOOPBACK, StackSettings

log = logging.getLogger(__name__)

DEMO_DAG = "retail_video_analytics"
BACKFILL_DAG = "gold_nightly_backfill"
PLACE_WIDTH = 24


@dataclass(frozen=True, slots=True)
class DemoInput:
    """What a person gives to the demonstration."""

    video: str | None = None
    """A file, an RTSP address or a camera's index; without one, a sample is composed."""
    weights: str | None = None
    """YOLO weights; without them, what vision finds."""
    fps: float | None = None
    """Frames a second of the replay; without it, the DAG's own default."""
    frames: int | None = None
    """How many frames to take at most; a camera needs it, since it does not end by itself."""


def demo(settings: StackSettings, given: DemoInput) -> None:
    """Run the main job and show its result.

    :raises StackError: something is missing or failed; says what to do
    """
    conf: dict[str, object] = {}
    if given.video:
        conf["video"] = checked_video(given.video, given.frames)
    if given.weights:
        conf["weights"] = checked_file(given.weights, "weights file", "WEIGHTS")
    if given.fps is not None:
        conf["fps"] = given.fps
    if given.frames is not None:
        conf["max_frames"] = given.frames
    stack.up(settings)
    if not given.video:
        conf["video"] = _sample(settings)
    airflow.initialise(settings)
    run_dag(settings, DEMO_DAG, conf)
    summary = settings.data_dir / "metadata" / "video.summary.json"
    _run(settings, [sys.executable, "-m", "lakehouse", "report", "--summary", str(summary)])
    print(where_to_look(settings))


def backfill(settings: StackSettings, first: date, last: date) -> None:
    """Rebuild the Gold of each day, the first and the last included.

    :raises StackError: a day's run failed, or the last day is before the first
    """
    if last < first:
        raise StackError(f"TO={last} is before FROM={first}")
    stack.up(settings)
    airflow.initialise(settings)
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        log.info("Gold of %s", day)
        run_dag(settings, BACKFILL_DAG, {"day": day.isoformat()})


def where_to_look(settings: StackSettings) -> str:
    """The addresses of the running stack."""
    ports = settings.ports
    login = f"{settings.s3_access_key} / {settings.s3_secret_key}"
    places = {
        "Flink's jobs": f"http://{LOOPBACK}:{ports.flink}",
        "the lakehouse's files": f"http://{LOOPBACK}:{ports.minio_console}   ({login})",
        "Trino's queries": f"http://{LOOPBACK}:{ports.trino}/ui   (user rva, no password)",
        "Airflow": f"{airflow.base_url(settings)}   (after `make airflow`)",
        "the store page": f"{airflow.base_url(settings)}/store/   (the same)",
    }
    lines = [f"  {name:<{PLACE_WIDTH}}{where}" for name, where in places.items()]
    end = "The stack goes on running: `make status`, `make down`."
    return "\n".join(["", "Where to look", *lines, end])


def _sample(settings: StackSettings) -> str:
    """Compose the sample video where it is missing; returns its path."""
    path = settings.data_dir / "sample" / "sample.mp4"
    python = settings.environment()["RVA_VISION_PYTHON"]
    _run(settings, [python, "-m", "vision", "sample", "--output", str(path)])
    return str(path)


def _run(settings: StackSettings, command: list[str]) -> None:
    environment = os.environ | settings.environment() | processes.marks(settings.stack_dir)
    try:
        status = processes.run(command, environment, CHECKOUT)
    except OSError as error:
        raise StackError(
            f"{command[0]} cannot be run ({error.strerror}): `make setup` makes the environments; "
            "is RVA_VISION_PYTHON set to another one?"
        ) from error
    if status != 0:
        raise StackError(f"`{shlex.join(command)}` failed")
