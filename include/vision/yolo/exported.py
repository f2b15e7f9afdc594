"""YOLO models without PyTorch: each image is computed by one thread, several images at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Protocol

from vision.boxes import Image, RawDetection
from vision.yolo.exports import Export
from vision.yolo.letterbox import Canvas
from vision.yolo.outputs import Floats, Selection
from vision.yolo.request import YoloRequest, class_numbers


class Runner(Protocol):
    """Computes one image at a time."""

    @property
    def canvas(self) -> Canvas:
        """Where the image is put."""

    def run(self, selection: Selection) -> Floats:
        """What the model says of the canvas: `places` as `Selection.objects` takes them."""


class ExportedDetector:
    """Objects of the wanted classes by an exported model; the name is the weights' stem.

    The images of a call are computed one after the other, since a CPU gains nothing from batches
    (25.9 ms an image in fours, 25.8 alone): instead `concurrency` threads may call at once.
    """

    def __init__(
        self, backend: str, request: YoloRequest, export: Export, runners: Sequence[Runner]
    ) -> None:
        """Raises `SettingsError` for a class that the weights lack."""
        self.name = request.weights.stem
        self.backend = backend
        self.concurrency = len(runners)
        numbers = class_numbers(request.classes, export.names)
        self._selection = Selection(numbers, export.names, request.confidence)
        self._free: SimpleQueue[Runner] = SimpleQueue()
        for runner in runners:
            # the first run also prepares: here it does not count as a slow frame
            runner.run(self._selection)
            self._free.put(runner)

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        """The objects of each image, the surest first."""
        return [self._objects(image) for image in images]

    def _objects(self, image: Image) -> list[RawDetection]:
        with self._taken() as runner:
            placement = runner.canvas.show(image)
            places = runner.run(self._selection)
        return self._selection.objects(places, placement)

    @contextmanager
    def _taken(self) -> Iterator[Runner]:
        """One that nobody else uses; waits for it where more threads call than there are."""
        runner = self._free.get()
        try:
            yield runner
        finally:
            self._free.put(runner)
