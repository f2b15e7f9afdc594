"""`python -m bench.vision`: vision's speed, memory and accuracy, each against something.

Runs in vision's environment. Times on shared machines vary; so what counts are ratios within one
run: our default from file to JSONL against the libraries' own defaults (bench/vision_baseline.py)
and against our detector alone (bench/vision_detector.py), measured one after the other on the
same video, in several rounds; the middle one stands. Ours runs twice: as it is, and looking at
every frame, those in which nothing has changed too.

Each part of the result says when and on what it was measured, and what it must reach
(bench/vision_targets.py). Exits with 1 where a part that was measured does not reach it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import psutil

from bench.vision_targets import Target, of_accuracy, of_memory, of_speed

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "bench" / "results"
SHARED = CHECKOUT.parent / "shared" / "data"
VIDEOS = ("one-by-one-person-detection.mp4", "vtest_480x360.mp4")
LOOPED = "vtest_480x360.mp4"
SEQUENCES = ("PETS09-S2L1", "TUD-Stadtmitte")
PARTS = ("speed", "memory", "accuracy")

FRAMES_LOOPED = 20_000
MEMORY_MARKS = (2_000, 5_000, 10_000, 15_000, 20_000)
"""After so many lines the process's memory is read; before the first, caches fill."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Frames a second on one video, the middle of the rounds, and what they are to each other."""

    video: str
    size: str
    frames: int
    rounds: int
    detector: str
    still_frames: int
    """Of those frames, so many were not detected again, as nothing had changed in them."""

    end_to_end: float
    end_to_end_every_frame: float
    """Ours by `--still-threshold 0`, which detects every frame."""

    detector_alone: float
    """On every frame."""

    baseline: float
    times_baseline: float
    times_baseline_every_frame: float
    of_detector_alone: float
    of_detector_alone_every_frame: float


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write `bench/results/vision.json`."""
    parser = argparse.ArgumentParser(prog="python -m bench.vision", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer frames; no memory, no accuracy")
    parser.add_argument("--data", type=Path, default=SHARED, help="default: ../shared/data")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", default=",".join(PARTS), metavar="NAMES")
    arguments = parser.parse_args(argv)
    data: Path = arguments.data
    if not (data / "weights" / "yolo11n.pt").is_file():
        print(f"error: {data} has no weights/yolo11n.pt: give --data", file=sys.stderr)
        return 2
    parts = {"speed"} if arguments.quick else set(arguments.parts.split(","))
    if unknown := parts - set(PARTS):
        print(f"error: --parts: no {', '.join(unknown)}, only {', '.join(PARTS)}", file=sys.stderr)
        return 2
    path = RESULTS / ("vision-quick.json" if arguments.quick else "vision.json")
    earlier = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="rva-bench-") as folder:
        if "speed" in parts:
            most = 60 if arguments.quick else 400
            rounds = 1 if arguments.quick else arguments.rounds
            found["speed"] = measure_speeds(data, rounds, most, Path(folder))
        if "memory" in parts:
            found["memory"] = measure_memory(data, Path(folder))
        if "accuracy" in parts:
            found["accuracy"] = measure_accuracy(data)
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = {name: part for name, part in earlier.items() if name in PARTS}
    path.write_text(json.dumps(kept | found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    print(f"written to {path.relative_to(CHECKOUT)}")
    missed = [one for part in found.values() for one in part["targets"] if not one["met"]]
    for target in missed:
        print(f"error: target not met: {json.dumps(target)}", file=sys.stderr)
    return 1 if missed else 0


def measure_speeds(data: Path, rounds: int, most: int, folder: Path) -> dict[str, Any]:
    """The part `speed`: every video's rates."""
    here = conditions()
    videos = [asdict(measure_speed(data, name, rounds, most, folder)) for name in VIDEOS]
    targets = [target for video in videos for target in of_speed(video)]
    return here | {"targets": as_dicts(targets), "videos": videos}


def measure_speed(data: Path, video: str, rounds: int, most: int, folder: Path) -> Speed:
    """The four rates on the first `most` frames of one video, in turn."""
    path, weights = data / "video" / video, data / "weights" / "yolo11n.pt"
    ours, every_frame, alone, baseline = [], [], [], []
    detector, still_frames, limit = "", 0, ("--max-frames", str(most))
    for number in range(rounds):
        tell(f"{video}: round {number + 1} of {rounds}")
        summary = extract(path, weights, folder / "ours.jsonl", *limit)
        ours.append(summary["frames"] / summary["seconds"])
        still_frames = summary["still_frames"]
        detect_all = ("--still-threshold", "0")
        summary = extract(path, weights, folder / "every.jsonl", *limit, *detect_all)
        every_frame.append(summary["frames"] / summary["seconds"])
        told = run_json("-m", "bench.vision_detector", path, weights, "--frames", str(most))
        alone.append(told["frames"] / told["seconds"])
        detector = told["detector"]
        told = run_json(
            CHECKOUT / "bench" / "vision_baseline.py",
            *(path, weights, folder / "baseline.jsonl", *limit),
        )
        baseline.append(told["frames"] / told["seconds"])
    with av.open(str(path)) as container:
        size = f"{container.streams.video[0].width}x{container.streams.video[0].height}"
    return Speed(
        video=video,
        size=size,
        frames=most,
        rounds=rounds,
        detector=detector,
        still_frames=still_frames,
        end_to_end=middle(ours),
        end_to_end_every_frame=middle(every_frame),
        detector_alone=middle(alone),
        baseline=middle(baseline),
        times_baseline=middle_ratio(ours, baseline),
        times_baseline_every_frame=middle_ratio(every_frame, baseline),
        of_detector_alone=middle_ratio(ours, alone),
        of_detector_alone_every_frame=middle_ratio(every_frame, alone),
    )


def measure_memory(data: Path, folder: Path) -> dict[str, Any]:
    """The part `memory`: resident MiB of one extraction of a looped video, at some line counts."""
    here = conditions()
    looped = folder / "looped.mp4"
    frames = loop(data / "video" / LOOPED, looped, FRAMES_LOOPED)
    output = folder / "looped.jsonl"
    tell(f"{LOOPED} looped to {frames} frames: memory")
    process = subprocess.Popen(
        extract_command(looped, data / "weights" / "yolo11n.pt", output), cwd=CHECKOUT
    )
    watched = psutil.Process(process.pid)
    marks: dict[str, int] = {}
    partial = output.with_name(output.name + ".partial")
    lines = offset = 0
    while process.poll() is None:
        time.sleep(0.2)
        if not partial.exists():
            continue
        with partial.open("rb") as file:
            file.seek(offset)
            new = file.read()
        lines, offset = lines + new.count(b"\n"), offset + len(new)
        for mark in MEMORY_MARKS:
            if lines >= mark and str(mark) not in marks:
                marks[str(mark)] = round(watched.memory_info().rss / 2**20)
    if process.returncode != 0:
        raise SystemExit(f"error: the extraction failed with {process.returncode}")
    first, last = marks[str(MEMORY_MARKS[0])], list(marks.values())[-1]
    growth_share = round(last / first - 1, 3)
    return here | {
        "targets": as_dicts(of_memory(LOOPED, growth_share)),
        "frames": frames,
        "resident_mib_after_frames": marks,
        "growth_mib": last - first,
        "growth_share": growth_share,
    }


def measure_accuracy(data: Path) -> dict[str, Any]:
    """The part `accuracy`: what `python -m vision evaluate` says of every tracker, and of the
    libraries' defaults."""
    tell("accuracy")
    here = conditions()
    told = run_json(
        *("-m", "vision", "evaluate", "--format", "json", "--library-defaults"),
        *(part for text in sequence_texts(data).values() for part in ("--sequence", text)),
        *("--weights", data / "weights" / "yolo11n.pt"),
        *("--tracker", "deepsort,bytetrack,botsort"),
    )
    return here | {"targets": as_dicts(of_accuracy(told["rows"], SEQUENCES)), "rows": told["rows"]}


def sequence_texts(data: Path) -> dict[str, str]:
    """What `python -m vision evaluate --sequence` is told of each of `SEQUENCES`."""
    videos = {"PETS09-S2L1": f"={data / 'video' / LOOPED}"}
    return {name: f"{data / 'mot' / name}{videos.get(name, '')}" for name in SEQUENCES}


def loop(video: Path, looped: Path, frames: int) -> int:
    """Write the video again and again into one file, undecoded; returns how many frames it has."""
    written = 0
    with av.open(str(video)) as source, av.open(str(looped), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.dts is not None]
        rate, unit = stream.average_rate, stream.time_base
        if rate is None or unit is None:
            raise SystemExit(f"error: {video} does not say how many frames a second it has")
        length = round(Fraction(len(packets)) / (rate * unit))
        while written < frames:
            for packet in packets:
                packet.stream = copy
                target.mux(packet)
                packet.pts, packet.dts = (packet.pts or 0) + length, (packet.dts or 0) + length
            written += len(packets)
    return written


def extract_command(video: Path, weights: Path, output: Path, *more: str) -> list[str]:
    """Our default."""
    options = ["--input", video, "--weights", weights, "--output", output]
    return [sys.executable, "-m", "vision", *map(str, options), *more]


def extract(video: Path, weights: Path, output: Path, *more: str) -> Any:
    """Run our default; the summary."""
    subprocess.run(
        extract_command(video, weights, output, *more),
        cwd=CHECKOUT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return json.loads(output.with_name(f"{output.stem}.summary.json").read_text("utf-8"))


def run_json(*arguments: str | Path) -> Any:
    """Run Python in this environment; what its last lines, one JSON value, say."""
    ran = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=CHECKOUT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(ran.stdout)


def middle(values: Sequence[float]) -> float:
    """The median, to three digits behind the point."""
    return round(statistics.median(values), 3)


def middle_ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """The median of what they are to each other round by round."""
    return middle([one / other for one, other in zip(ones, others, strict=True)])


def as_dicts(targets: Sequence[Target]) -> list[dict[str, Any]]:
    """For JSON, without what does not apply."""
    return [
        {name: value for name, value in asdict(target).items() if value is not None}
        for target in targets
    ]


def conditions() -> dict[str, Any]:
    """When a part begins, and on what; the load is of others: call it before measuring."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    """The CPU's name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def tell(text: str) -> None:
    """Progress, on stderr."""
    print(f"== {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
