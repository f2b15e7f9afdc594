"""What a camera sees of standing people: a pinhole's projection to boxes, vectorised.

World: x and y on the floor, z up, metres. Camera: x right, y down, z ahead. Nobody hides anybody.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from store_simulator.scenario import Camera

Floats = npt.NDArray[np.float64]

NEAREST_METRES = 0.3
"""What is nearer, measured along the line of sight, or behind the camera is not seen."""
SHOULDERS_METRES = 0.5
LEAST_SIDES_PX = (6.0, 16.0)
"""Width and height of the smallest box that a detector would find."""
LEAST_VISIBLE = 0.35
"""Of the box's area: what must be inside the image."""


class Seen(NamedTuple):
    """Boxes `(n, 4) int64`, whole pixels, xyxy, inside the image; `which` of the people."""

    which: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.int64]


class Projection:
    """The camera's geometry, worked out once."""

    def __init__(self, camera: Camera) -> None:
        self._width, self._height = camera.width, camera.height
        self._at = np.array([*camera.at, camera.height_metres])
        ahead = np.array([*camera.looks_at, 0.0]) - self._at
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        self._axes = np.array([right, np.cross(ahead, right), ahead])
        half_angle = math.radians(camera.field_of_view_degrees) / 2
        self._focal_px = camera.width / 2 / math.tan(half_angle)

    def project(self, x: Floats, y: Floats, z: Floats | float) -> tuple[Floats, Floats, Floats]:
        """Points as (u, v) in pixels and their distance along the line of sight in metres."""
        dx, dy, dz = x - self._at[0], y - self._at[1], z - self._at[2]
        right, down, ahead = (axis[0] * dx + axis[1] * dy + axis[2] * dz for axis in self._axes)
        scale = self._focal_px / np.where(ahead > NEAREST_METRES, ahead, np.nan)
        return self._width / 2 + right * scale, self._height / 2 + down * scale, ahead

    def see(self, x: Floats, y: Floats, height_metres: Floats) -> Seen:
        """The people at (x, y) who show in the image, clipped to it."""
        feet_u, feet_v, feet_ahead = self.project(x, y, 0.0)
        head_u, head_v, head_ahead = self.project(x, y, height_metres)
        with np.errstate(divide="ignore"):
            # half the shoulders at the mean distance of head and feet
            half_width = SHOULDERS_METRES * self._focal_px / (feet_ahead + head_ahead)
        left = np.minimum(feet_u, head_u) - half_width
        right = np.maximum(feet_u, head_u) + half_width
        top, bottom = np.minimum(feet_v, head_v), np.maximum(feet_v, head_v)
        x1, x2 = np.clip(left, 0, self._width), np.clip(right, 0, self._width)
        y1, y2 = np.clip(top, 0, self._height), np.clip(bottom, 0, self._height)
        with np.errstate(invalid="ignore"):  # who stands behind is no number
            is_seen = (
                (x2 - x1 >= LEAST_SIDES_PX[0])
                & (y2 - y1 >= LEAST_SIDES_PX[1])
                & ((x2 - x1) * (y2 - y1) >= LEAST_VISIBLE * (right - left) * (bottom - top))
            )
        which = np.flatnonzero(is_seen)
        corners = np.stack([x1[which], y1[which], x2[which], y2[which]], axis=1)
        return Seen(which, np.rint(corners).astype(np.int64))
