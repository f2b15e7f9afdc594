"""`python -m bench`: the demonstration from a stack that is down, step by step, and its memory.

Times on shared machines vary; what is compared is within one run: each part's share of the whole,
and the whole against the video's own length.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from local_stack import stack
from local_stack.servers import airflow
from local_stack.settings import CHECKOUT, StackSettings

RESULTS = CHECKOUT / "bench" / "results"
SAMPLE_SECONDS = 2.0
"""How often the servers' memory is summed."""
PARSES = 3
_TIMED_PARSE = """
import runpy, sys, time
import airflow.sdk
began = time.perf_counter()
runpy.run_path(sys.argv[1])
print(time.perf_counter() - began)
"""
WORK_OF_FLINK = (
    "bronze_runs",
    "bronze_commit",
    "bronze_holds_every_frame",
    "silver_runs",
    "silver_holds_every_detection",
    "rebuild_gold",
    "gold_streaming_runs",
)
"""Steps in which the DAG waits for what Flink does; a submission is not among them."""
_STEP = re.compile(r"^  (?P<step>[a-z_]+(?: \d+)?)$")
_SECONDS = re.compile(r"^      (?P<seconds>\d+) s$")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run of the demonstration, seconds and MiB; `of_total` are shares of `total_seconds`."""

    measured_at: str
    cores: int
    memory_gib: float
    video: str
    video_seconds: float
    frames: int
    detector: str
    up_seconds: float
    demo_seconds: float
    total_seconds: float
    times_video_length: float
    step_seconds: dict[str, float]
    of_total: dict[str, float]
    work_seconds: dict[str, float]
    """Of vision and of replay, by their own clocks, and of the steps that wait for Flink."""
    overhead_seconds: float
    """What the DAG took beyond that: Airflow, starts of processes, submissions, checks."""
    stack_memory_peak_mib: float
    dag_parse_seconds: dict[str, float]
    """The shortest of some parses, each in a fresh process that has Airflow's SDK already."""


class MemoryWatch(threading.Thread):
    """Sums the proportional memory of the stack's processes; keeps the highest sum."""

    def __init__(self, settings: StackSettings) -> None:
        super().__init__(daemon=True)
        self.peak_mib = 0.0
        self._settings = settings
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until `end`."""
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak_mib = max(self.peak_mib, self._sum_mib())

    def end(self) -> float:
        """Stop looking; returns the peak in MiB."""
        self._ended.set()
        self.join()
        return self.peak_mib

    def _sum_mib(self) -> float:
        pid_file = self._settings.stack_dir / "supervisord.pid"
        try:
            root = psutil.Process(int(pid_file.read_text()))
            processes = [root, *root.children(recursive=True)]
        except (OSError, ValueError, psutil.Error):
            return 0.0
        total = 0
        for process in processes:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total / 2**20


def main(argv: Sequence[str] | None = None) -> int:
    """Measure once and write the result."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the sample video, not your own")
    parser.add_argument("--video", type=Path, help="a video (default: the sample)")
    parser.add_argument("--weights", type=Path, help="YOLO weights (default: what can be had)")
    arguments = parser.parse_args(argv)
    settings = StackSettings.load()
    video = None if arguments.quick else arguments.video
    stack.down(settings)
    result = measure(settings, video, arguments.weights)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"demo-{Path(result.video).stem}.json"
    path.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    print(json.dumps(asdict(result), indent=2))
    print(f"written to {path.relative_to(CHECKOUT)}")
    return 0


def measure(settings: StackSettings, video: Path | None, weights: Path | None) -> Result:
    """Start the stack and run the demonstration, watching time and memory."""
    watch = MemoryWatch(settings)
    watch.start()
    began = time.monotonic()
    stack.up(settings)
    up_seconds = time.monotonic() - began
    command = [sys.executable, "-m", "local_stack", "demo"]
    command += [] if video is None else ["--video", str(video.resolve())]
    command += [] if weights is None else ["--weights", str(weights.resolve())]
    steps = run_and_read_steps(command)
    total = time.monotonic() - began
    told = settings.data_dir / "metadata"
    summary = json.loads((told / "video.summary.json").read_text("utf-8"))
    replayed = json.loads((told / "video.replay.json").read_text("utf-8"))
    of_flink = [each for name, each in steps.items() if name.split()[0] in WORK_OF_FLINK]
    work = {
        "vision": summary["seconds"],
        "replay": replayed["seconds"],
        "flink": sum(of_flink),
    }
    demo_seconds = total - up_seconds
    first, last = (
        datetime.fromisoformat(summary[name]) for name in ("first_capture_ts", "last_capture_ts")
    )
    length = (last - first).total_seconds()
    return Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cores=os.cpu_count() or 0,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        video=video.name if video else "sample.mp4",
        video_seconds=round(length, 1),
        frames=summary["frames"],
        detector=summary["detector"],
        up_seconds=round(up_seconds, 1),
        demo_seconds=round(demo_seconds, 1),
        total_seconds=round(total, 1),
        times_video_length=round(total / length, 2),
        step_seconds=steps,
        of_total={name: round(seconds / total, 3) for name, seconds in steps.items()},
        work_seconds={name: round(seconds, 1) for name, seconds in work.items()},
        overhead_seconds=round(demo_seconds - sum(work.values()), 1),
        stack_memory_peak_mib=round(watch.end()),
        dag_parse_seconds=parse_seconds(settings),
    )


def parse_seconds(settings: StackSettings) -> dict[str, float]:
    """How long each DAG file takes to parse."""
    environment = os.environ | airflow.environment(settings, settings.environment())
    environment["PYTHONPATH"] = str(CHECKOUT / "plugins")

    def seconds(path: Path) -> float:
        command = [sys.executable, "-c", _TIMED_PARSE, str(path)]
        printed = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        ).stdout
        return float(printed.splitlines()[-1])

    return {
        path.stem: round(min(seconds(path) for _ in range(PARSES)), 3)
        for path in sorted((CHECKOUT / "dags").glob("*.py"))
    }


def run_and_read_steps(command: Sequence[str]) -> dict[str, float]:
    """Run the demonstration, showing what it says; returns each step's seconds."""
    seconds_of: dict[str, float] = {}
    step = ""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT) as run:
        for line in run.stderr or ():
            sys.stderr.write(line)
            if begun := _STEP.match(line):
                step = begun["step"]
            elif (ended := _SECONDS.match(line)) and step:
                seconds_of[step] = float(ended["seconds"])
    if run.returncode != 0:
        raise SystemExit(f"error: the demonstration failed with {run.returncode}")
    return seconds_of


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, {platform.machine()}", file=sys.stderr)
    sys.exit(main())
