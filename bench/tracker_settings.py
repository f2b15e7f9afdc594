"""`python -m bench.tracker_settings`: what the tracker's settings are worth on unseen sequences.

Scores settings of our default tracker (HOTA; beside it the error of the people count) on the real
sequences, as our default detector sees them, and on simulated ones (bench/simulated_sequences.py),
through the code of `python -m vision evaluate`:

- shipped: the settings that we ship, beside the libraries' defaults (DeepSORT's on the real ones);
- leave-one-out: for each sequence, what a search (bench/tracker_search.py) chooses on the others;
- simulated only: what it chooses without any real sequence, on the real ones;
- one step: each shipped setting a little lower or higher.

Detections, and the scores of the libraries' defaults, are kept in `data/bench`; delete it to have
them made again. Runs in vision's environment.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import math
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import numpy as np

from bench import tracker_search
from bench.simulated_sequences import SCENES, simulate
from bench.tracker_search import SHIPPED, Changes, Fold, Score, Scores, mean_hota, search
from bench.vision import CHECKOUT, RESULTS, SEQUENCES, SHARED, conditions, sequence_texts, tell
from vision import progress
from vision.boxes import Image, RawDetection
from vision.detectors import make_detector
from vision.environment import data_directory, keep_libraries_quiet, usable_cpus
from vision.evaluation.library_defaults import LIBRARY_TRACKERS, make_library_tracker
from vision.evaluation.sequences import TrueSequence, read_sequence
from vision.evaluation.trials import DETECTIONS_ALONE, Contender, try_out
from vision.settings import ExtractSettings, TrackingSettings
from vision.tracking import make_tracker

SEED = 4
AT_ONCE = 21
"""Settings that share one pass over a sequence."""

ON_REAL_ONLY = frozenset({"deepsort"})
"""deep-sort-realtime's network takes 30 ms a person: on all of them, longer than all else here."""

SCENES_BY_NAME = {scene.name: scene for scene in SCENES}
ALL = (*SEQUENCES, *SCENES_BY_NAME)

Detections = Sequence[Sequence[RawDetection]]

EVERY_FRAME = ExtractSettings(input="evaluate", still_threshold=0)
"""What extraction is told: what was detected frame by frame is replayed so."""


@dataclass(frozen=True)
class Job:
    """Some settings, or one library's tracker, on one sequence."""

    data: Path
    sequence: str
    settings: tuple[Changes, ...] = ()
    library: str | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Search, print the tables, write `bench/results/tracker_settings.json`."""
    parser = argparse.ArgumentParser(prog="python -m bench.tracker_settings", description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED, help="default: ../shared/data")
    data: Path = parser.parse_args(argv).data
    if not (data / "weights" / "yolo11n.pt").is_file():
        print(f"error: {data} has no weights/yolo11n.pt: give --data", file=sys.stderr)
        return 2
    began, here = time.monotonic(), conditions()
    # each process has one thread, as many processes as there are CPUs
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    for name in SEQUENCES:
        detections_of(data, name)
    folds = {name: Fold(frozenset({name})) for name in ALL}
    without_real = Fold(frozenset(SEQUENCES))
    with ProcessPoolExecutor(usable_cpus(), get_context("spawn"), end_with_parent) as pool:
        libraries = score_libraries(pool, data)
        score = partial(score_all, pool, data)
        steps = tracker_search.one_step_from_shipped()
        scores = score([SHIPPED, *steps])
        scores |= search([*folds.values(), without_real], ALL, SEED, score)
    result = here | {
        "seconds": round(time.monotonic() - began),
        "seed": SEED,
        "settings_tried": len({changes for changes, _ in scores}),
        "sequences": {
            name: {
                "shipped": asdict(scores[SHIPPED, name]),
                "left_one_out": chosen(folds[name], scores, [name]),
                "libraries": {
                    library: libraries[library, name]
                    for library in LIBRARY_TRACKERS
                    if (library, name) in libraries
                },
            }
            for name in ALL
        },
        "chosen_on_simulated_only": chosen(without_real, scores, SEQUENCES),
        "one_step_from_shipped": [one_step(step, scores) for step in steps],
    }
    print(table(result))
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "tracker_settings.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(CHECKOUT)}")
    return 0


def score_all(pool: ProcessPoolExecutor, data: Path, some: Sequence[Changes]) -> Scores:
    """Every settings on every sequence."""
    chunks = [tuple(some[at : at + AT_ONCE]) for at in range(0, len(some), AT_ONCE)]
    jobs = [Job(data, name, chunk) for name in ALL for chunk in chunks]
    found: Scores = {}
    for job, scores in in_processes(pool, jobs, f"{len(some)} settings"):
        found |= {
            (changes, job.sequence): one for changes, one in zip(job.settings, scores, strict=True)
        }
    return found


def score_libraries(pool: ProcessPoolExecutor, data: Path) -> dict[tuple[str, str], Any]:
    """The libraries' trackers at their defaults on every sequence, by tracker and sequence."""
    jobs = [
        Job(data, name, library=library)
        for library in LIBRARY_TRACKERS
        for name in (SEQUENCES if library in ON_REAL_ONLY else ALL)
    ]
    return {
        (str(job.library), job.sequence): asdict(scores[0])
        for job, scores in in_processes(pool, jobs, "libraries' defaults")
    }


def in_processes(
    pool: ProcessPoolExecutor, jobs: Sequence[Job], what: str
) -> list[tuple[Job, list[Score]]]:
    """Each job with its scores, as they come."""
    waiting = {pool.submit(work, job): job for job in jobs}
    found = []
    with progress.Progress(len(jobs), "jobs") as shown:
        tell(f"{what}: {len(jobs)} jobs")
        for done in as_completed(waiting):
            found.append((waiting[done], done.result()))
            shown.advance()
    return found


def end_with_parent() -> None:
    """Let a process of the pool not outlive who started it, however that ends."""

    def wait() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def work(job: Job) -> list[Score]:
    """One job, in a process of its own."""
    keep_libraries_quiet()
    progress.listener = _nobody_listens
    sequence, detections = prepared(job.data, job.sequence)
    if job.library is None:
        contenders = [
            Contender(str(place), partial(make_tracker, with_changes(changes)))
            for place, changes in enumerate(job.settings)
        ]
        return scores_of(sequence, detections, contenders)
    key = digest(repr((job.library, sequence.truth, sequence.pictures, detections)).encode())
    kept = cache() / f"{job.library}-{job.sequence}-{key}.json"
    if not kept.is_file():
        contender = Contender(job.library, partial(make_library_tracker, job.library))
        keep(kept, asdict(scores_of(sequence, detections, [contender])[0]))
    return [Score(**json.loads(kept.read_text("utf-8")))]


def scores_of(
    sequence: TrueSequence, detections: Detections, contenders: Sequence[Contender]
) -> list[Score]:
    """What `python -m vision evaluate` says of each contender."""
    replayed = Replayed(detections)
    with contextlib.redirect_stderr(io.StringIO()):
        trials = try_out(sequence, EVERY_FRAME, lambda _: replayed, contenders)
    return [
        Score(scores.hota, scores.people_count_error_per_minute)
        for trial in trials
        if trial.tracker != DETECTIONS_ALONE
        for scores in [trial.scores]
    ]


class Replayed:
    """A detector that says again what was found frame by frame."""

    name, backend, concurrency = "replayed", "none", 1

    def __init__(self, detections: Detections) -> None:
        self._frames = iter(detections)

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        """Of the next frames."""
        return [list(next(self._frames)) for _ in images]


def with_changes(changes: Changes) -> Any:
    """What extraction is told with these settings of the tracker."""
    whole = {"confirm_after_frames"}
    values: dict[str, Any] = {n: int(v) if n in whole else v for n, v in changes}
    return replace(EVERY_FRAME, tracking=replace(TrackingSettings(), **values))


@lru_cache(maxsize=len(ALL))
def prepared(data: Path, name: str) -> tuple[TrueSequence, Detections]:
    """A sequence and what is detected in it."""
    if name in SCENES_BY_NAME:
        simulated = simulate(SCENES_BY_NAME[name])
        return simulated.sequence, simulated.detections
    sequence = read_sequence(sequence_texts(data)[name], with_pictures=True, max_frames=None)
    return sequence, detections_of(data, name)


def detections_of(data: Path, name: str) -> Detections:
    """What our default detector finds in a real sequence, kept for weights and video."""
    sequence = read_sequence(sequence_texts(data)[name], with_pictures=True, max_frames=None)
    pictures, weights = sequence.pictures, data / "weights" / "yolo11n.pt"
    assert pictures is not None
    kept = cache() / f"{name}-{digest(weights.read_bytes(), Path(str(pictures)).read_bytes())}.json"
    if not kept.is_file():
        tell(f"{name}: detections")
        frames = []
        with pictures.opened() as video, progress.Progress(video.announced_frames) as shown:
            settings = replace(EVERY_FRAME, weights=str(weights))
            detector = make_detector(settings, video.frame_size, progress.warn)
            for frame in video:
                frames.append([asdict(one) for one in detector.detect([frame.image])[0]])
                shown.advance()
        keep(kept, frames)
    frames = json.loads(kept.read_text("utf-8"))
    return [
        [RawDetection(o["class_name"], o["confidence"], tuple(o["bbox_xyxy_px"])) for o in frame]
        for frame in frames
    ]


def cache() -> Path:
    """Where what takes long is kept between runs."""
    return data_directory() / "bench"


def keep(path: Path, value: Any) -> None:
    """Write it so that there is a whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path = path.with_name(f"{path.name}.{os.getpid()}")
    partial_path.write_text(json.dumps(value), encoding="utf-8")
    partial_path.replace(path)


def digest(*contents: bytes) -> str:
    """A name for contents."""
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:12]


def chosen(fold: Fold, scores: Scores, sequences: Sequence[str]) -> dict[str, Any]:
    """What a fold chooses, and what that reaches on what was left out."""
    settings = fold.choose(scores, ALL)
    return {
        "on": {name: asdict(scores[settings, name]) for name in sequences},
        "on_the_others": mean_hota(scores, settings, [n for n in ALL if n not in fold.left_out]),
        "settings": dict(settings),
    }


def one_step(step: Changes, scores: Scores) -> dict[str, Any]:
    """What one setting a little lower or higher changes against what is shipped."""
    ((name, value),) = step
    hota, count = (
        {n: getattr(scores[step, n], what) - getattr(scores[SHIPPED, n], what) for n in ALL}
        for what in ("hota", "people_count_error_per_minute")
    )
    return {
        "setting": name,
        "value": value,
        "shipped": getattr(TrackingSettings(), name),
        "hota_change_mean": float(np.mean(list(hota.values()))),
        "hota_change_simulated": float(np.mean([hota[n] for n in SCENES_BY_NAME])),
        "hota_change_real": {n: hota[n] for n in SEQUENCES},
        "sequences_better": sum(change > 0 for change in hota.values()),
        "sequences_worse": sum(change < 0 for change in hota.values()),
        "count_error_change_mean": float(np.mean(list(count.values()))),
    }


def table(result: Mapping[str, Any]) -> str:
    """What a person wants to see of it."""
    columns = ("shipped", "left one out", *(f"{name} (library)" for name in LIBRARY_TRACKERS))
    lines = ["HOTA / error of the people count a minute, in percent", ""]
    lines.append(f"{'sequence':20}" + "".join(f"{column:>21}" for column in columns))
    rows: list[list[tuple[float, float]]] = []
    for name, one in result["sequences"].items():
        libraries = [one["libraries"].get(library) for library in LIBRARY_TRACKERS]
        rows.append(
            [_pair(one) for one in (one["shipped"], one["left_one_out"]["on"][name], *libraries)]
        )
        lines.append(f"{name:20}" + "".join(map(_cell, rows[-1])))
    means = np.mean(rows, axis=0)
    lines.append(f"{'mean':20}" + "".join(map(_cell, means.tolist())))
    lines += ["", "chosen on simulated sequences only:"]
    for name, score in result["chosen_on_simulated_only"]["on"].items():
        lines.append(f"{name:20}{_cell(_pair(score))}")
    lines += ["", "one step from shipped: change of HOTA in points, the largest gains first"]
    steps = sorted(result["one_step_from_shipped"], key=lambda step: -step["hota_change_mean"])
    for step in steps:
        real = ", ".join(f"{n} {100 * v:+.2f}" for n, v in step["hota_change_real"].items())
        lines.append(
            f"{step['setting']:28}{step['shipped']:>6g} -> {step['value']:<6g}"
            f"{100 * step['hota_change_mean']:+.2f} on average, {step['sequences_better']} better, "
            f"{step['sequences_worse']} worse ({real}); count error "
            f"{100 * step['count_error_change_mean']:+.1f}"
        )
    return "\n".join(lines)


def _pair(score: Mapping[str, float] | None) -> tuple[float, float]:
    if score is None:
        return math.nan, math.nan
    return score["hota"], score["people_count_error_per_minute"]


def _cell(pair: Sequence[float]) -> str:
    hota, count_error = pair
    return f"{'-':>21}" if math.isnan(hota) else f"{100 * hota:>13.1f} / {100 * count_error:>5.1f}"


def _nobody_listens(done: int, total: int | None) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())
