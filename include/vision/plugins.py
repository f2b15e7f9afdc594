"""Detectors that other packages bring (docs/detectors.md): found, opened and watched."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from vision.boxes import Image, RawDetection
from vision.detection import Detector
from vision.errors import DetectorError, SettingsError, VisionError, one_line
from vision.settings import DETECTORS

GROUP = "retail_video_analytics.detectors"
"""The group of entry points; the name of one is what `--detector` takes.

Its object is called with a `DetectorRequest` and returns a `vision.detection.Detector`.
"""


@dataclass(frozen=True, kw_only=True)
class DetectorRequest:
    """What a plug-in is told when its detector is opened."""

    weights: str | None
    """`--weights`, as it was given; None: the plug-in's own."""

    classes: tuple[str, ...]
    """Names of what to look for; others are left out of what the plug-in finds."""

    confidence: float | None
    """What is no surer is left out of what the plug-in finds, 0 to 1; None: its own choice."""

    image_size: int | None
    """The longer side, in pixels, that images are to be scaled to; None: the plug-in's own."""

    threads: int
    """Threads that it may compute with, in all."""

    device: str
    """`auto`, `cpu`, `cuda` or `cuda:1`."""

    batch: int
    """The most images that a call brings."""

    frame_size: tuple[int, int]
    """(height, width) of the frames to come, pixels."""


def open_plugin(name: str, request: DetectorRequest) -> Detector:
    """The detector that an installed package gives under this name.

    Raises `SettingsError` for a name that nobody gives, and `DetectorError`.
    """
    found = {point.value: point for point in metadata.entry_points(group=GROUP, name=name)}
    if not found:
        raise SettingsError(
            f"--detector {name}: there is none of this name; there are "
            f"{', '.join([*DETECTORS, *plugin_names()])} (docs/detectors.md says how to add one)"
        )
    if len(found) > 1:
        raise DetectorError(
            f"--detector {name}: two packages give it ({' and '.join(found)}): uninstall one"
        )
    (point,) = found.values()
    who = f"--detector {name} ({point.value})"
    try:
        detector = point.load()(request)
    except VisionError:
        raise
    except Exception as error:  # noqa: BLE001  others' code fails in any way
        raise DetectorError(f"{who} cannot be loaded: {one_line(error)}") from None
    return PluginDetector(detector, request, who)


def plugin_names() -> list[str]:
    """What `--detector` takes besides what is built in."""
    return sorted({point.name for point in metadata.entry_points(group=GROUP)} - {*DETECTORS})


class PluginDetector:
    """Another's detector: what it finds is checked, and only what was asked for is let through."""

    def __init__(self, detector: Any, request: DetectorRequest, who: str) -> None:
        """Raises `DetectorError` for what is no detector; `who` begins each error."""
        self._detector = detector
        self._classes = frozenset(request.classes)
        self._confidence = -1.0 if request.confidence is None else request.confidence
        self._who = who
        self.name = self._text("name")
        self.backend = self._text("backend")
        self.concurrency: int = getattr(detector, "concurrency", 0)
        if not (isinstance(self.concurrency, int) and self.concurrency >= 1):
            raise DetectorError(f"{who} is no detector: its `concurrency` must be 1 or more")
        if not callable(getattr(detector, "detect", None)):
            raise DetectorError(f"{who} is no detector: it has no `detect`")

    def _text(self, attribute: str) -> str:
        value = getattr(self._detector, attribute, None)
        if not (isinstance(value, str) and value.strip() and value.isprintable()):
            raise DetectorError(
                f"{self._who} is no detector: its `{attribute}` must be a short text"
            )
        return value

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        """The objects of each image, the surest first.

        Raises `DetectorError` for what is no answer, and whatever the other raises.
        """
        found = [list(objects) for objects in self._detector.detect(images)]
        if len(found) != len(images):
            raise DetectorError(
                f"{self._who} answered {len(images)} images with {len(found)} lists of objects"
            )
        return [
            sorted(
                (one for one in map(self._checked, objects) if self._is_asked_for(one)),
                key=lambda one: (-one.confidence, one.bbox_xyxy_px),
            )
            for objects in found
        ]

    def _is_asked_for(self, one: RawDetection) -> bool:
        return one.class_name in self._classes and one.confidence > self._confidence

    def _checked(self, one: Any) -> RawDetection:
        """The same in Python's own numbers, which NumPy's are not."""
        try:
            x1, y1, x2, y2 = map(float, one.bbox_xyxy_px)
            confidence = float(one.confidence)
            if not 0 <= confidence <= 1:
                raise ValueError(f"confidence {confidence}")
            return RawDetection(str(one.class_name), confidence, (x1, y1, x2, y2))
        except (AttributeError, TypeError, ValueError) as error:
            raise DetectorError(
                f"{self._who} found something that is no RawDetection: {one_line(error)}"
            ) from None
