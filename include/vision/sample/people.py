"""Cutting people out of a picture and placing them on a floor."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision.boxes import Image, PixelBox
from vision.errors import VisionError
from vision.sample import outlines

EDGE_BLUR_PX = 1.0
MARGIN_PX = 4

Float3 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.float32]


class PictureMissingError(VisionError):
    """The picture that the people are cut from is not where it should be."""


@dataclass(frozen=True)
class Cutout:
    """A person: colours (h, w, 3) times opacity, opacity (h, w) from 0 to 1, and their feet."""

    colours: Float3
    opacity: Mask
    feet_xy_px: tuple[float, float]

    @property
    def height_px(self) -> float:
        """From head to feet."""
        return self.feet_xy_px[1] - MARGIN_PX


def picture_path() -> Path:
    """The picture inside the installed Ultralytics package, found without importing it."""
    spec = importlib.util.find_spec("ultralytics")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0] if folders else "ultralytics") / "assets" / outlines.PICTURE
    if not path.is_file():
        raise PictureMissingError(
            f"{path} is missing: it ships inside the ultralytics package; install that again"
        )
    return path


def cut_people() -> dict[str, Cutout]:
    """The two people and a copy of each in other clothes, by name."""
    loaded = cv2.imread(str(picture_path()))
    if loaded is None or loaded.shape[1::-1] != outlines.PICTURE_SIZE_PX:
        raise PictureMissingError(
            f"{picture_path()} is not the picture of {outlines.PICTURE_SIZE_PX} pixels that the "
            "outlines were drawn on: install the ultralytics version that uv.lock names"
        )
    picture: Image = np.asarray(loaded, dtype=np.uint8)
    pale = _cut(picture, outlines.PALE_COAT)
    dark = _cut(picture, outlines.DARK_COAT)
    return {
        "pale coat": pale,
        "dark coat": dark,
        # gains on blue, green, red
        "blue coat": _dyed(pale, from_share=0.16, to_share=0.62, gains=(0.95, 0.62, 0.38)),
        "red coat": _dyed(
            dark, from_share=0.14, to_share=0.66, gains=(0.95, 0.95, 1.05), lift=(14, 10, 70)
        ),
    }


def _cut(picture: Image, outline: str) -> Cutout:
    points = np.array([pair.split(",") for pair in outline.split()], dtype=np.int32)
    left, top = points.min(axis=0) - MARGIN_PX
    right, bottom = points.max(axis=0) + MARGIN_PX + 1
    mask = np.zeros((bottom - top, right - left), dtype=np.uint8)
    cv2.fillPoly(mask, [points - (left, top)], 255)
    opacity = np.divide(cv2.GaussianBlur(mask, (0, 0), EDGE_BLUR_PX), 255, dtype=np.float32)
    crop = picture[max(top, 0) : bottom, max(left, 0) : right].astype(np.float32)
    feet = (float(points[:, 0].mean() - left), float(bottom - top - MARGIN_PX))
    return Cutout(np.multiply(crop, opacity[..., None], dtype=np.float32), opacity, feet)


def _dyed(
    person: Cutout,
    from_share: float,
    to_share: float,
    gains: tuple[float, float, float],
    lift: tuple[float, float, float] = (0, 0, 0),
) -> Cutout:
    """The person with the clothes between two shares of the height in another colour."""
    height = person.opacity.shape[0]
    rows = np.arange(height, dtype=np.float32) / height
    soft = 0.02
    share = np.clip((rows - from_share) / soft, 0, 1) * np.clip((to_share - rows) / soft, 0, 1)
    share = share[:, None, None]
    brightness = person.colours.max(axis=2) / 255
    # cloth is dark where it is lifted; hands are not, and keep their colour
    lifted = (person.opacity * np.clip(1 - 2.5 * brightness, 0, 1))[..., None] * np.array(lift)
    dyed = np.clip(person.colours * np.array(gains, dtype=np.float32) + lifted, 0, 255)
    colours = person.colours * (1 - share) + dyed * share
    return Cutout(colours.astype(np.float32), person.opacity, person.feet_xy_px)


@dataclass(frozen=True)
class Placed:
    """A person as drawn in one frame: opacity (height, width) of the whole image, and the box."""

    opacity: Mask
    box: PixelBox | None
    visible_area_px: float
    """Opaque pixels inside the image."""
    whole_area_px: float
    """What they would be, were all of the person inside."""


def draw_person(
    canvas: Float3,
    person: Cutout,
    feet_xy_px: tuple[float, float],
    height_px: float,
    *,
    faces_left: bool,
    lean_degrees: float,
) -> Placed:
    """Draw over `canvas` (height, width, 3) float32, with a soft shadow on the floor."""
    height, width = canvas.shape[:2]
    _draw_shadow(canvas, feet_xy_px, height_px)
    colours, opacity, (foot_x, foot_y) = person.colours, person.opacity, person.feet_xy_px
    scale = height_px / person.height_px
    # halve first: a single large step would skip pixels and shimmer
    while scale < 0.5:
        size = (max(colours.shape[1] // 2, 1), max(colours.shape[0] // 2, 1))
        ratio_x, ratio_y = size[0] / colours.shape[1], size[1] / colours.shape[0]
        colours = cv2.resize(colours, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        opacity = cv2.resize(opacity, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        foot_x, foot_y, scale = foot_x * ratio_x, foot_y * ratio_y, scale * 2
    matrix = cv2.getRotationMatrix2D((foot_x, foot_y), lean_degrees, scale)
    if faces_left:
        matrix[0] *= -1
    moved = matrix @ (foot_x, foot_y, 1)
    matrix[:, 2] += (feet_xy_px[0] - moved[0], feet_xy_px[1] - moved[1])
    placed = cv2.warpAffine(opacity, matrix, (width, height)).astype(np.float32)
    painted = cv2.warpAffine(colours, matrix, (width, height)).astype(np.float32)
    canvas *= 1 - placed[..., None]
    canvas += painted
    return Placed(placed, _box_of(placed), float(placed.sum()), float(opacity.sum()) * scale**2)


def _draw_shadow(canvas: Float3, feet_xy_px: tuple[float, float], height_px: float) -> None:
    height, width = canvas.shape[:2]
    x, y = feet_xy_px
    radius_x, radius_y = 0.22 * height_px, 0.045 * height_px
    top, bottom = max(int(y - 3 * radius_y), 0), min(int(y + 3 * radius_y) + 1, height)
    left, right = max(int(x - 3 * radius_x), 0), min(int(x + 3 * radius_x) + 1, width)
    if top >= bottom or left >= right:
        return
    rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
    distance = ((columns - x) / radius_x) ** 2 + ((rows - y + 0.3 * radius_y) / radius_y) ** 2
    canvas[top:bottom, left:right] *= (1 - 0.5 * np.exp(-1.5 * distance))[..., None]


def _box_of(opacity: Mask) -> PixelBox | None:
    """The smallest box around all that is more than half opaque."""
    rows = np.flatnonzero((opacity > 0.5).any(axis=1))
    columns = np.flatnonzero((opacity > 0.5).any(axis=0))
    if not len(rows):
        return None
    return PixelBox(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
