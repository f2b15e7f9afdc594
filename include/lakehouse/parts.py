"""A question that needs more memory than Trino may use, asked in parts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from lakehouse.query import QueryFailed

MOST_PARTS = 256
"""More would say that the parts do not get smaller."""
_TIMES = 4
T = TypeVar("T")
log = logging.getLogger(__name__)


def in_parts(name: str, ask: Callable[[int, int], T]) -> tuple[T, ...]:
    """Return the answers of `ask(part, parts)` for each part from 0, in as few parts as go.

    The first attempt is the whole. Where Trino says that a part takes too much memory, all is asked
    again in four times as many. `ask` must leave nothing out and count nothing twice.

    :param name: what is asked, for the log
    :raises QueryFailed: it fails otherwise, or `MOST_PARTS` are too few.
    """
    parts = 1
    while True:
        try:
            return tuple(_told(name, ask, part, parts) for part in range(parts))
        except QueryFailed as error:
            if not error.is_out_of_memory or parts == MOST_PARTS:
                raise
            parts *= _TIMES
            log.info("%s takes more memory than Trino may use: asked in %d parts", name, parts)


def _told(name: str, ask: Callable[[int, int], T], part: int, parts: int) -> T:
    answer = ask(part, parts)
    if parts > 1:
        log.info("%s: part %d of %d", name, part + 1, parts)
    return answer
