"""What every detector can do, and the choice among them."""

from typing import Protocol

from vision.boxes import Image, RawDetection


class Detector(Protocol):
    """Finds objects of the wanted classes in one image at a time."""

    @property
    def name(self) -> str:
        """What `model.detector` of every line says."""

    def detect(self, image: Image) -> list[RawDetection]:
        """The objects, the surest first; the same image gives the same list."""
