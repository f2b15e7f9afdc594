"""Fitting images into the one size that an exported model takes, as Ultralytics does it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.boxes import Image

STRIDE_PX = 32
"""A model halves its input five times, so that each side must be a multiple of this."""

GREY = 114
"""What Ultralytics pads with, in training too."""


def padded_size(frame_size: tuple[int, int], longer_side_px: int) -> tuple[int, int]:
    """(height, width) of the model's input for frames of (height, width).

    The longer side is `longer_side_px`, rounded up to the stride, and the other only as long as
    the frame's shape asks for: a square would compute a third more for the grey alone.
    """
    longer_px = math.ceil(longer_side_px / STRIDE_PX) * STRIDE_PX
    ratio = longer_px / max(frame_size)
    height, width = (math.ceil(side / STRIDE_PX) * STRIDE_PX for side in _scaled(frame_size, ratio))
    return height, width


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image of (height, width) lies in the model's input, and how much it was scaled."""

    image_size: tuple[int, int]
    scaled_size: tuple[int, int]
    left: int
    top: int

    def to_image(self, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(N, 4) xyxy in pixels of the image, within it, for those of the model's input."""
        (height, width), (scaled_height, scaled_width) = self.image_size, self.scaled_size
        offset = np.array([self.left, self.top] * 2, dtype=np.float32)
        scale = np.array([scaled_width / width, scaled_height / height] * 2, dtype=np.float32)
        limit = np.array([width, height] * 2, dtype=np.float32)
        placed: npt.NDArray[np.float32] = np.clip((boxes - offset) / scale, 0, limit)
        return placed


def place(image_size: tuple[int, int], input_size: tuple[int, int]) -> Placement:
    """In the middle, as large as it fits. Sizes are (height, width)."""
    scaled = _scaled(image_size, max(input_size) / max(image_size))
    if scaled[0] > input_size[0] or scaled[1] > input_size[1]:
        # not the shape that the input was made for
        scaled = _scaled(
            image_size,
            min(inner / outer for inner, outer in zip(input_size, image_size, strict=True)),
        )
    height, width = scaled
    # an odd pixel of grey goes right and below
    top, left = (
        round((input_size[0] - height) / 2 - 0.1),
        round((input_size[1] - width) / 2 - 0.1),
    )
    return Placement(image_size, scaled, left, top)


def _scaled(size: tuple[int, int], ratio: float) -> tuple[int, int]:
    height, width = (max(round(side * ratio), 1) for side in size)
    return height, width


class Canvas:
    """The model's input in memory, whose grey margins are painted once for images of one size."""

    def __init__(self, input_size: tuple[int, int]) -> None:
        self.pixels: Image = np.full((*input_size, 3), GREY, dtype=np.uint8)
        self._placement: Placement | None = None

    def show(self, image: Image) -> Placement:
        """Put the image there in place of the last."""
        height, width = image.shape[:2]
        placement = self._placement
        if placement is None or placement.image_size != (height, width):
            placement = place((height, width), self.pixels.shape[:2])
            self._placement = placement
            self.pixels[:] = GREY
        scaled_height, scaled_width = placement.scaled_size
        inner = self.pixels[
            placement.top : placement.top + scaled_height,
            placement.left : placement.left + scaled_width,
        ]
        if placement.scaled_size == (height, width):
            inner[:] = image
        else:
            cv2.resize(image, (scaled_width, scaled_height), dst=inner)
        return placement
