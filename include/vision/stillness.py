"""Frames in which nothing has changed since the detector looked: it would say the same again.

A shop stands still for much of a day. Each frame is compared, made small, with the last one that
was detected (not with the one before: a slow change adds up until it counts).
"""

import cv2
import numpy as np

from vision.boxes import Image

WIDEST_PX = 120
"""The small picture is at most so wide. Each of its pixels is the mean of many (64 at 640x480),
so that noise of the sensor and of compression averages out, and a person covers some."""

LONGEST_MS = 2000
"""After so long without a look, one is taken whatever has changed."""


class Stillness:
    """Tells for each frame, in their order, whether the detector need not look at it."""

    def __init__(self, threshold: float) -> None:
        """`threshold` in steps of 255: a frame is still where no pixel of the small picture has
        changed by as much in any colour; 0: no frame is."""
        self._threshold = threshold
        self._looked_at: Image | None = None
        self._looked_ms = 0

    def is_still(self, image: Image, captured_epoch_ms: int) -> bool:
        """Whether nothing has changed; else the frame is taken as looked at."""
        if self._threshold <= 0:
            return False
        small = _made_small(image)
        if self._looked_at is not None and captured_epoch_ms - self._looked_ms < LONGEST_MS:
            change = cv2.norm(small, self._looked_at, cv2.NORM_INF)
            if change < self._threshold:
                return True
        self._looked_at, self._looked_ms = small, captured_epoch_ms
        return False


def _made_small(image: Image) -> Image:
    """Halved until it is small enough: each time the mean of four pixels, which costs least."""
    small = image
    while small.shape[1] > WIDEST_PX:
        size = (max(small.shape[1] // 2, 1), max(small.shape[0] // 2, 1))
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    return small
