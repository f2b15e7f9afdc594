"""From what an exported YOLO model says to objects, as Ultralytics does it but without torch."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from vision.boxes import RawDetection
from vision.yolo.letterbox import Placement
from vision.yolo.request import MAX_OBJECTS, MAX_OVERLAP

Floats = npt.NDArray[np.float32]


class Selection:
    """The objects of the wanted classes that are sure enough, each once."""

    def __init__(self, wanted: Sequence[int], names: dict[int, str], confidence: float) -> None:
        self._wanted = np.array(wanted)
        self._names = names
        self._confidence = confidence

    def objects(self, output: Floats, placement: Placement) -> list[RawDetection]:
        """The surest first.

        `output`: (4 + classes + …, N) for N places that an object may be at: the middle's x and y,
        width and height in pixels of the model's input, and how sure each class is.
        """
        scores = output[4 : 4 + len(self._names)]
        # the wanted rows first: the others are looked at only where one of these is sure enough
        sure = np.flatnonzero(scores[self._wanted].max(axis=0) > self._confidence)
        # each place is of the class that is the surest there, wanted or not
        best = scores[:, sure].argmax(axis=0)
        is_wanted = np.isin(best, self._wanted)
        places, numbers = sure[is_wanted], best[is_wanted]
        if not places.size:
            return []
        found = scores[numbers, places]
        x, y, width, height = output[:4, places]
        left_top_width_height = np.stack([x - width / 2, y - height / 2, width, height], axis=1)
        kept = cv2.dnn.NMSBoxesBatched(
            left_top_width_height.tolist(),
            found.tolist(),
            numbers.tolist(),
            score_threshold=0.0,
            nms_threshold=MAX_OVERLAP,
        )
        chosen = np.asarray(kept, dtype=np.intp).reshape(-1)[:MAX_OBJECTS]
        boxes = left_top_width_height[chosen]
        boxes[:, 2:] += boxes[:, :2]
        detections = [
            RawDetection(self._names[number], confidence, (x1, y1, x2, y2))
            for (x1, y1, x2, y2), confidence, number in zip(
                placement.to_image(boxes).tolist(),
                found[chosen].tolist(),
                numbers[chosen].tolist(),
                strict=True,
            )
        ]
        return sorted(detections, key=lambda d: (-d.confidence, d.bbox_xyxy_px))
