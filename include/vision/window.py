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

from vision.boxes import Image, SeenObject
from vision.drawing import draw_banner, draw_box, track_colour
from vision.errors import DisplayError

TITLE = "retail-video-analytics"
STOP_KEYS = {ord("q"), ord("Q"), 27}
FRAMES_IN_RATE = 30

_OPENS_A_WINDOW = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_TIMEOUT_SECONDS = 30


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
        cv2.imshow(self._title, draw_live_frame(image, objects, track_ids, self._rate()))
        key = cv2.waitKey(1) & 0xFF
        is_open = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        return is_open and key not in STOP_KEYS

    def _rate(self) -> float | None:
        if len(self._moments) < 2:
            return None
        return (len(self._moments) - 1) / max(self._moments[-1] - self._moments[0], 1e-9)


def draw_live_frame(
    image: Image,
    objects: Sequence[SeenObject],
    track_ids: Sequence[int | None],
    frames_per_second: float | None,
) -> Image:
    """A copy of the frame with a box and `person 5` for each object, and the rate in a corner."""
    drawn = image.copy()
    for seen, track_id in zip(objects, track_ids, strict=True):
        label = seen.class_name if track_id is None else f"{seen.class_name} {track_id}"
        draw_box(drawn, seen.box, track_colour(track_id), f"{label} {seen.confidence:.2f}")
    rate = "" if frames_per_second is None else f"  {frames_per_second:.1f} frames/s"
    draw_banner(drawn, f"{len(objects)} seen{rate}  q: stop")
    return drawn
