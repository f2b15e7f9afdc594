"""All cameras of a store, side by side: started, shown, stopped together."""

import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType

from vision.cameras.camera import Camera
from vision.cameras.process import CameraProcess
from vision.cameras.screen import Screen
from vision.progress import SECONDS_BETWEEN_LINES

STOP_SECONDS = 90.0
"""How long the processes may take to end when they are asked to: longer than a broker that is
away is waited for. After that they are killed, and leave their partial files."""
LOOK_SECONDS = 0.2


class Fleet:
    """The cameras' processes. `run` must be called by the main thread, which gets the signals.

    :param seconds: stop all after so long; None: when they end
    """

    def __init__(self, cameras: Sequence[Camera], *, seconds: float | None = None) -> None:
        self.signal_number: int | None = None
        self._seconds = seconds
        self._screen = Screen()
        self.processes = [CameraProcess(camera, self._screen) for camera in cameras]
        self._is_impatient = False

    def run(self) -> None:
        """Until every camera has ended, or a signal came or the time is up and all have stopped."""
        before = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        watchers = [
            threading.Thread(target=process.watch, name=process.camera.name)
            for process in self.processes
        ]
        try:
            for watcher in watchers:
                watcher.start()
            self._wait_for(watchers)
        finally:
            for process in self.processes:
                process.kill()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wait_for(self, watchers: Sequence[threading.Thread]) -> None:
        shown = _Progress(self.processes)
        began = time.monotonic()
        next_line_at = began + SECONDS_BETWEEN_LINES
        stopping_since: float | None = None
        while running := [watcher for watcher in watchers if watcher.is_alive()]:
            running[0].join(LOOK_SECONDS)
            now = time.monotonic()
            is_over = self._seconds is not None and now - began >= self._seconds
            if stopping_since is None and (is_over or self.signal_number is not None):
                stopping_since = now
                why = "the time is up: " if self.signal_number is None else ""
                self._screen.say(f"{why}stopping all cameras; once more to stop at once")
                for process in self.processes:
                    process.stop()
            if stopping_since is not None and (
                self._is_impatient or now - stopping_since > STOP_SECONDS
            ):
                for process in self.processes:
                    process.kill()
            if now >= next_line_at:
                next_line_at = now + SECONDS_BETWEEN_LINES
                self._screen.say(shown.line())

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.signal_number is None:
            self.signal_number = number
        else:
            self._is_impatient = True


class _Progress:
    """One line for all cameras."""

    def __init__(self, processes: Sequence[CameraProcess]) -> None:
        self._processes = processes
        self._latest: dict[str, int] = {}
        self._at = time.monotonic()

    def line(self) -> str:
        """`entrance 412 (9.8/s), monday 100 of 795 (12.1/s): 21.9 frames/s`; since the last one."""
        now = time.monotonic()
        seconds = now - self._at
        parts, sum_of_rates = [], 0.0
        for process in self._processes:
            name, frames = process.camera.name, process.frames
            latest = self._latest.get(name, 0)
            # less than before is a process that was started since, and counts from its start
            rate = (frames.done - (latest if frames.done >= latest else 0)) / seconds
            self._latest[name] = frames.done
            of_total = "" if frames.total is None else f" of {frames.total}"
            if process.is_running:
                sum_of_rates += rate
                is_begun = frames.done > 0
                state = f"{frames.done}{of_total} ({rate:.1f}/s)" if is_begun else "starting"
            else:
                state = "ended" if process.has_ended else "waiting"
            parts.append(f"{name} {state}")
        self._at = now
        return f"{', '.join(parts)}: {sum_of_rates:.1f} frames/s"
