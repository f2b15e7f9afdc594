"""Where nobody counts: polygons that the user has drawn over one camera's picture."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from vision.boxes import SeenObject
from vision.settings import Polygon


class Mask:
    """Keeps the objects that stand outside all polygons, by the middle of the lower edge."""

    def __init__(self, polygons: Sequence[Polygon], width: int, height: int) -> None:
        """Corners in shares of the image; `width` and `height` in pixels."""
        size = np.array([width, height], dtype=np.float32)
        self._polygons: list[npt.NDArray[np.float32]] = [
            np.array(polygon, dtype=np.float32) * size for polygon in polygons
        ]

    def outside(self, objects: list[SeenObject]) -> list[SeenObject]:
        """Those that count, in the same order; who stands on an edge is inside."""
        if not self._polygons:
            return objects
        return [seen for seen in objects if not self.covers(seen.box)]

    def covers(self, bbox_xyxy_px: tuple[float, ...]) -> bool:
        """Whether who has this box stands in one of the polygons."""
        x1, _, x2, y2 = bbox_xyxy_px
        feet = ((x1 + x2) / 2, float(y2))
        return any(cv2.pointPolygonTest(polygon, feet, False) >= 0 for polygon in self._polygons)
