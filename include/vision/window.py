"""The live window: boxes, ids and rate over the picture; q or ESC or closing it stops."""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from vision.boxes import Image, SeenObject
from vision.errors import DisplayError

TITLE = "retail-video-analytics"
STOP_KEYS = {ord("q"), ord("Q"), 27}
FRAMES_IN_RATE = 30

_OPENS_A_WINDOW = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_TIMEOUT_SECONDS = 30

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_UNTRACKED_COLOUR = (160, 160, 160)


def check_display() -> None:
    """Raises `DisplayError` where no window can open: the window library would abort us."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise DisplayError("--show needs a screen, and DISPLAY is not set: leave --show out")
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _OPENS_A_WINDOW],
            capture_output=True,
            timeout=_PROBE_TIMEOUT_SECONDS,
            check=False,
        )
        fine = probe.returncode == 0
    except subprocess.TimeoutExpired:
        fine = False
    if not fine:
        display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        raise DisplayError(f"--show cannot open a window on display {display}: leave --show out")


class LiveWindow:
    """A window on the frames as they are seen."""

    def __init__(self, title: str) -> None:
        self._moments: deque[float] = deque(maxlen=FRAMES_IN_RATE)
        self._title = f"{TITLE}: {title}"
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        self._is_sized = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cv2.destroyAllWindows()

    def show(
        self, image: Image, objects: Sequence[SeenObject], track_ids: Sequence[int | None]
    ) -> bool:
        """Show one frame; whether to go on (no stop key, window still open)."""
        self._moments.append(time.monotonic())
        if not self._is_sized:
            cv2.resizeWindow(self._title, image.shape[1], image.shape[0])
            self._is_sized = True
        cv2.imshow(self._title, annotate(image, objects, track_ids, self._rate()))
        key = cv2.waitKey(1) & 0xFF
        is_open = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        return is_open and key not in STOP_KEYS

    def _rate(self) -> float | None:
        if len(self._moments) < 2:
            return None
        return (len(self._moments) - 1) / max(self._moments[-1] - self._moments[0], 1e-9)


def annotate(
    image: Image,
    objects: Sequence[SeenObject],
    track_ids: Sequence[int | None],
    frames_per_second: float | None,
) -> Image:
    """A copy of the frame with a box and `person 5` for each object, and the rate in a corner."""
    drawn = image.copy()
    for seen, track_id in zip(objects, track_ids, strict=True):
        colour = _colour(track_id)
        label = seen.class_name if track_id is None else f"{seen.class_name} {track_id}"
        cv2.rectangle(drawn, seen.box[:2], seen.box[2:], colour, 2)
        _write(drawn, f"{label} {seen.confidence:.2f}", (seen.box.x1, seen.box.y1), colour)
    people = f"{len(objects)} seen"
    rate = "" if frames_per_second is None else f"  {frames_per_second:.1f} frames/s"
    _write(drawn, f"{people}{rate}  q: stop", (4, 20), (40, 40, 40))
    return drawn


def _write(
    image: Image, text: str, left_bottom: tuple[int, int], background: tuple[int, ...]
) -> None:
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.5, 1)
    x = min(max(left_bottom[0], 0), max(image.shape[1] - width - 4, 0))
    y = max(left_bottom[1], height + 6)
    cv2.rectangle(image, (x, y - height - 6), (x + width + 4, y), background, cv2.FILLED)
    cv2.putText(image, text, (x + 2, y - 4), _FONT, 0.5, (255, 255, 255), 1, cv2.LINE_AA)


def _colour(track_id: int | None) -> tuple[int, int, int]:
    """The same for the same id, unlike for ids that follow each other."""
    if track_id is None:
        return _UNTRACKED_COLOUR
    hue = track_id * 67 % 180
    hsv = np.array([[[hue, 200, 190]]], dtype=np.uint8)
    blue, green, red = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red
