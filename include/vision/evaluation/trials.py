"""Trying detectors and trackers on sequences, and scoring what was written earlier."""

import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from vision import progress
from vision.boxes import Image, SeenObject
from vision.detection import Detector
from vision.evaluation.looking import Looking
from vision.evaluation.scoring import Measured, Scores, combine, measure
from vision.evaluation.sequences import OpenedPictures, TrueSequence, frames_do_not_match
from vision.evaluation.truth import IdentifiedBox, Truth
from vision.masks import Mask
from vision.reading import RecordedRun
from vision.settings import PERSON, ExtractSettings
from vision.tracking import Tracker
from vision.video import VideoFrame

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
    """Milliseconds that each frame took it; empty where it did not run here."""

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
    sequence: TrueSequence,
    settings: ExtractSettings,
    make_detector: MakeDetector,
    contenders: Sequence[Contender],
) -> list[Trial]:
    """One pass over the sequence: each frame is detected once and handed to every tracker.

    It is looked at as `settings` say. The first row is of the detections alone, the others of the
    trackers. Raises `VisionError`.
    """
    if sequence.pictures is None:
        raise ValueError("the sequence was read without its pictures")
    with sequence.pictures.opened(settings.fps_limit) as video:
        height, width = video.frame_size
        mask = Mask(settings.mask, width, height)
        truth = sequence.truth.scaled_to(width, height).without(mask.covers)
        detector = make_detector(video.frame_size)
        looking = Looking(settings, detector, mask, video.frame_size)
        runs = [_TrackerRun(one.name, one.make()) for one in contenders]
        alone = _TrackerRun(DETECTIONS_ALONE, _EachItsOwn())
        print(f"{truth.name}: {label_of(detector)}", file=sys.stderr, flush=True)
        frames = _frames_of(sequence, video)
        # how many a limit leaves nobody knows before
        expected = len(truth.people) if settings.fps_limit is None else None
        with progress.Progress(expected) as shown:
            for frame, seen in looking.objects(frames):
                people = [one for one in seen if one.class_name == PERSON]
                for run in (alone, *runs):
                    run.follow(frame, people)
                shown.advance()
        if video.unreadable:
            progress.warn(
                f"{video.unreadable} frames of {sequence.pictures} cannot be read: "
                "they are not scored"
            )
    _check_end(truth, str(sequence.pictures), list(alone.tracks))
    return [
        Trial(
            sequence=truth.name,
            detector=label_of(detector),
            tracker=run.name,
            frames=len(run.tracks),
            measured=(measure(truth, run.tracks),),
            detector_frame_ms=tuple(looking.frame_ms),
            tracker_frame_ms=() if run is alone else tuple(run.frame_ms),
        )
        for run in (alone, *runs)
    ]


def _frames_of(sequence: TrueSequence, video: OpenedPictures) -> Iterator[VideoFrame]:
    """Raises `TruthError` where there are more than in the truth."""
    expected = len(sequence.truth.people)
    for frame in video:
        if frame.index >= expected:
            if sequence.is_cut:
                return
            raise frames_do_not_match(sequence.truth, str(sequence.pictures), frame.index + 1)
        yield frame


def _check_end(truth: Truth, what: str, places: Sequence[int]) -> None:
    """Raise `TruthError` where the frames end too early.

    A limit of frames a second may leave out as many at the end as it does between two of them.
    """
    there = places[-1] + 1 if places else 0
    left_out = max((later - one for one, later in pairwise(places)), default=1) - 1
    if there + left_out < len(truth.people):
        raise frames_do_not_match(truth, what, there)


def score_lines(truth: Truth, run: RecordedRun, *, is_cut: bool) -> list[Trial]:
    """The rows of lines that were written earlier: the detections alone, and the tracks.

    Only frames that have a line are scored. `is_cut` says that the truth is of the first frames
    only. Raises `VisionError`.
    """
    expected = len(truth.people)
    if run.last_frame_index >= expected and not is_cut:
        raise frames_do_not_match(truth, str(run.path), run.last_frame_index + 1)
    truth = truth.scaled_to(run.width_px, run.height_px)
    detections: dict[int, list[IdentifiedBox]] = {}
    tracks: dict[int, list[IdentifiedBox]] = {}
    number = itertools.count()
    detector = tracker = UNKNOWN
    for frame in run:
        if frame.frame_index >= expected:
            break
        if frame.model is not None:
            detector, tracker = frame.model.detector, frame.model.tracker
        found = detections[frame.frame_index] = []
        followed = tracks[frame.frame_index] = []
        for one in frame.detections:
            if one.class_name != PERSON:
                continue
            box = (one.bbox.x1, one.bbox.y1, one.bbox.x2, one.bbox.y2)
            found.append(IdentifiedBox(next(number), box))
            if one.track_id is not None:
                followed.append(IdentifiedBox(one.track_id, box))
    _check_end(truth, str(run.path), list(tracks))
    if len(tracks) < expected:
        progress.warn(
            f"{expected - len(tracks)} of {expected} frames have no line in {run.path}: "
            "they are not scored"
        )
    return [
        Trial(
            sequence=truth.name,
            detector=detector,
            tracker=name,
            frames=len(boxes),
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

    def __init__(self, name: str, tracker: _Updates) -> None:
        self.name = name
        self.tracks: dict[int, list[IdentifiedBox]] = {}
        self.frame_ms: list[float] = []
        self._tracker = tracker

    def follow(self, frame: VideoFrame, people: Sequence[SeenObject]) -> None:
        """The next frame."""
        began = time.perf_counter()
        ids = self._tracker.update(frame.image, people, frame.captured_epoch_ms)
        self.frame_ms.append(1000 * (time.perf_counter() - began))
        self.tracks[frame.index] = [
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


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
