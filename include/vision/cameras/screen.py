"""Stderr, shared by the cameras: whole lines, each with its camera's name before it."""

import contextlib
import sys
import threading


class Screen:
    """Writes lines of several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, text: str, camera: str | None = None) -> None:
        """One line; of a camera or, without a name, of all."""
        line = text if camera is None else f"{camera} | {text}"
        # whoever read it may be gone: the cameras go on
        with self._lock, contextlib.suppress(OSError):
            print(line, file=sys.stderr, flush=True)
