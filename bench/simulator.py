"""`python -m bench.simulator`: frames a second of one core to JSONL, noise off and on.

The time that counts is the processor's, of all threads, truth included; the folder is a temporary
one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from store_simulator import files
from store_simulator.scenario import Noise, Scenario
from store_simulator.scenario_file import load

RESULT = Path(__file__).parent / "results" / "simulator.json"
FRAMES_PER_SECOND = 50_000.0
"""What is needed of one core (issue 5)."""
QUICK_MINUTES = 60.0
WARM_UP_MINUTES = 1.0


@dataclass(frozen=True, kw_only=True)
class Speed:
    """One simulation into files."""

    scenario: str
    frames: int
    detections_per_frame: float
    cpu_seconds: float
    wall_seconds: float
    frames_per_cpu_second: float
    met: bool


def measure(name: str, scenario: Scenario) -> Speed:
    """Simulate once."""
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall = time.process_time(), time.perf_counter()
        written = files.write(scenario, Path(folder) / "out", threading.Event())
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    rate = written.frames / cpu
    return Speed(
        scenario=name,
        frames=written.frames,
        detections_per_frame=round(written.detections / written.messages, 2),
        cpu_seconds=round(cpu, 2),
        wall_seconds=round(wall, 2),
        frames_per_cpu_second=round(rate),
        met=rate >= FRAMES_PER_SECOND,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the result; 1 if it is too slow."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulator", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less, and nothing is written")
    arguments = parser.parse_args(argv)
    noisy = load("noisy")
    if arguments.quick:
        noisy = msgspec.structs.replace(noisy, duration_minutes=QUICK_MINUTES)
    clean = msgspec.structs.replace(noisy, noise=Noise())
    # libraries load at their first use
    measure("warm-up", msgspec.structs.replace(noisy, duration_minutes=WARM_UP_MINUTES))
    speeds = [measure("noise off", clean), measure("noise on", noisy)]
    for speed in speeds:
        print(
            f"{speed.scenario}: {speed.frames_per_cpu_second:,} frames/s of a core at "
            f"{speed.detections_per_frame} detections a frame "
            f"({speed.cpu_seconds} s; target {FRAMES_PER_SECOND:,.0f})"
        )
    if not arguments.quick:
        result = {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[0], 1),
            "speeds": [asdict(speed) for speed in speeds],
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if all(speed.met for speed in speeds) else 1


if __name__ == "__main__":
    sys.exit(main())
