"""ByteTrack and BoT-SORT as Ultralytics delivers them, with the settings of its own files.

They follow by place alone, and count in frames: a lost track is remembered for 30 of them. Two
changes: no camera motion is looked for, since a store's camera hangs still and the search costs
more than the tracking; and nobody is followed across a gap in time.
"""

import contextlib
import importlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vision.boxes import Image, SeenObject
from vision.errors import SettingsError
from vision.trackers.elapsed import Elapsed

CLASS_NAMES = {"bytetrack": "BYTETracker", "botsort": "BOTSORT"}


class Results:
    """What the trackers read of Ultralytics' `Boxes`, without PyTorch."""

    def __init__(self, xyxy: npt.NDArray[np.float32], conf: npt.NDArray[np.float32]) -> None:
        """(N, 4) pixels; (N,) 0 to 1."""
        self.xyxy, self.conf = xyxy, conf
        self.cls = np.zeros(len(conf), dtype=np.float32)
        self.xywh = np.hstack([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]])

    def __len__(self) -> int:
        return len(self.conf)

    def __getitem__(self, chosen: Any) -> "Results":
        return Results(self.xyxy[chosen], self.conf[chosen])


class UltralyticsTracker:
    """Each class is followed by itself; ids are counted from 1 as they are first given."""

    def __init__(self, name: str, classes: Sequence[str], longest_gap_seconds: float) -> None:
        """`bytetrack` or `botsort`. Raises `SettingsError` where Ultralytics cannot be had."""
        self.name = name
        self._by_class = {class_name: _load(name) for class_name in classes}
        self._ids: dict[tuple[int, str, int], int] = {}
        self._longest_gap_ms = 1000 * longest_gap_seconds
        self._elapsed = Elapsed()
        self._gaps = 0

    def update(
        self,
        image: Image,  # noqa: ARG002
        objects: Sequence[SeenObject],
        captured_epoch_ms: int,
    ) -> list[int | None]:
        """The id of each object of this frame, in their order."""
        if self._elapsed.ms_until(captured_epoch_ms) > self._longest_gap_ms:
            self._gaps += 1
            for tracker in self._by_class.values():
                tracker.reset()
        ids: list[int | None] = [None] * len(objects)
        for class_name, tracker in self._by_class.items():
            places = [i for i, seen in enumerate(objects) if seen.class_name == class_name]
            boxes = np.array([objects[i].box for i in places], dtype=np.float32).reshape(-1, 4)
            confidences = np.array([objects[i].confidence for i in places], dtype=np.float32)
            # a row is x1, y1, x2, y2, id, confidence, class, place, and only of tracks that this
            # frame has matched
            for row in tracker.update(Results(boxes, confidences)):
                # its ids begin anew behind a gap
                key = (self._gaps, class_name, int(row[4]))
                ids[places[int(row[7])]] = self._ids.setdefault(key, len(self._ids) + 1)
        return ids


def _load(name: str) -> Any:
    try:
        # what it prints on its first import is no word to our users
        with contextlib.redirect_stdout(io.StringIO()):
            trackers = importlib.import_module("ultralytics.trackers")
            utils = importlib.import_module("ultralytics.utils")
    except ImportError as error:
        reason = " ".join(str(error).split())[:120]
        raise SettingsError(
            f"--tracker {name} needs Ultralytics ({reason}); take --tracker deepsort"
        ) from None
    settings = utils.YAML.load(utils.ROOT / "cfg" / "trackers" / f"{name}.yaml")
    settings["gmc_method"] = "none"
    return getattr(trackers, CLASS_NAMES[name])(utils.IterableSimpleNamespace(**settings))
