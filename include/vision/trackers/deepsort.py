"""DeepSORT: deep-sort-realtime's tracks with our association and a choice of looks."""

from collections.abc import Sequence

import numpy as np

from vision.appearance import Embedder
from vision.boxes import Image, SeenObject
from vision.settings import TrackingSettings
from vision.trackers.association import Associating
from vision.trackers.elapsed import Elapsed


class DeepSortTracker:
    """Each class is followed by itself, so that a person never becomes a dog.

    Ids are counted from 1 in the order in which they are first given.
    """

    name = "deepsort"

    def __init__(
        self,
        classes: Sequence[str],
        settings: TrackingSettings,
        embedder: Embedder,
    ) -> None:
        self._embedder = embedder
        self._by_class = {name: Associating(settings) for name in classes}
        self._elapsed = Elapsed()
        self._ids: dict[tuple[str, str], int] = {}

    def update(
        self, image: Image, objects: Sequence[SeenObject], captured_epoch_ms: int
    ) -> list[int | None]:
        """The id of each object of this frame, in their order."""
        passed_ms = self._elapsed.ms_until(captured_epoch_ms)
        ids: list[int | None] = [None] * len(objects)
        looks = self._embedder.describe(image, [seen.box for seen in objects])
        boxes = np.array([seen.box for seen in objects], dtype=np.float64).reshape(-1, 4)
        confidences = np.array([seen.confidence for seen in objects])
        for class_name, tracker in self._by_class.items():
            places = [i for i, seen in enumerate(objects) if seen.class_name == class_name]
            tracks = tracker.follow(passed_ms, boxes[places], confidences[places], looks[places])
            for place, track in zip(places, tracks, strict=True):
                if track is not None:
                    key = (class_name, track)
                    ids[place] = self._ids.setdefault(key, len(self._ids) + 1)
        return ids
