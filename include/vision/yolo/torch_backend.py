"""YOLO through Ultralytics and PyTorch, on the CPU or a CUDA device."""

import contextlib
import importlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vision.boxes import Image, RawDetection
from vision.errors import WeightsError
from vision.weights import check_weights
from vision.yolo.request import MAX_OBJECTS, MAX_OVERLAP, YoloRequest, class_numbers

TASKS_WITH_BOXES = ("detect", "segment", "pose")


class TorchDetector:
    """Objects of the wanted classes by a YOLO model; the name is the weights' stem.

    One image or many a call, which a CUDA device computes at once.
    """

    backend = "torch"
    # Ultralytics locks its predictor, and PyTorch has threads of its own
    concurrency = 1

    def __init__(self, request: YoloRequest, device: str) -> None:
        """Load the model onto `cpu` or `cuda:N`.

        Raises `WeightsError`, or `SettingsError` for a class that the weights lack.
        """
        self.name = request.weights.stem
        self._model = load_model(request.weights)
        self._model.to(device)
        names: dict[int, str] = self._model.names
        self._class_names = names
        self._options: dict[str, Any] = {
            "classes": class_numbers(request.classes, names),
            "conf": request.confidence,
            "iou": MAX_OVERLAP,
            "max_det": MAX_OBJECTS,
            "imgsz": request.longer_side_px,
            "device": device,
            "verbose": False,
            "save": False,
        }
        # the first prediction also prepares the model: here it does not count as a slow frame
        side_px = request.longer_side_px
        self.detect([np.zeros((side_px, side_px, 3), dtype=np.uint8)])
        # not before: that first prediction sets one thread less than there are CPUs
        importlib.import_module("torch").set_num_threads(request.threads)

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        """The objects of each image, the surest first."""
        if not images:
            return []
        return [
            self._objects(result.boxes.cpu().numpy())
            for result in self._model.predict(list(images), **self._options)
        ]

    def _objects(self, boxes: Any) -> list[RawDetection]:
        found = []
        for (x1, y1, x2, y2), confidence, number in zip(
            boxes.xyxy.tolist(), boxes.conf.tolist(), boxes.cls.tolist(), strict=True
        ):
            name = self._class_names[int(number)]
            found.append(RawDetection(name, confidence, (x1, y1, x2, y2)))
        return sorted(found, key=lambda d: (-d.confidence, d.bbox_xyxy_px))


def load_model(weights: Path) -> Any:
    """Ultralytics' model, on the CPU. Raises `WeightsError`, also for weights without boxes."""
    check_weights(weights)
    with contextlib.redirect_stdout(io.StringIO()):
        ultralytics = importlib.import_module("ultralytics")
    if ultralytics.settings["sync"]:
        ultralytics.settings.update(sync=False)
    try:
        model = ultralytics.YOLO(str(weights), verbose=False)
    except Exception as error:  # noqa: BLE001  a damaged file fails in as many ways as it has bytes
        reason = " ".join(str(error).split())[:120]
        raise WeightsError(
            f"{weights} cannot be loaded as YOLO weights ({type(error).__name__}: {reason}); "
            "fetch it again, or give another file"
        ) from None
    if model.task not in TASKS_WITH_BOXES:
        raise WeightsError(
            f"{weights} is made to {model.task} and finds no boxes: give weights for detection"
        )
    return model
