"""OpenCV's HOG people detector: needs no weights, and finds upright people of 100 px and more."""

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from vision.boxes import Image, PixelBox, RawDetection, clip_box, overlaps
from vision.settings import PERSON

WINDOW_PX = (64, 128)
"""Width and height that the detector was trained on; smaller images hold nobody for it."""

MARGIN = (0.2, 0.1)
"""The share of the window left and right, above and below, that is not the person."""

STRIDE_PX = (8, 8)
PADDING_PX = (16, 16)
SCALE_STEP = 1.05
MAX_OVERLAP = 0.25
"""Two boxes that overlap more are one person; the surer one stays."""

DEFAULT_CONFIDENCE = 0.65
"""Of ten boxes, nine are people there; at 0.5 it is six, for three more people in a hundred."""

DEFAULT_IMAGE_SIZES_PX = (640, 960)
"""The least and the most that a frame's longer side is scaled to, where nothing else is asked."""


class HogDetector:
    """People by histograms of oriented gradients; `confidence` is the logistic of the margin."""

    name = "hog"
    backend = "opencv"

    def __init__(self, confidence: float, longer_side_px: int | None, threads: int) -> None:
        self.concurrency = threads
        self._confidence = confidence
        self._longer_side_px = longer_side_px
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(
            np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), dtype=np.float32)
        )

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        """The people of each image, the surest first."""
        return [self._people(image) for image in images]

    def _people(self, image: Image) -> list[RawDetection]:
        height, width = image.shape[:2]
        least, most = DEFAULT_IMAGE_SIZES_PX
        longer_px = max(height, width)
        scale = (self._longer_side_px or min(max(longer_px, least), most)) / longer_px
        if scale != 1:
            size = (max(round(width * scale), 1), max(round(height * scale), 1))
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)
        found = sorted(
            ((1 / (1 + math.exp(-margin)), window) for window, margin in self._windows(image)),
            key=lambda pair: (-pair[0], pair[1]),
        )
        kept: list[PixelBox] = []
        people: list[RawDetection] = []
        for confidence, (left, top, right, bottom) in found:
            if confidence < self._confidence:
                break
            w, h = right - left, bottom - top
            box = clip_box(
                (
                    left + w * MARGIN[0],
                    top + h * MARGIN[1],
                    right - w * MARGIN[0],
                    bottom - h * MARGIN[1],
                ),
                image.shape[1],
                image.shape[0],
            )
            if box is None or (overlaps([box], kept) > MAX_OVERLAP).any():
                continue
            kept.append(box)
            x1, y1, x2, y2 = (value / scale for value in box)
            people.append(RawDetection(PERSON, confidence, (x1, y1, x2, y2)))
        return people

    def _windows(self, image: Image) -> Iterator[tuple[tuple[float, float, float, float], float]]:
        """The windows with a person, in pixels of the image, each with the classifier's margin.

        Not by `detectMultiScale`: its threads store windows and margins under two locks, so that
        in about one image of 200 a window has another's margin (OpenCV 4.14, eight threads).
        """
        height, width = image.shape[:2]
        for level in range(self._hog.nlevels):
            scale = SCALE_STEP**level
            size = (round(width / scale), round(height / scale))
            if size[0] < WINDOW_PX[0] or size[1] < WINDOW_PX[1]:
                return
            # bit-exact: the other ways to interpolate differ from one CPU to the next
            scaled = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR_EXACT)
            corners, margins = self._hog.detect(scaled, winStride=STRIDE_PX, padding=PADDING_PX)
            for (x, y), margin in zip(corners, np.ravel(margins), strict=True):
                sides = (x, y, x + WINDOW_PX[0], y + WINDOW_PX[1])
                x1, y1, x2, y2 = (float(side * scale) for side in sides)
                yield (x1, y1, x2, y2), float(margin)
