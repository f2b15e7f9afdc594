"""One camera of a store from the first frame to the last: messages in the order of sending."""

from collections.abc import Iterator
from datetime import UTC
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from store_simulator.camera import Projection
from store_simulator.kinds import Kind, mark
from store_simulator.lines import NO_TRACK, Frames, LineWriter
from store_simulator.messages import USABLE, Messages
from store_simulator.noise import CameraNoise, Event
from store_simulator.scenario import Camera, Scenario, Store
from store_simulator.seeds import generator
from store_simulator.tracks import Tracker, TrackTable
from store_simulator.world import Shopper

Ints = npt.NDArray[np.int64]

FRAMES_AT_A_TIME = 4096
"""Enough for numpy to be quick, few enough to stop soon and to need some 50 MB."""
CONF_RANGE = (5500, 9900)
"""Of people, in steps of `lines.CONF_STEPS`."""
FALSE_CONF_RANGE = (2500, 6000)
MINUTE_MS = 60_000
WHOM_BITS = 32
"""Of a number that holds a minute and, in its low bits, a shopper or a track."""


class Sightings(NamedTuple):
    """Detections, an entry each, sorted by (frame, shopper)."""

    frame: Ints
    """Place in the piece."""
    shopper: Ints
    boxes: Ints
    conf_steps: Ints


class MinuteTable(NamedTuple):
    """One row a minute in which somebody was in view, in truth."""

    minute_ms: Ints
    people: Ints
    unique_people: Ints
    detections: Ints


class CameraRun:
    """A camera's run; `messages` is to be gone through once, the tables are there after that."""

    def __init__(
        self, scenario: Scenario, store: Store, camera: Camera, people: list[Shopper]
    ) -> None:
        self._scenario, self._people = scenario, people
        self._heights = np.array([person.height_metres for person in people])
        self.store_id, self.camera_id = store.id, camera.id
        self.stream_id = f"stream_{camera.id}"
        started = f"{scenario.start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        # another seed is another capture, of which the broker has nothing yet
        self.run_id = f"{store.id}-{camera.id}-{started}-s{scenario.seed}"
        self._projection = Projection(camera)
        self._noise = CameraNoise(scenario.noise, scenario.seed, store.id, camera)
        self._conf = generator(scenario.seed, "store", store.id, "camera", camera.id, "confidence")
        self._false_conf = generator(
            scenario.seed, "store", store.id, "camera", camera.id, "false confidence"
        )
        gap_ms = round(scenario.track_gap_seconds * 1000)
        self._tracker = Tracker(len(people), gap_ms)
        self._faultless = Tracker(len(people), gap_ms)
        self._writer = LineWriter(
            store.id, camera.id, self.stream_id, self.run_id, camera.width, camera.height
        )
        self._dropped = 0
        self._minutes: list[tuple[Ints, Ints]] = []
        """Minute and shopper, minute and faultless track, in one number; in each piece once."""
        self._detections: dict[int, int] = {}

    def messages(self) -> Iterator[Messages]:
        """All messages, some at a time, in the order in which they are sent."""
        waiting: Messages | None = None
        for first in range(0, self._scenario.frames, FRAMES_AT_A_TIME):
            last = min(first + FRAMES_AT_A_TIME, self._scenario.frames)
            made = self._noise.hold_back_and_repeat(self._make(first, last))
            if waiting is not None:
                made = waiting.then(made)
            if not (np.diff(made.sent_ms) >= 0).all():
                made = made.pick(np.argsort(made.sent_ms, kind="stable"))
            is_end = last == self._scenario.frames
            until_ms = None if is_end else self._offsets_ms(last, last + 1)[0]
            ready = len(made) if until_ms is None else int(np.searchsorted(made.sent_ms, until_ms))
            waiting = made.pick(np.arange(ready, len(made))) if ready < len(made) else None
            yield made.pick(np.arange(ready)) if waiting is not None else made

    def events(self) -> list[Event]:
        """The noise since the last call."""
        return self._noise.record.take()

    def tracks(self) -> TrackTable:
        """What the tracker made of what the detector saw; times by the camera's clock."""
        return self._tracker.table()

    def minutes(self) -> MinuteTable:
        """What there was to be seen, without any noise."""
        if not self._minutes:
            return MinuteTable(*(np.zeros(0, dtype=np.int64) for _ in MinuteTable._fields))
        (minutes, people), (_, unique_people) = (
            np.unique(np.unique(np.concatenate(parts)) >> WHOM_BITS, return_counts=True)
            for parts in zip(*self._minutes, strict=True)
        )
        detections = np.array([self._detections[minute] for minute in minutes.tolist()])
        return MinuteTable(minutes * MINUTE_MS, people, unique_people, detections)

    def _offsets_ms(self, first: int, last: int) -> Ints:
        """When the frames are captured, after the start; cut to milliseconds."""
        rate = self._scenario.rate
        return np.arange(first, last) * (1000 * rate.denominator) // rate.numerator

    def _make(self, first: int, last: int) -> Messages:
        """The frames `first` to `last`, the latter left out, as messages not yet held back."""
        offsets_ms = self._offsets_ms(first, last)
        seen = self._look(offsets_ms)
        self._note_truth(offsets_ms, seen)

        is_dropped = self._noise.drops(last - first)
        kept = np.flatnonzero(~is_dropped)
        indices = np.arange(first, last)
        clock_ms = offsets_ms + self._scenario.start_ms + self._noise.skew_ms
        self._noise.record.add(Kind.DROPPED_FRAME, indices[is_dropped], clock_ms[is_dropped])
        is_missed = self._noise.misses(len(seen.frame))
        is_there = ~is_missed & ~is_dropped[seen.frame]
        is_missed &= ~is_dropped[seen.frame]
        self._noise.record.add(
            Kind.MISSED_BOX,
            indices[seen.frame[is_missed]],
            clock_ms[seen.frame[is_missed]],
            shopper=seen.shopper[is_missed],
        )
        place_of = np.cumsum(~is_dropped) - 1
        found = Sightings(place_of[seen.frame[is_there]], *(part[is_there] for part in seen[1:]))
        frames, kinds = self._track(found, indices[kept], clock_ms[kept])
        frames.dropped_before = self._count_dropped(is_dropped, kept)
        mark(kinds, place_of[np.unique(seen.frame[is_missed])], Kind.MISSED_BOX)
        if self._noise.skew_ms:
            kinds |= Kind.CLOCK_SKEW.bit
        messages = Messages(
            payloads=self._writer.lines(frames),
            sent_ms=offsets_ms[kept],
            frame_index=frames.frame_index,
            capture_ms=frames.capture_ms,
            kinds=kinds,
            detections=frames.counts,
            rejected=np.zeros(len(kept), dtype=np.int64),
            reasons=np.full(len(kept), USABLE),
        )
        if first == 0 and self._noise.skew_ms:
            self._noise.record.add(
                Kind.CLOCK_SKEW,
                indices[:1],
                clock_ms[:1],
                detail=[f"{self._noise.skew_ms / 1000:.3f} s"],
            )
        self._noise.garble(messages)
        return messages

    def _look(self, offsets_ms: Ints) -> Sightings:
        """Who is in view, by the truth."""
        times_ms = offsets_ms + self._scenario.start_ms
        frames, shoppers, xs, ys = [], [], [], []
        for number, person in enumerate(self._people):
            if person.enters_ms > times_ms[-1]:
                break
            if person.leaves_ms < times_ms[0]:
                continue
            begin = int(np.searchsorted(times_ms, person.enters_ms))
            end = int(np.searchsorted(times_ms, person.leaves_ms, side="right"))
            moments = times_ms[begin:end]
            frames.append(np.arange(begin, end))
            shoppers.append(np.full(end - begin, number))
            xs.append(np.interp(moments, person.times_ms, person.xs))
            ys.append(np.interp(moments, person.times_ms, person.ys))
        if not frames:
            none = np.zeros(0, dtype=np.int64)
            return Sightings(none, none, np.zeros((0, 4), dtype=np.int64), none)
        shopper = np.concatenate(shoppers)
        seen = self._projection.see(np.concatenate(xs), np.concatenate(ys), self._heights[shopper])
        frame = np.concatenate(frames)[seen.which]
        order = np.argsort(frame, kind="stable")
        conf_steps = self._conf.integers(*CONF_RANGE, len(order), endpoint=True)
        return Sightings(frame[order], shopper[seen.which][order], seen.boxes[order], conf_steps)

    def _note_truth(self, offsets_ms: Ints, seen: Sightings) -> None:
        times_ms = (offsets_ms + self._scenario.start_ms)[seen.frame]
        tracks, _ = self._faultless.assign(times_ms, seen.shopper)
        minutes = times_ms // MINUTE_MS
        by_shopper, by_track = (
            np.unique(minutes << WHOM_BITS | whom) for whom in (seen.shopper, tracks)
        )
        self._minutes.append((by_shopper, by_track))
        each, counts = np.unique(minutes, return_counts=True)
        for minute, count in zip(each.tolist(), counts.tolist(), strict=True):
            self._detections[minute] = self._detections.get(minute, 0) + count

    def _track(self, found: Sightings, indices: Ints, clock_ms: Ints) -> tuple[Frames, Ints]:
        """Detections with their tracks, and false ones behind them; the noises of each frame."""
        kinds = np.zeros(len(indices), dtype=np.int64)
        switches = self._noise.switches(len(found.frame), self._scenario.frames_per_second)
        ids, switched = self._tracker.assign(clock_ms[found.frame], found.shopper, switches)
        at = found.frame[switched]
        mark(kinds, np.unique(at), Kind.ID_SWITCH)
        self._noise.record.add(
            Kind.ID_SWITCH,
            indices[at],
            clock_ms[at],
            shopper=found.shopper[switched],
            track_id=ids[switched],
        )
        counts = np.bincount(found.frame, minlength=len(indices))
        boxes, conf_steps = found.boxes, found.conf_steps
        false_counts, false_boxes = self._noise.false_boxes(len(indices))
        if len(false_boxes):
            at = np.repeat(np.arange(len(indices)), false_counts)
            mark(kinds, np.unique(at), Kind.FALSE_BOX)
            details = [f"{x1},{y1},{x2},{y2}" for x1, y1, x2, y2 in false_boxes.tolist()]
            self._noise.record.add(Kind.FALSE_BOX, indices[at], clock_ms[at], detail=details)
            order = np.argsort(np.concatenate([found.frame, at]), kind="stable")
            false_conf = self._false_conf.integers(*FALSE_CONF_RANGE, len(at), endpoint=True)
            boxes = np.concatenate([boxes, false_boxes])[order]
            conf_steps = np.concatenate([conf_steps, false_conf])[order]
            ids = np.concatenate([ids, np.full(len(at), NO_TRACK)])[order]
            counts = counts + false_counts
        nothing = np.zeros(len(indices), dtype=np.int64)
        return Frames(indices, clock_ms, nothing, counts, boxes, conf_steps, ids), kinds

    def _count_dropped(self, is_dropped: npt.NDArray[np.bool_], kept: Ints) -> Ints:
        """How many frames were dropped before each kept one, those of the last piece included."""
        if not len(kept):
            self._dropped += len(is_dropped)
            return kept
        dropped = np.diff(kept, prepend=-1) - 1
        dropped[0] += self._dropped
        self._dropped = len(is_dropped) - 1 - int(kept[-1])
        return dropped
