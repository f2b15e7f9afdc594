"""Reading servers' logs: the last lines, and those to come."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

LOOK_AGAIN_SECONDS = 0.3


def tail(path: Path, count: int) -> list[str]:
    """The last lines of a file; empty when there is none."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", errors="replace") as lines:
        return [line.rstrip("\n") for line in deque(lines, maxlen=count)]


def follow(path: Path) -> Iterator[str]:
    """Lines that are added to a file from now on; goes on in the new file after a rotation."""
    handle = path.open(encoding="utf-8", errors="replace")
    handle.seek(0, os.SEEK_END)
    while True:
        if line := handle.readline():
            yield line
            continue
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino != os.fstat(handle.fileno()).st_ino:
                yield from handle
                handle.close()
                handle = path.open(encoding="utf-8", errors="replace")
                continue
        time.sleep(LOOK_AGAIN_SECONDS)
