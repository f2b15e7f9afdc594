"""What every detector can do."""

from collections.abc import Sequence
from typing import Protocol

from vision.boxes import Image, RawDetection
from vision.errors import DetectorError, VisionError, one_line


class Detector(Protocol):
    """Finds objects of the wanted classes in images of one size."""

    @property
    def name(self) -> str:
        """What `model.detector` of every line says: the weights' stem, `hog`, a plug-in's name."""

    @property
    def backend(self) -> str:
        """What computes: `torch`, `openvino`, `onnx`, `opencv`, or what a plug-in says."""

    @property
    def concurrency(self) -> int:
        """How many threads may call `detect` at once to some use; 1: no two may."""

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        """The objects of each image, the surest first; the same images give the same lists."""


class GuardedDetector:
    """A detector of which whatever goes wrong is a `DetectorError`, whoever wrote it."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @property
    def name(self) -> str:
        """As `Detector` says."""
        return self._detector.name

    @property
    def backend(self) -> str:
        """As `Detector` says."""
        return self._detector.backend

    @property
    def concurrency(self) -> int:
        """As `Detector` says."""
        return self._detector.concurrency

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        """As `Detector` says. Raises `DetectorError`."""
        try:
            return self._detector.detect(images)
        except DetectorError:
            raise
        except VisionError as error:
            raise DetectorError(str(error)) from error
        except Exception as error:
            height, width = images[0].shape[:2] if images else (0, 0)
            raise DetectorError(
                f"{self.name} by {self.backend} failed on {len(images)} images of {width}x{height} "
                f"({one_line(error)}): try a smaller --batch, another --backend or another "
                "--detector"
            ) from error
