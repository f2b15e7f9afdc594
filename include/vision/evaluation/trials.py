"""Trying detectors and trackers on sequences, and scoring what was written earlier."""

import itertools
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from vision import progress
from vision.boxes import Image, SeenObject, clip_detections
from vision.detection import Detector
from vision.evaluation.scoring import Measured, Scores, combine, measure
from vision.evaluation.sequences import TrueSequence, frames_do_not_match
from vision.evaluation.truth import IdentifiedBox, Truth
from vision.reading import RecordedRun
from vision.tracking import Tracker

PERSON = "person"

DETECTIONS_ALONE = "(detections)"
"""In place of a tracker: every detection counts, as a track of its own."""

ALL_SEQUENCES = "all"

UNKNOWN = "unknown"
"""The detector and tracker of lines that do not say."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One row: a detector and a tracker on one sequence, or on all of them."""

    sequence: str
    detector: str
    tracker: str
    frames: int
    measured: tuple[Measured, ...]
    """One of each sequence."""

    detector_frame_ms: tuple[float, ...] = ()
    """Milliseconds that each frame took; empty where it did not run here."""

    tracker_frame_ms: tuple[float, ...] = ()

    @property
    def detector_ms(self) -> float | None:
        """Milliseconds of the median frame: a machine that is busy for a while moves it least."""
        return _median(self.detector_frame_ms)

    @property
    def tracker_ms(self) -> float | None:
        """The same of the tracker."""
        return _median(self.tracker_frame_ms)

    @property
    def scores(self) -> Scores:
        """Over all its sequences."""
        return combine(self.measured)


@dataclass(frozen=True)
class Contender:
    """A tracker that takes part: how its rows are called, and how one is made."""

    name: str
    make: Callable[[], Tracker]


class _Updates(Protocol):
    def update(
        self, image: Image, objects: Sequence[SeenObject], captured_epoch_ms: int
    ) -> list[int | None]:
        """As `Tracker` has it."""


MakeDetector = Callable[[tuple[int, int]], Detector]
"""From the frames' height and width."""


def try_out(
    sequence: TrueSequence, make_detector: MakeDetector, contenders: Sequence[Contender]
) -> list[Trial]:
    """One pass over the sequence: each frame is detected once and handed to every tracker.

    The first row is of the detections alone, the others of the trackers. Raises `VisionError`.
    """
    if sequence.pictures is None:
        raise ValueError("the sequence was read without its pictures")
    expected = len(sequence.truth.people)
    frames = sequence.pictures.frames()
    first = next(frames, None)
    if first is None:
        raise frames_do_not_match(sequence.truth, str(sequence.pictures), 0)
    height, width = first[1].shape[:2]
    truth = sequence.truth.scaled_to(width, height)
    detector = make_detector((height, width))
    rate = sequence.frame_rate()
    runs = [_TrackerRun(one.name, one.make(), expected) for one in contenders]
    alone = _TrackerRun(DETECTIONS_ALONE, _EachItsOwn(), expected)
    print(f"{truth.name}: {label_of(detector)}", file=sys.stderr, flush=True)
    detector_ms: list[float] = []
    with progress.Progress(expected) as shown:
        for index, image in chain([first], frames):
            if index >= expected:
                if sequence.is_cut:
                    break
                raise frames_do_not_match(truth, str(sequence.pictures), index + 1)
            began = time.perf_counter()
            seen = clip_detections(detector.detect([image])[0], width, height)
            detector_ms.append(_ms_since(began))
            people = [one for one in seen if one.class_name == PERSON]
            for run in (alone, *runs):
                run.follow(index, round(1000 * index / rate), image, people)
            shown.advance()
            last = index
    if last + 1 < expected:
        raise frames_do_not_match(truth, str(sequence.pictures), last + 1)
    read = len(detector_ms)
    if read < expected:
        progress.warn(f"{expected - read} frames of {sequence.pictures} cannot be read")
    return [
        Trial(
            sequence=truth.name,
            detector=label_of(detector),
            tracker=run.name,
            frames=read,
            measured=(measure(truth, run.tracks),),
            detector_frame_ms=tuple(detector_ms),
            tracker_frame_ms=() if run is alone else tuple(run.frame_ms),
        )
        for run in (alone, *runs)
    ]


def score_lines(truth: Truth, run: RecordedRun, *, is_cut: bool) -> list[Trial]:
    """The rows of lines that were written earlier: the detections alone, and the tracks.

    `is_cut` says that the truth is of the first frames only. Raises `VisionError`.
    """
    expected = len(truth.people)
    there = run.last_frame_index + 1
    if there < expected or (there > expected and not is_cut):
        raise frames_do_not_match(truth, str(run.path), there)
    truth = truth.scaled_to(run.width_px, run.height_px)
    detections: list[list[IdentifiedBox]] = [[] for _ in range(expected)]
    tracks: list[list[IdentifiedBox]] = [[] for _ in range(expected)]
    number = itertools.count()
    detector = tracker = UNKNOWN
    read = 0
    for frame in run:
        if frame.frame_index >= expected:
            break
        read += 1
        if frame.model is not None:
            detector, tracker = frame.model.detector, frame.model.tracker
        for one in frame.detections:
            if one.class_name != PERSON:
                continue
            box = (one.bbox.x1, one.bbox.y1, one.bbox.x2, one.bbox.y2)
            detections[frame.frame_index].append(IdentifiedBox(next(number), box))
            if one.track_id is not None:
                tracks[frame.frame_index].append(IdentifiedBox(one.track_id, box))
    if read < expected:
        progress.warn(
            f"{expected - read} frames have no line in {run.path}: nobody counts as found in them"
        )
    return [
        Trial(
            sequence=truth.name,
            detector=detector,
            tracker=name,
            frames=read,
            measured=(measure(truth, boxes),),
        )
        for name, boxes in ((DETECTIONS_ALONE, detections), (tracker, tracks))
    ]


def over_all(trials: Sequence[Trial]) -> list[Trial]:
    """For each detector and tracker that ran on several sequences, one row over them."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.detector, trial.tracker), []).append(trial)
    return [
        Trial(
            sequence=ALL_SEQUENCES,
            detector=detector,
            tracker=tracker,
            frames=sum(one.frames for one in group),
            measured=tuple(measured for one in group for measured in one.measured),
            detector_frame_ms=tuple(ms for one in group for ms in one.detector_frame_ms),
            tracker_frame_ms=tuple(ms for one in group for ms in one.tracker_frame_ms),
        )
        for (detector, tracker), group in groups.items()
        if len(group) > 1
    ]


def label_of(detector: Detector) -> str:
    """`yolo11n (openvino)`."""
    return f"{detector.name} ({detector.backend})"


class _TrackerRun:
    """A tracker on its way through a sequence: its tracks and its time."""

    def __init__(self, name: str, tracker: _Updates, frames: int) -> None:
        self.name = name
        self.tracks: list[list[IdentifiedBox]] = [[] for _ in range(frames)]
        self.frame_ms: list[float] = []
        self._tracker = tracker

    def follow(
        self, index: int, captured_ms: int, image: Image, people: Sequence[SeenObject]
    ) -> None:
        """The next frame, whose place is `index`."""
        began = time.perf_counter()
        ids = self._tracker.update(image, people, captured_ms)
        self.frame_ms.append(_ms_since(began))
        self.tracks[index] = [
            IdentifiedBox(track_id, one.box)
            for one, track_id in zip(people, ids, strict=True)
            if track_id is not None
        ]


class _EachItsOwn:
    """Takes every detection for a track of its own."""

    def __init__(self) -> None:
        self._number = itertools.count()

    def update(
        self,
        image: Image,  # noqa: ARG002
        objects: Sequence[SeenObject],
        captured_epoch_ms: int,  # noqa: ARG002
    ) -> list[int | None]:
        """A new id for each object."""
        return [next(self._number) for _ in objects]


def _ms_since(began: float) -> float:
    return 1000 * (time.perf_counter() - began)


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
