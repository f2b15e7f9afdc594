"""Who is who from frame to frame. A track's id goes only to detections of this very frame."""

from collections.abc import Sequence
from typing import Protocol

from vision.appearance import make_embedder
from vision.boxes import Image, SeenObject
from vision.settings import ExtractSettings
from vision.trackers.deepsort import DeepSortTracker
from vision.trackers.ultralytics_trackers import UltralyticsTracker


class Tracker(Protocol):
    """Follows objects through the frames of one run.

    It knows nothing but the frames that it has been given, in their order, and the same frames
    give the same ids: a run that goes on after an interruption feeds it those before.
    """

    @property
    def name(self) -> str:
        """What `model.tracker` of every line says."""

    def update(
        self, image: Image, objects: Sequence[SeenObject], captured_epoch_ms: int
    ) -> list[int | None]:
        """The id of each object of this frame, in their order; None: no confirmed track yet.

        To be called for every frame, those without objects too. The time tells how far people can
        have come: frames are dropped, cameras lost and found.
        """


def make_tracker(settings: ExtractSettings) -> Tracker:
    """The tracker of the settings, for one run.

    Raises `SettingsError` where a tracker's library cannot be had.
    """
    if settings.tracker != "deepsort":
        longest_gap_seconds = settings.tracking.max_age_seconds
        return UltralyticsTracker(settings.tracker, settings.classes, longest_gap_seconds)
    embedder = make_embedder(settings.embedder, settings.device)
    return DeepSortTracker(settings.classes, settings.tracking, embedder)
