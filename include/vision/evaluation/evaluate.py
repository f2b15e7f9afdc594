"""One evaluation: every detector and tracker on every sequence, or lines written earlier."""

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from vision import progress
from vision.detection import Detector
from vision.detectors import make_detector
from vision.evaluation.library_defaults import LIBRARY_TRACKERS, make_library_tracker
from vision.evaluation.sequences import read_sequence
from vision.evaluation.settings import EvaluateSettings
from vision.evaluation.trials import Contender, Trial, score_lines, try_out
from vision.reading import open_run
from vision.settings import ExtractSettings
from vision.tracking import make_tracker

WITH_EMBEDDER = "deepsort"
"""The tracker that runs once for each embedder."""


def evaluate(settings: EvaluateSettings) -> Iterator[Trial]:
    """The rows, each as soon as it is known. Raises `VisionError`.

    What is wrong with a sequence is told before the first of them is worked on.
    """
    sequences = [
        read_sequence(text, with_pictures=not settings.jsonl, max_frames=settings.max_frames)
        for text in settings.sequences
    ]
    if settings.jsonl:
        for sequence, path in zip(sequences, settings.jsonl, strict=True):
            run = open_run(Path(path).expanduser(), settings.run_id)
            yield from score_lines(sequence.truth, run, is_cut=sequence.is_cut)
        return
    detectors = [_Detectors(settings.of_detector(name)) for name in settings.detectors]
    contenders = _contenders(settings)
    for sequence, detector in itertools.product(sequences, detectors):
        yield from try_out(sequence, settings.looking, detector.for_size, contenders)


def _contenders(settings: EvaluateSettings) -> list[Contender]:
    contenders = []
    for name in settings.trackers:
        for embedder in settings.embedders if name == WITH_EMBEDDER else settings.embedders[:1]:
            label = f"{name}/{embedder}" if name == WITH_EMBEDDER else name
            make = partial(make_tracker, settings.of_tracker(name, embedder))
            contenders.append(Contender(label, make))
    if settings.library_defaults:
        contenders += [
            Contender(f"{name} (library)", partial(make_library_tracker, name))
            for name in LIBRARY_TRACKERS
        ]
    return contenders


class _Detectors:
    """A detector of some settings, loaded once for each size of frames."""

    def __init__(self, settings: ExtractSettings) -> None:
        self._settings = settings
        self._loaded: dict[tuple[int, int], Detector] = {}

    def for_size(self, height_width: tuple[int, int]) -> Detector:
        """Raises `VisionError`."""
        if height_width not in self._loaded:
            self._loaded[height_width] = make_detector(self._settings, height_width, progress.warn)
        return self._loaded[height_width]
