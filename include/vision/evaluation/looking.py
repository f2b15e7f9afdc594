"""What a detector sees in the frames of a sequence, looked at as extraction does it."""

import time
from collections.abc import Iterator
from itertools import islice

from vision.boxes import SeenObject, clip_detections
from vision.detection import Detector
from vision.masks import Mask
from vision.settings import ExtractSettings
from vision.stillness import Stillness
from vision.video import VideoFrame


class Looking:
    """One pass over one sequence."""

    def __init__(
        self, settings: ExtractSettings, detector: Detector, mask: Mask, size: tuple[int, int]
    ) -> None:
        """`size` is (height, width) of every frame."""
        self.frame_ms: list[float] = []
        """Milliseconds that each frame took which the detector was shown."""
        self._batch = settings.batch
        self._stillness = Stillness(settings.still_threshold)
        self._detector, self._mask, self._size = detector, mask, size

    def objects(
        self, frames: Iterator[VideoFrame]
    ) -> Iterator[tuple[VideoFrame, list[SeenObject]]]:
        """Each frame with what is in it; where nothing has changed, what was there before."""
        height, width = self._size
        latest: list[SeenObject] = []
        while batch := list(islice(frames, self._batch)):
            is_still = [
                self._stillness.is_still(frame.image, frame.captured_epoch_ms) for frame in batch
            ]
            new = [frame.image for frame, still in zip(batch, is_still, strict=True) if not still]
            began = time.perf_counter()
            found = iter(self._detector.detect(new) if new else [])
            lasted_ms = 1000 * (time.perf_counter() - began)
            self.frame_ms += [lasted_ms / len(new) for _ in new]
            for frame, still in zip(batch, is_still, strict=True):
                if not still:
                    latest = self._mask.outside(clip_detections(next(found), width, height))
                yield frame, latest
