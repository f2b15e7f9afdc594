"""How far it is: a bar in a terminal, a line every few seconds elsewhere; all on stderr."""

import importlib
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

SECONDS_BETWEEN_LINES = 5.0

listener: Callable[[int, int | None], None] | None = None
"""Told how many of how many frames are done, in place of bars and lines: in one camera's process
of several, which together show one line."""


def warn(text: str) -> None:
    """Say it on stderr, above a bar if there is one."""
    importlib.import_module("tqdm").tqdm.write(f"warning: {text}", file=sys.stderr)
    sys.stderr.flush()


class Progress:
    """Counts frames, or whatever `unit` names."""

    def __init__(self, total: int | None, unit: str = "frames") -> None:
        self.done = 0
        self._total = total
        self._unit = unit
        self._began = self._latest_line = time.monotonic()
        self._bar: Any = None
        self._listener = listener if unit == "frames" else None
        if listener is None and sys.stderr.isatty():
            tqdm = importlib.import_module("tqdm").tqdm
            self._bar = tqdm(total=total, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def advance(self) -> None:
        """One more."""
        self.done += 1
        if self._listener is not None:
            self._listener(self.done, self._total)
            return
        if self._bar is not None:
            self._bar.update()
            return
        now = time.monotonic()
        if now - self._latest_line >= SECONDS_BETWEEN_LINES:
            self._latest_line = now
            line = progress_line(self.done, self._total, self.seconds, self._unit)
            print(line, file=sys.stderr, flush=True)


def progress_line(done: int, total: int | None, seconds: float, unit: str = "frames") -> str:
    """`412 of 1394 frames, 9.8 frames/s, 1:40 left`."""
    rate = done / seconds if seconds > 0 else 0.0
    if total is None:
        return f"{done} {unit}, {rate:.1f} {unit}/s"
    text = f"{done} of {total} {unit}, {rate:.1f} {unit}/s"
    if rate > 0 and done <= total:
        minutes, rest = divmod(round((total - done) / rate), 60)
        text += f", {minutes}:{rest:02d} left"
    return text
