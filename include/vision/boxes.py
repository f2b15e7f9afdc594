"""Boxes in pixels from the top left corner, and what is seen in them."""

import math
from collections.abc import Sequence
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


def overlaps(
    some: Sequence[tuple[float, ...]], others: Sequence[tuple[float, ...]]
) -> npt.NDArray[np.float64]:
    """Intersection over union of boxes in pixels, xyxy: (len(some), len(others)), 0 to 1."""
    one = np.array(some, dtype=np.float64).reshape(-1, 1, 4)
    other = np.array(others, dtype=np.float64).reshape(1, -1, 4)
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(axis=-1) for box in (one, other)]
    union: npt.NDArray[np.float64] = areas[0] + areas[1] - shared
    iou: npt.NDArray[np.float64] = np.zeros_like(union)
    np.divide(shared, union, out=iou, where=union > 0)
    return iou
