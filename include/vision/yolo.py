"""YOLO through Ultralytics and PyTorch."""

import contextlib
import importlib
import io
import zipfile
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from vision.boxes import Image, RawDetection
from vision.environment import usable_cpus
from vision.errors import SettingsError, WeightsError

DEFAULT_CONFIDENCE = 0.35
DEFAULT_IMAGE_SIZE_PX = 640
"""What the published weights were trained on."""

MAX_OVERLAP = 0.7
"""Two boxes of one class that overlap more are one object (Ultralytics' own default)."""

TASKS_WITH_BOXES = ("detect", "segment", "pose")


class YoloDetector:
    """Objects of the wanted classes by a YOLO model; the name is the weights' stem."""

    def __init__(
        self,
        weights: Path,
        classes: tuple[str, ...],
        confidence: float,
        longer_side_px: int,
        threads: int | None,
    ) -> None:
        """Load the model. Raises `WeightsError`, or `SettingsError` for a class it lacks."""
        self._model = _load(weights)
        self.name = weights.stem
        names: dict[int, str] = self._model.names
        self._class_names = names
        self._options: dict[str, Any] = {
            "classes": class_numbers(classes, names),
            "conf": confidence,
            "iou": MAX_OVERLAP,
            "imgsz": longer_side_px,
            "verbose": False,
            "save": False,
        }
        # the first prediction also prepares the model: here it does not count as a slow frame
        self.detect(np.zeros((longer_side_px, longer_side_px, 3), dtype=np.uint8))
        # not before: that first prediction sets one thread less than there are CPUs
        importlib.import_module("torch").set_num_threads(threads or usable_cpus())

    def detect(self, image: Image) -> list[RawDetection]:
        """The objects, the surest first."""
        boxes = self._model.predict(image, **self._options)[0].boxes.cpu().numpy()
        found = []
        for (x1, y1, x2, y2), confidence, number in zip(
            boxes.xyxy.tolist(), boxes.conf.tolist(), boxes.cls.tolist(), strict=True
        ):
            name = self._class_names[int(number)]
            found.append(RawDetection(name, confidence, (x1, y1, x2, y2)))
        return sorted(found, key=lambda d: (-d.confidence, d.bbox_xyxy_px))


def class_numbers(wanted: tuple[str, ...], names: dict[int, str]) -> list[int]:
    """The model's numbers of the wanted names; raises `SettingsError` that lists close names."""
    numbers = {name: number for number, name in names.items()}
    for name in wanted:
        if name not in numbers:
            close = get_close_matches(name, numbers, n=5) or list(numbers)[:5]
            raise SettingsError(
                f"--classes: the weights know no {name!r}; close to it: {', '.join(close)}"
            )
    return [numbers[name] for name in wanted]


def _load(weights: Path) -> Any:
    _check_file(weights)
    with contextlib.redirect_stdout(io.StringIO()):
        ultralytics = importlib.import_module("ultralytics")
    torch = importlib.import_module("torch")
    if ultralytics.settings["sync"]:
        ultralytics.settings.update(sync=False)
    try:
        model = ultralytics.YOLO(str(weights), verbose=False)
        model.to("cuda:0" if torch.cuda.is_available() else "cpu")
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


def _check_file(weights: Path) -> None:
    """What is plainly no weights file, told before seconds are spent on importing PyTorch."""
    try:
        with weights.open("rb") as file:
            beginning = file.read(4)
        is_whole = not beginning.startswith(b"PK") or zipfile.is_zipfile(weights)
    except OSError as error:
        raise WeightsError(f"cannot read {weights}: {error.strerror}") from None
    if not beginning:
        raise WeightsError(f"{weights} is empty (0 bytes): fetch it again")
    # PyTorch writes zip archives, and wrote pickles before 1.6
    if not beginning.startswith((b"PK", b"\x80")):
        raise WeightsError(f"{weights} holds no PyTorch weights: give a YOLO weights file (.pt)")
    if not is_whole:
        raise WeightsError(f"{weights} is cut off or damaged: delete it and fetch it again")
