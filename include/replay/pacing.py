"""Keeps a rate against the monotonic clock, so that errors of single waits do not add up."""

import time
from collections.abc import Callable


class Pacer:
    """Turn k (from 0) comes k / fps seconds after the first; behind time, it comes at once."""

    def __init__(
        self,
        fps: float,
        wait: Callable[[float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fps, self._wait, self._clock = fps, wait, clock
        self._started = 0.0
        self._turns = 0

    def await_turn(self) -> None:
        """Wait for the next turn; at 0 fps every moment is one."""
        if self._fps == 0:
            return
        now = self._clock()
        if self._turns == 0:
            self._started = now
        early = self._started + self._turns / self._fps - now
        self._turns += 1
        if early > 0:
            self._wait(early)
