"""Progress: a bar in a terminal, a log line every few seconds elsewhere."""

import logging
import sys
import time
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

LOG_EVERY_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Progress:
    """Counts what is done of `total` (None: not known) and shows it; a context manager."""

    def __init__(self, what: str, total: int | None, unit: str) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.done = 0
        self._bar: Any = None
        self._next_log = time.monotonic() + LOG_EVERY_SECONDS
        if sys.stderr.isatty():
            self._bar = tqdm(total=total, desc=what, unit=f" {unit}", leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, count: int = 1) -> None:
        """Count and, when it is time, show."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() >= self._next_log:
            self._next_log = time.monotonic() + LOG_EVERY_SECONDS
            of_total = f" of {self.total:,}" if self.total is not None else ""
            logger.info("%s: %s%s %s", self.what, f"{self.done:,}", of_total, self.unit)
