"""Boxes in pixels from the top left corner, and what is seen in them."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""(height, width, 3), blue, green, red."""


class PixelBox(NamedTuple):
    """0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height, whole pixels."""

    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True)
class RawDetection:
    """What a detector says, as it says it: the box may reach out of the image."""

    class_name: str
    confidence: float
    bbox_xyxy_px: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class SeenObject:
    """A detection as it is tracked and written."""

    class_name: str
    confidence: float
    box: PixelBox


CONFIDENCE_DIGITS = 4
"""More would only write down the noise of the CPU's arithmetic."""


def clip_box(bbox_xyxy_px: tuple[float, ...], width: int, height: int) -> PixelBox | None:
    """The part inside the image in whole pixels; None where less than a pixel is left."""
    if not all(math.isfinite(value) for value in bbox_xyxy_px):
        return None
    x1, y1, x2, y2 = bbox_xyxy_px
    left, right = (min(max(round(x), 0), width) for x in (x1, x2))
    top, bottom = (min(max(round(y), 0), height) for y in (y1, y2))
    if left >= right or top >= bottom:
        return None
    return PixelBox(left, top, right, bottom)


def clip_detections(detections: list[RawDetection], width: int, height: int) -> list[SeenObject]:
    """The detections that show in the image, in the same order."""
    seen = []
    for detection in detections:
        box = clip_box(detection.bbox_xyxy_px, width, height)
        if box is not None:
            confidence = round(min(max(detection.confidence, 0.0), 1.0), CONFIDENCE_DIGITS)
            seen.append(SeenObject(detection.class_name, confidence, box))
    return seen


def overlap(one: PixelBox, other: PixelBox) -> float:
    """Intersection over union, 0 to 1."""
    width = min(one.x2, other.x2) - max(one.x1, other.x1)
    height = min(one.y2, other.y2) - max(one.y1, other.y1)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


def _area(box: PixelBox) -> int:
    return (box.x2 - box.x1) * (box.y2 - box.y1)
