"""The empty shop: a tiled floor in perspective, shelves along the back wall, a till, a doorway."""

import cv2
import numpy as np

from vision.boxes import Image
from vision.sample.people import Float3

HORIZON = 0.17
"""Where the floor's lines meet, as a share of the height from the top."""
WALL_FOOT = 0.42
"""Where the back wall meets the floor."""
PERSON_SHARE_OF_DROP = 0.79
"""A person's height, as a share of the way from the horizon down to their feet."""

_SUPERSAMPLING = 2
_SEED = 20


def feet_y_px(y: float, height_px: int) -> float:
    """From 0 at the wall's foot and 1 at the lower edge to pixels."""
    return (WALL_FOOT + y * (1 - WALL_FOOT)) * height_px


def person_height_px(feet_px: float, height_px: int) -> float:
    """How tall a person who stands there is."""
    return PERSON_SHARE_OF_DROP * (feet_px - HORIZON * height_px)


def draw_shop(width_px: int, height_px: int) -> Float3:
    """(height, width, 3) float32; the same for the same size."""
    width, height = width_px * _SUPERSAMPLING, height_px * _SUPERSAMPLING
    canvas = np.zeros((height, width, 3), dtype=np.uint8)
    _draw_floor(canvas)
    _draw_wall(canvas)
    _draw_shelves(canvas)
    _draw_doorway(canvas)
    _draw_till(canvas)
    small = cv2.resize(canvas, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return _lit(small.astype(np.float32))


def _draw_floor(canvas: Image) -> None:
    height, width = canvas.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    depth = (1 - HORIZON) * height / np.maximum(rows - HORIZON * height, 1)
    across = (columns - width / 2) / width * depth
    row_of_tiles, column_of_tiles = depth / 0.28, across / 0.19
    is_dark = (np.floor(row_of_tiles) + np.floor(column_of_tiles)) % 2 == 1
    canvas[:] = np.where(is_dark[..., None], (176, 184, 190), (196, 203, 208))
    to_joint = np.minimum(row_of_tiles % 1, column_of_tiles % 1)
    canvas[to_joint < 0.035] = (150, 156, 160)


def _draw_wall(canvas: Image) -> None:
    height, width = canvas.shape[:2]
    foot = int(WALL_FOOT * height)
    canvas[:foot] = (206, 218, 222)
    cv2.rectangle(canvas, (0, foot - height // 60), (width, foot), (120, 128, 134), cv2.FILLED)
    cv2.rectangle(canvas, (0, 0), (width, height // 14), (150, 118, 62), cv2.FILLED)
    cv2.putText(
        canvas,
        "SAMPLE SHOP",
        (int(0.36 * width), int(0.052 * height)),
        cv2.FONT_HERSHEY_DUPLEX,
        height / 620,
        (245, 245, 240),
        2,
        cv2.LINE_AA,
    )


def _draw_shelves(canvas: Image) -> None:
    height, width = canvas.shape[:2]
    random = np.random.default_rng(_SEED)
    top, bottom = int(0.11 * height), int(0.40 * height)
    for left_share, right_share in ((0.17, 0.43), (0.46, 0.72)):
        left, right = int(left_share * width), int(right_share * width)
        cv2.rectangle(canvas, (left, top), (right, bottom), (92, 108, 122), cv2.FILLED)
        boards = 4
        board_px = (bottom - top) // boards
        for board in range(boards):
            floor_y = top + (board + 1) * board_px - height // 90
            x = left + width // 160
            while x < right - width // 50:
                box_width = int(random.integers(width // 64, width // 30))
                box_height = int(random.integers(board_px // 2, board_px * 4 // 5))
                colour = tuple(int(c) for c in random.integers(70, 225, size=3))
                corner = (min(x + box_width, right - width // 160), floor_y)
                cv2.rectangle(canvas, (x, floor_y - box_height), corner, colour, cv2.FILLED)
                x += box_width + width // 320
            cv2.rectangle(
                canvas, (left, floor_y), (right, floor_y + height // 120), (70, 84, 96), cv2.FILLED
            )


def _draw_doorway(canvas: Image) -> None:
    height, width = canvas.shape[:2]
    left, right, top, foot = (
        int(0.02 * width),
        int(0.13 * width),
        int(0.12 * height),
        int(WALL_FOOT * height),
    )
    cv2.rectangle(canvas, (left, top), (right, foot), (96, 104, 110), cv2.FILLED)
    frame = width // 160
    cv2.rectangle(
        canvas, (left + frame, top + frame), (right - frame, foot), (232, 226, 206), cv2.FILLED
    )
    middle = (left + right) // 2
    cv2.line(canvas, (middle, top), (middle, foot), (96, 104, 110), frame // 2)


def _draw_till(canvas: Image) -> None:
    height, width = canvas.shape[:2]
    left, right, top, foot = (
        int(0.78 * width),
        int(0.97 * width),
        int(0.31 * height),
        int(0.45 * height),
    )
    cv2.rectangle(canvas, (left, top), (right, foot), (88, 120, 150), cv2.FILLED)
    cv2.rectangle(
        canvas,
        (left - width // 100, top - height // 60),
        (right + width // 100, top),
        (60, 84, 108),
        cv2.FILLED,
    )
    x = int(0.84 * width)
    cv2.rectangle(
        canvas,
        (x, top - height // 12),
        (x + width // 16, top - height // 60),
        (52, 52, 56),
        cv2.FILLED,
    )


def _lit(canvas: Float3) -> Float3:
    """Darker towards the edges, as a room with lamps in its middle is."""
    height, width = canvas.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = ((columns / width - 0.5) / 0.75) ** 2 + ((rows / height - 0.45) / 0.85) ** 2
    light: Float3 = (canvas * (1.03 - 0.28 * distance)[..., None]).astype(np.float32)
    return light
