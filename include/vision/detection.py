"""What every detector can do."""

from collections.abc import Sequence
from typing import Protocol

from vision.boxes import Image, RawDetection


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
