"""Where each track's feet were in the last seconds."""

from collections import deque
from collections.abc import Iterator

from frame_contract import Frame

Step = tuple[float, float, float]
"""Seconds, x and y in pixels of the frame."""


class Trails:
    """Remembers the way of each track for some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._steps: dict[int, deque[Step]] = {}

    def add(self, frame: Frame, now: float) -> None:
        """Take in a frame that was captured at `now` seconds; moments must not go back."""
        if not self._seconds:
            return
        for detection in frame.detections:
            if detection.track_id is not None:
                box = detection.bbox
                step = (now, (box.x1 + box.x2) / 2, box.y2)
                self._steps.setdefault(detection.track_id, deque()).append(step)
        for track_id, steps in list(self._steps.items()):
            while steps and steps[0][0] < now - self._seconds:
                steps.popleft()
            if not steps:
                del self._steps[track_id]

    def at(self, now: float) -> Iterator[tuple[int, list[tuple[float, float]], list[float]]]:
        """For each track its points, the oldest first, and how strong each is: 1 now, 0 gone."""
        for track_id, steps in self._steps.items():
            strengths = [1 - (now - moment) / self._seconds for moment, _, _ in steps]
            yield track_id, [(x, y) for _, x, y in steps], strengths
