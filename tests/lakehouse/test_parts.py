"""A question in parts: as few as go, all of them, and none but for want of memory."""

from __future__ import annotations

import pytest

from lakehouse.parts import MOST_PARTS, in_parts
from lakehouse.query import QueryFailed


class Trino:
    """Has memory for so many of 100 rows; remembers what it was asked."""

    def __init__(self, memory: int, name: str = "EXCEEDED_LOCAL_MEMORY_LIMIT") -> None:
        self._memory, self._name = memory, name
        self.asked: list[tuple[int, int]] = []

    def ask(self, part: int, parts: int) -> list[int]:
        self.asked.append((part, parts))
        rows = [row for row in range(100) if row % parts == part]
        if len(rows) > self._memory:
            raise QueryFailed("too much", self._name)
        return rows


@pytest.mark.parametrize(("memory", "parts"), [(100, 1), (99, 4), (25, 4), (24, 16), (1, 256)])
def test_whole_is_answered_in_as_few_parts_as_go(memory: int, parts: int) -> None:
    answers = in_parts("rows", Trino(memory).ask)
    assert len(answers) == parts
    assert sorted(row for part in answers for row in part) == list(range(100))


@pytest.mark.parametrize("name", ["EXCEEDED_GLOBAL_MEMORY_LIMIT", "CLUSTER_OUT_OF_MEMORY"])
def test_memory_of_the_whole_cluster_is_memory_too(name: str) -> None:
    assert len(in_parts("rows", Trino(30, name).ask)) == 4


def test_parts_that_do_not_get_smaller_are_given_up() -> None:
    trino = Trino(0)
    with pytest.raises(QueryFailed, match="too much"):
        in_parts("rows", trino.ask)
    assert [parts for _, parts in trino.asked] == [1, 4, 16, 64, MOST_PARTS]


def test_other_failure_is_not_asked_again() -> None:
    trino = Trino(0, "DIVISION_BY_ZERO")
    with pytest.raises(QueryFailed):
        in_parts("rows", trino.ask)
    assert trino.asked == [(0, 1)]
