"""Track ids: one while seen, a new one after a gap or a switch, the same however it is fed."""

from __future__ import annotations

import numpy as np
import pytest

from store_simulator.tracks import Tracker

GAP_MS = 1000


def ids(
    times: list[int], people: list[int], switches: list[bool] | None = None, pieces: int = 1
) -> list[int]:
    tracker = Tracker(max(people) + 1, GAP_MS)
    found: list[int] = []
    for part in np.array_split(np.arange(len(times)), pieces):
        flags = None if switches is None else np.array(switches)[part]
        assigned, _ = tracker.assign(np.array(times)[part], np.array(people)[part], flags)
        found += assigned.tolist()
    return found


CASES = {
    "one person seen all the time": ([0, 500, 1000], [0, 0, 0], [1, 1, 1]),
    "a gap as long as is allowed": ([0, 1000], [0, 0], [1, 1]),
    "a longer gap": ([0, 1001], [0, 0], [1, 2]),
    "two people, each their own": ([0, 0, 100, 100], [0, 1, 0, 1], [1, 2, 1, 2]),
    "who shows first has the first id": ([0, 100, 100], [3, 1, 3], [1, 2, 1]),
    "one leaves and comes back while the other stays": (
        [0, 0, 900, 1800, 1800],
        [0, 1, 1, 0, 1],
        [1, 2, 2, 3, 2],
    ),
}


@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize(("times", "people", "expected"), CASES.values(), ids=CASES.keys())
def test_ids_follow_people(
    times: list[int], people: list[int], expected: list[int], pieces: int
) -> None:
    assert ids(times, people, pieces=pieces) == expected


def test_switch_gives_a_new_id_from_there_on_to_that_person_only() -> None:
    times, people = [0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]

    found = ids(times, people, [False, False, True, False, False, False], pieces=2)

    assert found == [1, 2, 3, 2, 3, 2]


def test_switch_where_a_track_begins_anyway_is_none() -> None:
    tracker = Tracker(1, GAP_MS)

    found, took_place = tracker.assign(np.array([0]), np.array([0]), np.array([True]))

    assert (found.tolist(), took_place.tolist()) == ([1], [False])


def test_table_says_who_was_seen_from_when_to_when_in_how_many_frames() -> None:
    tracker = Tracker(2, GAP_MS)
    tracker.assign(np.array([0, 0, 100]), np.array([0, 1, 0]))
    tracker.assign(np.array([200, 5000]), np.array([0, 0]))

    table = tracker.table()

    assert table.track_id.tolist() == [1, 2, 3]
    assert table.shopper.tolist() == [0, 1, 0]
    assert table.first_ms.tolist() == [0, 0, 5000]
    assert table.last_ms.tolist() == [200, 0, 5000]
    assert table.frames.tolist() == [3, 1, 1]
