"""From what an exported YOLO model says to objects, as Ultralytics does it but without torch."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from vision.boxes import RawDetection
from vision.yolo.letterbox import Placement
from vision.yolo.request import MAX_OBJECTS, MAX_OVERLAP

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]


class Selection:
    """The objects of the wanted classes that are sure enough, each once."""

    def __init__(self, wanted: Sequence[int], names: dict[int, str], confidence: float) -> None:
        self._wanted: Numbers = np.array(wanted, dtype=np.intp)
        self._names = names
        self._classes = len(names)
        self._confidence = confidence
        # a little less, lest the two formulas differ in the last digit
        self._least_logit = _logit(confidence) - 1e-3

    def places(self, output: Floats) -> Floats:
        """A copy of those places of a model's output that `objects` needs.

        `output`: (4 + classes + …, N), of which a pose or a mask may follow the classes.
        """
        whole = output[: 4 + self._classes]
        return whole[:, self._surer(whole[4:], self._confidence)]

    def likely_places(self, logits: Floats) -> Numbers:
        """Where `objects` may find one. `logits`: (classes, N), of which `confidences` are made."""
        return self._surer(logits, self._least_logit)

    def _surer(self, scores: Floats, limit: float) -> Numbers:
        # the other classes are not even read
        return np.flatnonzero((scores[self._wanted] > limit).any(axis=0))

    def objects(self, places: Floats, placement: Placement) -> list[RawDetection]:
        """The surest first.

        `places`: (4 + classes, N) for N places, at least all those where a wanted class is sure
        enough: the object's middle, x and y, its width and height in pixels of the model's input,
        and how sure each class is.
        """
        scores = places[4:]
        sure = self._surer(scores, self._confidence)
        # a place is of the class that is the surest there, wanted or not
        numbers = scores[:, sure].argmax(axis=0)
        is_wanted = np.isin(numbers, self._wanted)
        sure, numbers = sure[is_wanted], numbers[is_wanted]
        if not sure.size:
            return []
        confidences = scores[numbers, sure]
        x, y, width, height = places[:4, sure]
        boxes = np.stack([x - width / 2, y - height / 2, width, height], axis=1)
        kept = cv2.dnn.NMSBoxesBatched(
            boxes.tolist(),
            confidences.tolist(),
            numbers.tolist(),
            score_threshold=0.0,
            nms_threshold=MAX_OVERLAP,
        )
        chosen = np.asarray(kept, dtype=np.intp).reshape(-1)[:MAX_OBJECTS]
        boxes = boxes[chosen]
        boxes[:, 2:] += boxes[:, :2]
        detections = [
            RawDetection(self._names[number], confidence, (x1, y1, x2, y2))
            for (x1, y1, x2, y2), confidence, number in zip(
                placement.to_image(boxes).tolist(),
                confidences[chosen].tolist(),
                numbers[chosen].tolist(),
                strict=True,
            )
        ]
        return sorted(detections, key=lambda d: (-d.confidence, d.bbox_xyxy_px))


def decoded(distances: Floats, places: Numbers, columns: int, stride_px: int, bins: int) -> Floats:
    """(4, N) middle's x and y, width and height in pixels of the model's input.

    `distances`: (N, 4 * bins), what one level's box branch says at `places` of its grid, counted
    row by row with `columns` in each: how far left, top, right and bottom are, in strides, each as
    the expectation over `bins` whole numbers (Ultralytics' distribution focal loss).
    """
    sides = distances.reshape(-1, 4, bins)
    if bins > 1:
        weights = np.exp(sides - sides.max(axis=2, keepdims=True))
        weights /= weights.sum(axis=2, keepdims=True)
        sides = weights * np.arange(bins, dtype=np.float32)
    left, top, right, bottom = sides.sum(axis=2).T
    y, x = (whole + np.float32(0.5) for whole in np.divmod(places, columns))
    middle_and_size = [
        x + (right - left) / 2,
        y + (bottom - top) / 2,
        left + right,
        top + bottom,
    ]
    boxes: Floats = np.asarray(middle_and_size, dtype=np.float32) * stride_px
    return boxes


def confidences(logits: Floats) -> Floats:
    """The logistic function of each."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def _logit(confidence: float) -> float:
    """What `confidences` makes this confidence of."""
    with np.errstate(divide="ignore"):
        return float(np.log(confidence) - np.log1p(-confidence))
