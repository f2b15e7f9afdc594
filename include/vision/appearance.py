"""What a person looks like, in numbers that cost next to nothing: colours, from top to bottom."""

import cv2
import numpy as np
import numpy.typing as npt

from vision.boxes import Image, PixelBox

STRIPES = 3
"""Head, trunk and legs are described apart: a red shirt is not a pair of red trousers."""

HUES, SATURATIONS, VALUES = 12, 4, 4
SIDE_MARGIN = 0.15
"""The share of the box left and right that is mostly floor."""

Appearance = npt.NDArray[np.float32]


def colour_histogram(image: Image, box: PixelBox) -> Appearance:
    """(STRIPES * HUES * SATURATIONS * VALUES,) float32 of length 1, for a cosine distance."""
    margin = int((box.x2 - box.x1) * SIDE_MARGIN)
    crop = image[box.y1 : box.y2, box.x1 + margin : box.x2 - margin]
    hsv = cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)
    stripes = [
        cv2.calcHist(
            [stripe], [0, 1, 2], None, [HUES, SATURATIONS, VALUES], [0, 180, 0, 256, 0, 256]
        )
        for stripe in np.array_split(hsv, min(STRIPES, len(hsv)))
    ]
    histogram = np.zeros(STRIPES * HUES * SATURATIONS * VALUES, dtype=np.float32)
    joined = np.concatenate([stripe.ravel() / stripe.sum() for stripe in stripes])
    # the root tames the one bin that a dark coat fills
    histogram[: len(joined)] = np.sqrt(joined)
    return histogram / np.linalg.norm(histogram)
