"""Who is who from frame to frame. A track's id goes only to detections of this very frame."""

from collections.abc import Sequence
from typing import Protocol

from deep_sort_realtime.deepsort_tracker import DeepSort

from vision.appearance import colour_histogram
from vision.boxes import Image, SeenObject
from vision.settings import ExtractSettings, TrackingSettings


class Tracker(Protocol):
    """Follows objects through the frames of one run."""

    @property
    def name(self) -> str:
        """What `model.tracker` of every line says."""

    def update(self, image: Image, objects: Sequence[SeenObject]) -> list[int | None]:
        """The id of each object of this frame, in their order; None: no confirmed track yet.

        To be called for every frame, those without objects too.
        """


class DeepSortTracker:
    """deep-sort-realtime with colour histograms in place of its network (docs/vision.md).

    Each class is followed by itself, so that a person never becomes a dog. Ids are counted from
    1 in the order in which they are first given.
    """

    name = "deepsort"

    def __init__(self, classes: Sequence[str], settings: TrackingSettings) -> None:
        self._by_class = {
            name: DeepSort(
                max_iou_distance=settings.max_iou_distance,
                max_age=settings.max_age_frames,
                n_init=settings.confirm_after_frames,
                max_cosine_distance=settings.max_cosine_distance,
                nn_budget=settings.appearances_kept,
                embedder=None,
            )
            for name in classes
        }
        self._ids: dict[tuple[str, str], int] = {}

    def update(self, image: Image, objects: Sequence[SeenObject]) -> list[int | None]:
        """The id of each object of this frame, in their order."""
        ids: list[int | None] = [None] * len(objects)
        for class_name, deepsort in self._by_class.items():
            places = [i for i, seen in enumerate(objects) if seen.class_name == class_name]
            raw = [
                ([box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1], seen.confidence, class_name)
                for seen in (objects[i] for i in places)
                for box in [seen.box]
            ]
            appearances = [colour_histogram(image, objects[i].box) for i in places]
            tracks = deepsort.update_tracks(raw, embeds=appearances, others=places)
            for track in tracks:
                # `others` is the place of the detection that this frame matched, None if none did
                place = track.get_det_supplementary()
                if place is None or not track.is_confirmed():
                    continue
                key = (class_name, track.track_id)
                ids[place] = self._ids.setdefault(key, len(self._ids) + 1)
        return ids


def make_tracker(settings: ExtractSettings) -> Tracker:
    """The tracker of the settings, for one run."""
    return DeepSortTracker(settings.classes, settings.tracking)
