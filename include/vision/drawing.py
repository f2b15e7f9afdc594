"""Drawing on frames: boxes with labels, lines of text, the trails that people leave."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from vision.boxes import Image, PixelBox

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

UNTRACKED_COLOUR: Colour = (160, 160, 160)
BANNER_COLOUR: Colour = (40, 40, 40)

_HUES = 180
"""OpenCV's circle of hues."""

_GOLDEN_SHARE = 0.381966
"""Steps of this share of a circle come near to none of the places before for long."""

_SHADES = ((200, 190), (255, 130), (150, 205))
"""Saturation and value in turn, for the ids whose hues are near; white text shows on each."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE = (255, 255, 255)

_LEAST_TEXT_SCALE = 0.45
"""Smaller letters cannot be read."""

_HEIGHT_OF_SCALE_ONE_PX = 960
"""An image of this height has letters of 22 pixels; others have them in proportion."""


def track_colour(track_id: int | None) -> Colour:
    """The same for the same id, unlike for ids that follow each other; grey for None."""
    if track_id is None:
        return UNTRACKED_COLOUR
    hue = round(track_id * _GOLDEN_SHARE * _HUES) % _HUES
    hsv = np.array([[[hue, *_SHADES[track_id % len(_SHADES)]]]], dtype=np.uint8)
    blue, green, red = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red


def draw_box(image: Image, box: PixelBox, colour: Colour, label: str) -> None:
    """The box's outline, and the label (empty: none) on its upper edge."""
    thickness = max(2, round(image.shape[0] / 480))
    # the far corner of a box is the first pixel outside
    cv2.rectangle(image, box[:2], (box.x2 - 1, box.y2 - 1), colour, thickness)
    if label:
        draw_text(image, label, (box.x1, box.y1), colour)


def draw_text(image: Image, text: str, left_bottom: tuple[int, int], background: Colour) -> None:
    """White on a bar of `background`, moved into the image where it would reach out of it.

    Only ASCII can be drawn; other letters become question marks.
    """
    scale, thickness = _letters(image)
    (width, height), _ = cv2.getTextSize(text, _FONT, scale, thickness)
    x = min(max(left_bottom[0], 0), max(image.shape[1] - width - 4, 0))
    y = max(left_bottom[1], height + 6)
    cv2.rectangle(image, (x, y - height - 6), (x + width + 4, y), background, cv2.FILLED)
    where = (x + 2, y - 4)
    cv2.putText(image, text, where, _FONT, scale, _WHITE, thickness, cv2.LINE_AA)


def draw_banner(image: Image, left: str, right: str = "") -> None:
    """Text in the two upper corners; they do not overlap, the right one goes below if it must."""
    scale, thickness = _letters(image)
    (width, height), _ = cv2.getTextSize(left, _FONT, scale, thickness)
    draw_text(image, left, (4, height + 10), BANNER_COLOUR)
    if right:
        (right_width, _), _ = cv2.getTextSize(right, _FONT, scale, thickness)
        fits = width + right_width + 24 <= image.shape[1]
        below = height + 10 if fits else 2 * (height + 10)
        x = image.shape[1] - right_width - 8 if fits else 4
        draw_text(image, right, (x, below), BANNER_COLOUR)


def draw_trail(
    image: Image, points: Sequence[tuple[float, float]], strengths: Sequence[float], colour: Colour
) -> None:
    """A line through the points in pixels; each stretch shows as strongly as its end, 0 to 1."""
    if len(points) < 2:
        return
    thickness = max(2, round(image.shape[0] / 360))
    corners = np.array(points, dtype=np.float64)
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int) - thickness, 0)
    right, bottom = np.maximum(np.ceil(corners.max(axis=0)).astype(int) + thickness + 1, 0)
    part = image[top:bottom, left:right]
    if part.size == 0:
        return
    opacity = np.zeros(part.shape[:2], dtype=np.uint8)
    places = np.rint(corners - (left, top)).astype(int).tolist()
    # the newest last: where a trail crosses itself, it shows as strongly as its newer stretch
    for start, end, strength in zip(places[:-1], places[1:], strengths[1:], strict=True):
        shade = round(255 * min(max(strength, 0.0), 1.0))
        cv2.line(opacity, start, end, shade, thickness, cv2.LINE_8)
    share = opacity[..., None].astype(np.float32) / 255
    part[:] = np.rint(part * (1 - share) + np.array(colour, dtype=np.float32) * share)


def _letters(image: Image) -> tuple[float, int]:
    """The scale and thickness of text on this image."""
    scale = max(_LEAST_TEXT_SCALE, image.shape[0] / _HEIGHT_OF_SCALE_ONE_PX)
    return scale, max(1, math.floor(scale + 0.5))
