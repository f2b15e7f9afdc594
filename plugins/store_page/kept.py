"""Answers that are kept for a few seconds, and made once for all who ask at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar

from cachetools import TTLCache

A = TypeVar("A")


class Kept(Generic[A]):
    """Answers by key.

    :param seconds: how long one is kept
    :param most: what all of them together may weigh; what is heavier alone is not kept
    :param weight: of one answer
    """

    def __init__(self, seconds: float, most: int, weight: Callable[[A], int]) -> None:
        self._answers: TTLCache[Hashable, A] = TTLCache(most, seconds, getsizeof=weight)
        self._making: dict[Hashable, Future[A]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], A]) -> A:
        """Return the answer; who asks while it is being made shares it, its failure too."""
        with self._lock:
            if (found := self._answers.get(key)) is not None:
                return found
            others = self._making.get(key)
            if others is None:
                mine = self._making[key] = Future()
        if others is not None:
            return others.result()
        try:
            answer = make()
        except BaseException as error:
            self._done(key)
            mine.set_exception(error)
            raise
        with self._lock, suppress(ValueError):
            # too heavy to be kept
            self._answers[key] = answer
        self._done(key)
        mine.set_result(answer)
        return answer

    def _done(self, key: Hashable) -> None:
        with self._lock:
            del self._making[key]
