"""Track ids of one run: one id for a person while seen, a new one after a gap."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_NEVER_MS = -(2**62)


class TrackTable(NamedTuple):
    """One row a track, `track_id` counting from 1."""

    track_id: Ints
    shopper: Ints
    first_ms: Ints
    last_ms: Ints
    frames: Ints


class Tracker:
    """Hands out ids in the order in which people first show; fed in pieces, in order of time."""

    def __init__(self, people: int, max_gap_ms: int) -> None:
        self._max_gap_ms = max_gap_ms
        self._last_ms = np.full(people, _NEVER_MS, dtype=np.int64)
        self._id = np.zeros(people, dtype=np.int64)
        self._count = 0
        self._pieces: list[TrackTable] = []

    def assign(
        self, time_ms: Ints, person: Ints, switches: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """The ids of detections that are sorted by (time, person), and which switches took place.

        Where `switches` is set, a person whose track would have gone on gets a new id.
        """
        if not len(person):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
        order = np.argsort(person, kind="stable")
        who, when = person[order], time_ms[order]
        begins = np.ones(len(who), dtype=bool)
        begins[1:] = who[1:] != who[:-1]
        before_ms = np.empty_like(when)
        before_ms[1:] = when[:-1]
        before_ms[begins] = self._last_ms[who[begins]]
        is_new = when - before_ms > self._max_gap_ms
        switched = np.zeros(len(who), dtype=bool)
        if switches is not None:
            switched = switches[order] & ~is_new
            is_new |= switched

        new_at = np.sort(order[is_new])
        ids_by_place = np.zeros(len(who), dtype=np.int64)
        ids_by_place[new_at] = self._count + 1 + np.arange(len(new_at))
        self._count += len(new_at)
        ids = np.where(is_new, ids_by_place[order], self._id[who])
        known = np.where(is_new | begins, np.arange(len(who)), 0)
        ids = ids[np.maximum.accumulate(known)]

        ends = np.append(begins[1:], True)
        self._last_ms[who[ends]], self._id[who[ends]] = when[ends], ids[ends]
        self._note(ids, who, when)
        result, took_place = np.empty_like(ids), np.empty_like(switched)
        result[order], took_place[order] = ids, switched
        return result, took_place

    def _note(self, ids: Ints, who: Ints, when: Ints) -> None:
        """One row a track of this piece: in a person's rows, ids stand together."""
        first = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
        last = np.append(first[1:], len(ids)) - 1
        self._pieces.append(
            TrackTable(ids[first], who[first], when[first], when[last], last - first + 1)
        )

    def table(self) -> TrackTable:
        """All tracks so far."""
        if not self._pieces:
            return TrackTable(*(np.zeros(0, dtype=np.int64) for _ in TrackTable._fields))
        columns = [np.concatenate(parts) for parts in zip(*self._pieces, strict=True)]
        pieces = TrackTable(*columns)
        order = np.argsort(pieces.track_id, kind="stable")  # pieces are in order of time
        ids = pieces.track_id[order]
        first = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
        last = np.append(first[1:], len(ids)) - 1
        return TrackTable(
            ids[first],
            pieces.shopper[order][first],
            pieces.first_ms[order][first],
            pieces.last_ms[order][last],
            np.add.reduceat(pieces.frames[order], first),
        )
