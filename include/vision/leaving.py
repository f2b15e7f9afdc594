"""How a process of vision ends."""

import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

CAMERA_THREAD = "camera"
"""The name of threads that read a camera, which may block in it for as long as it says nothing."""


def leave(code: int) -> NoReturn:
    """End the process with this exit code; also when a thread still waits for a silent camera.

    Python's orderly end would abort the process (134) if the camera's read came back during it,
    since the thread would be torn down inside OpenCV. Everything is written by then.
    """
    if any(thread.name == CAMERA_THREAD for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def when_stdin_ends(act: Callable[[], None]) -> None:
    """Act, in a thread, once stdin ends: whoever started this process and held it open is gone."""

    def wait() -> None:
        # not by Python's buffer: a thread that waits in it breaks the way out
        while os.read(0, 4096):
            pass
        act()

    threading.Thread(target=wait, name="stdin", daemon=True).start()
