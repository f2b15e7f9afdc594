"""Who is who from frame to frame. A track's id goes only to detections of this very frame."""

from collections.abc import Sequence
from typing import Protocol

from vision.appearance import make_embedder
from vision.boxes import Image, SeenObject
from vision.settings import ExtractSettings
from vision.trackers.deepsort import DeepSortTracker
from vision.trackers.ultralytics_trackers import UltralyticsTracker

ASSUMED_FRAME_RATE = 15.0
"""Where a source does not say how many frames a second it gives: between 7 and 25."""


class Tracker(Protocol):
    """Follows objects through the frames of one run.

    It knows nothing but the frames that it has been given, in their order, and the same frames
    give the same ids: a run that goes on after an interruption feeds it those before.
    """

    @property
    def name(self) -> str:
        """What `model.tracker` of every line says."""

    def update(self, image: Image, objects: Sequence[SeenObject]) -> list[int | None]:
        """The id of each object of this frame, in their order; None: no confirmed track yet.

        To be called for every frame, those without objects too.
        """


def make_tracker(settings: ExtractSettings, frame_rate: float | None) -> Tracker:
    """The tracker of the settings, for one run that gives it `frame_rate` frames a second.

    None: nobody knows the rate. Raises `SettingsError` where a tracker's library cannot be had.
    """
    if settings.tracker != "deepsort":
        return UltralyticsTracker(settings.tracker, settings.classes)
    embedder = make_embedder(settings.embedder, gpu=settings.device != "cpu")
    rate = frame_rate or ASSUMED_FRAME_RATE
    return DeepSortTracker(settings.classes, settings.tracking, embedder, rate)
