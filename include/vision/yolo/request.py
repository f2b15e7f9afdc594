"""What a YOLO detector is told, whatever computes it, and the names that its weights know."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from vision.errors import SettingsError

DEFAULT_CONFIDENCE = 0.35
DEFAULT_IMAGE_SIZE_PX = 640
"""What the published weights were trained on."""

MAX_OVERLAP = 0.7
"""Two boxes of one class that overlap more are one object (Ultralytics' own default)."""

MAX_OBJECTS = 300
"""The most that one image yields (Ultralytics' own default)."""


@dataclass(frozen=True, kw_only=True)
class YoloRequest:
    """One YOLO detector."""

    weights: Path
    """A `.pt` file."""

    classes: tuple[str, ...]
    """Names as the weights know them."""

    confidence: float
    """Boxes that are no surer are left out, 0 to 1."""

    longer_side_px: int
    """Images are scaled so that their longer side has this many pixels."""

    threads: int
    """Threads that compute, in all."""


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
