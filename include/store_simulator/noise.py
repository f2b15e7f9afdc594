"""The dials of one camera. Each has a generator of its own, and each event goes to the record.

In the order in which things happen to a frame: the camera drops it or not, the detector misses
people and sees some who are not there, the tracker gives new ids, the sender garbles messages,
and the network holds them back or sends them twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from frame_contract import Reason
from store_simulator import damage
from store_simulator.kinds import KINDS, Kind, has, mark
from store_simulator.messages import REASONS, USABLE, Messages
from store_simulator.scenario import Camera, Noise
from store_simulator.seeds import generator

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NOBODY = -1
FALSE_BOX_PX = (20, 120)
"""Least and greatest side of a box where nobody is; smaller where the image is."""


class Event(NamedTuple):
    """Events of one kind, an entry each."""

    kind: Kind
    frame_index: Ints
    capture_ms: Ints
    shopper: Ints
    """Number in the store, or `NOBODY`."""
    track_id: Ints
    """0: none."""
    detail: Sequence[str]


@dataclass(slots=True)
class Record:
    """All events of a camera since they were last taken."""

    events: list[Event] = field(default_factory=list)

    def add(
        self,
        kind: Kind,
        frame_index: Ints,
        capture_ms: Ints,
        *,
        shopper: Ints | None = None,
        track_id: Ints | None = None,
        detail: Sequence[str] | None = None,
    ) -> None:
        """Note some; none is fine."""
        count = len(frame_index)
        if count:
            self.events.append(
                Event(
                    kind,
                    frame_index,
                    capture_ms,
                    np.full(count, NOBODY) if shopper is None else shopper,
                    np.zeros(count, dtype=np.int64) if track_id is None else track_id,
                    [""] * count if detail is None else detail,
                )
            )

    def take(self) -> list[Event]:
        """What was noted; it is forgotten here."""
        events, self.events = self.events, []
        return events


class CameraNoise:
    """Draws for one camera; calls come in the order of its frames."""

    def __init__(self, noise: Noise, seed: int, store_id: str, camera: Camera) -> None:
        self._noise, self._camera = noise, camera
        names = ("store", store_id, "camera", camera.id)
        self._random = {kind: generator(seed, *names, kind) for kind in KINDS}
        # apart, so that a piece's draws of either kind go on where those of the last one ended
        self._how = {kind: generator(seed, *names, kind, "how") for kind in KINDS}
        self.record = Record()
        limit_ms = round(noise.clock_skew_seconds * 1000)
        self.skew_ms = int(self._random[Kind.CLOCK_SKEW].integers(-limit_ms, limit_ms + 1))
        """What the camera's clock shows too much."""

    def drops(self, frames: int) -> Bools:
        """Which frames are never looked at."""
        return self._hits(Kind.DROPPED_FRAME, self._noise.dropped_frames, frames)

    def misses(self, detections: int) -> Bools:
        """Which detections are not made."""
        return self._hits(Kind.MISSED_BOX, self._noise.missed_boxes, detections)

    def switches(self, detections: int, frames_per_second: float) -> Bools | None:
        """Where a track id may change; None: nowhere."""
        share = min(1.0, self._noise.id_switches_per_minute / (60 * frames_per_second))
        return self._hits(Kind.ID_SWITCH, share, detections) if share else None

    def false_boxes(self, frames: int) -> tuple[Ints, Ints]:
        """How many each frame has, and the boxes `(n, 4)`."""
        if not self._noise.false_boxes:
            return np.zeros(frames, dtype=np.int64), np.zeros((0, 4), dtype=np.int64)
        counts = self._random[Kind.FALSE_BOX].poisson(self._noise.false_boxes, frames)
        draws = self._how[Kind.FALSE_BOX].random((int(counts.sum()), 4)).T
        sides = []
        for length, size_draw, start_draw in (
            (self._camera.width, draws[0], draws[1]),
            (self._camera.height, draws[2], draws[3]),
        ):
            least, most = (min(side, length) for side in FALSE_BOX_PX)
            size = least + (size_draw * (most - least + 1)).astype(np.int64)
            start = (start_draw * (length - size + 1)).astype(np.int64)
            sides.append((start, start + size))
        (x1, x2), (y1, y2) = sides
        return counts, np.stack([x1, y1, x2, y2], axis=1)

    def garble(self, messages: Messages) -> None:
        """Change messages in place: older, partly or wholly unusable."""
        noise = self._noise
        for place in self._places(Kind.FIRST_GENERATION, noise.first_generation, messages):
            messages.payloads[place] = damage.without_generation(messages.payloads[place])
        self._note(messages, Kind.FIRST_GENERATION)

        details: list[str] = []
        random = self._how[Kind.PARTIAL]
        for place in self._places(Kind.PARTIAL, noise.partial, messages):
            payload, added, reason = damage.partial(messages.payloads[place], random)
            messages.payloads[place] = payload
            messages.detections[place] += added
            messages.rejected[place] = 1
            details.append(reason)
        self._note(messages, Kind.PARTIAL, details)

        ways: tuple[tuple[Kind, float, _Damage], ...] = (
            (Kind.MALFORMED, noise.malformed, damage.malformed),
            (Kind.OVERSIZE, noise.oversize, damage.oversize),
            (Kind.OTHER_ENCODING, noise.other_encodings, damage.other_encoding),
            (Kind.PICTURE, noise.pictures, damage.picture),
        )
        for kind, share, change in ways:
            # one of the four at most: what is cut off has no encoding any more
            is_whole = messages.reasons == USABLE
            hits = np.flatnonzero(self._hits(kind, share, len(messages)) & is_whole)
            mark(messages.kinds, hits, kind)
            messages.detections[hits] = messages.rejected[hits] = 0
            details = []
            for place in hits.tolist():
                payload, why, detail = change(messages.payloads[place], self._how[kind])
                messages.payloads[place] = payload
                messages.reasons[place] = REASONS.index(why)
                details.append(f"{why}: {detail}")
            self._note(messages, kind, details)

    def hold_back_and_repeat(self, messages: Messages) -> Messages:
        """The messages with later times of sending, and those behind them that are sent again."""
        noise, count = self._noise, len(messages)
        is_late = self._hits(Kind.LATE, noise.late, count)
        is_held = self._hits(Kind.OUT_OF_ORDER, noise.out_of_order, count) & ~is_late
        for kind, which, seconds in (
            (Kind.LATE, is_late, (noise.late_from_seconds, noise.late_to_seconds)),
            (Kind.OUT_OF_ORDER, is_held, (0.0, noise.out_of_order_seconds)),
        ):
            places = np.flatnonzero(which)
            delays_ms = _delays_ms(self._how[kind], seconds, len(places))
            messages.sent_ms[places] += delays_ms
            mark(messages.kinds, places, kind)
            self._note(messages, kind, _seconds_late(delays_ms))
        places = np.flatnonzero(self._hits(Kind.DUPLICATE, noise.duplicates, count))
        if not len(places):
            return messages
        again = messages.pick(places)
        delays_ms = _delays_ms(
            self._how[Kind.DUPLICATE], (0.0, noise.duplicate_seconds), len(places)
        )
        again.sent_ms += delays_ms
        again.kinds |= Kind.DUPLICATE.bit
        self._note(again, Kind.DUPLICATE, _seconds_late(delays_ms))
        return messages.then(again)

    def _hits(self, kind: Kind, share: float, count: int) -> Bools:
        if not share or not count:
            return np.zeros(count, dtype=bool)
        return self._random[kind].random(count) < share

    def _places(self, kind: Kind, share: float, messages: Messages) -> list[int]:
        places = np.flatnonzero(self._hits(kind, share, len(messages)))
        mark(messages.kinds, places, kind)
        return places.tolist()

    def _note(self, messages: Messages, kind: Kind, details: Sequence[str] | None = None) -> None:
        which = has(messages.kinds, kind)
        self.record.add(
            kind, messages.frame_index[which], messages.capture_ms[which], detail=details
        )


_Damage = Callable[[bytes, np.random.Generator], tuple[bytes, Reason, str]]


def _delays_ms(random: np.random.Generator, seconds: tuple[float, float], count: int) -> Ints:
    """At least a millisecond each."""
    low, high = (round(each * 1000) for each in seconds)
    return random.integers(max(1, low), max(1, low, high) + 1, count)


def _seconds_late(delays_ms: Ints) -> list[str]:
    return [f"{delay / 1000:.3f} s" for delay in delays_ms.tolist()]
