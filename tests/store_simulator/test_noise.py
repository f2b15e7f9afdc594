"""Each dial alone does what it says, to the share that it says, and the truth has each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scenes

from frame_contract import MAX_MESSAGE_BYTES, Frame, decode, explain
from store_simulator import damage
from store_simulator.kinds import Kind, has
from store_simulator.messages import REASONS, USABLE, Messages
from store_simulator.noise import Event
from store_simulator.scenario import Noise

MINUTES = 3
FRAMES = 1800


class Outcome:
    """A camera without noise, the same one with it, and what is recorded."""

    def __init__(self, **dials: float) -> None:
        self.clean = scenes.sent(scenes.run_of(scenes.scenario(MINUTES)))
        self.run = scenes.run_of(scenes.with_noise(MINUTES, **dials))
        self.noisy = scenes.sent(self.run)
        self._events = self.run.events()

    def events(self, kind: Kind) -> Event:
        """Those of the kind in one piece, and no others are there."""
        assert {event.kind for event in self._events} == {kind}
        parts = list(zip(*(event[1:] for event in self._events), strict=True))
        arrays = [np.concatenate(part) for part in parts[:-1]]
        return Event(kind, *arrays, [text for part in parts[-1] for text in part])  # type: ignore[call-arg]

    def frames(self, messages: Messages) -> list[Frame]:
        return [decode(payload) for payload in messages.payloads]

    def marked(self, kind: Kind) -> list[int]:
        """The frames whose messages bear the kind, and no message bears another."""
        assert not (self.noisy.kinds & ~kind.bit).any()
        return sorted(self.noisy.frame_index[has(self.noisy.kinds, kind)].tolist())


def about(share: float, of: int) -> Any:
    """Within four standard deviations."""
    return pytest.approx(share * of, abs=4 * np.sqrt(of * share * (1 - share)) + 1)


def boxes(frame: Frame) -> list[object]:
    return [detection.bbox for detection in frame.detections]


def test_missed_boxes_are_left_out_and_nothing_is_added() -> None:
    outcome = Outcome(missed_boxes=0.2)
    clean, noisy = outcome.frames(outcome.clean), outcome.frames(outcome.noisy)

    missed = Counter(outcome.events(Kind.MISSED_BOX).frame_index.tolist())

    assert sum(missed.values()) == about(0.2, int(outcome.clean.detections.sum()))
    assert len(noisy) == len(clean)
    for one, other in zip(clean, noisy, strict=True):
        left = boxes(other)
        assert [box for box in boxes(one) if box in left] == left
        assert len(left) == len(boxes(one)) - missed[one.frame_index]
    assert outcome.marked(Kind.MISSED_BOX) == sorted(missed)
    assert (outcome.events(Kind.MISSED_BOX).shopper >= 0).all()


def test_false_boxes_are_added_without_a_track() -> None:
    outcome = Outcome(false_boxes=0.5)
    clean, noisy = outcome.frames(outcome.clean), outcome.frames(outcome.noisy)

    events = outcome.events(Kind.FALSE_BOX)

    added = Counter(events.frame_index.tolist())
    assert sum(added.values()) == pytest.approx(0.5 * FRAMES, rel=0.1)
    places = dict.fromkeys(zip(events.frame_index.tolist(), events.detail, strict=True))
    for one, other in zip(clean, noisy, strict=True):
        real = [d for d in other.detections if d.track_id is not None]
        false = [d for d in other.detections if d.track_id is None]
        assert [(d.bbox, d.track_id) for d in real] == [
            (d.bbox, d.track_id) for d in one.detections
        ]
        assert len(false) == added[one.frame_index]
        for detection in false:
            box = detection.bbox
            text = ",".join(str(int(side)) for side in (box.x1, box.y1, box.x2, box.y2))
            assert (one.frame_index, text) in places
    assert outcome.marked(Kind.FALSE_BOX) == sorted(added)


def test_id_switches_give_new_track_ids_from_there_on_and_leave_the_boxes() -> None:
    outcome = Outcome(id_switches_per_minute=5.0)
    events = outcome.events(Kind.ID_SWITCH)
    clean, noisy = outcome.frames(outcome.clean), outcome.frames(outcome.noisy)

    person_minutes = outcome.clean.detections.sum() / scenes.SMALL.frames_per_second / 60
    assert len(events.frame_index) == pytest.approx(5 * person_minutes, rel=0.35)
    assert [boxes(frame) for frame in noisy] == [boxes(frame) for frame in clean]
    first: dict[int | None, int] = {}
    for frame in noisy:
        for detection in frame.detections:
            first.setdefault(detection.track_id, frame.frame_index)
    assert all(
        first[track] == index
        for track, index in zip(events.track_id.tolist(), events.frame_index.tolist(), strict=True)
    )
    clean_ids = {d.track_id for frame in clean for d in frame.detections}
    assert len(first) == len(clean_ids) + len(events.frame_index)
    assert outcome.marked(Kind.ID_SWITCH) == sorted(set(events.frame_index.tolist()))


def test_dropped_frames_are_never_sent_and_the_next_message_counts_them() -> None:
    outcome = Outcome(dropped_frames=0.3)
    noisy = outcome.frames(outcome.noisy)

    dropped = outcome.events(Kind.DROPPED_FRAME).frame_index.tolist()

    assert len(dropped) == about(0.3, FRAMES)
    assert sorted([frame.frame_index for frame in noisy] + dropped) == list(range(FRAMES))
    before = -1
    for frame in noisy:
        assert (frame.dropped_frames or 0) == frame.frame_index - before - 1
        before = frame.frame_index
    clean = {frame.frame_index: frame for frame in outcome.frames(outcome.clean)}
    assert all(boxes(frame) == boxes(clean[frame.frame_index]) for frame in noisy)


def test_clock_skew_moves_all_times_of_a_camera_and_nothing_else() -> None:
    outcome = Outcome(clock_skew_seconds=50.0)
    clean, noisy = outcome.frames(outcome.clean), outcome.frames(outcome.noisy)

    events = outcome.events(Kind.CLOCK_SKEW)

    shift = timedelta(seconds=float(events.detail[0].removesuffix(" s")))
    assert timedelta(0) < abs(shift) <= timedelta(seconds=50)
    assert {b.capture_ts - a.capture_ts for a, b in zip(clean, noisy, strict=True)} == {shift}
    assert [boxes(frame) for frame in noisy] == [boxes(frame) for frame in clean]
    assert outcome.noisy.sent_ms.tolist() == outcome.clean.sent_ms.tolist()
    assert outcome.marked(Kind.CLOCK_SKEW) == list(range(FRAMES))
    assert outcome.run.minutes().detections.sum() == outcome.clean.detections.sum()


def test_cameras_have_skews_of_their_own() -> None:
    base = scenes.with_noise(1, clock_skew_seconds=50.0)
    shifts = [
        scenes.sent(scenes.run_of(base, camera)).capture_ms[0] - base.start_ms for camera in (0, 1)
    ]

    assert shifts[0] != shifts[1]


def test_first_generation_messages_lack_version_run_and_model() -> None:
    outcome = Outcome(first_generation=0.2)
    events = outcome.events(Kind.FIRST_GENERATION)

    old = set(events.frame_index.tolist())

    assert len(old) == about(0.2, FRAMES)
    for one, other in zip(
        outcome.frames(outcome.clean), outcome.frames(outcome.noisy), strict=True
    ):
        is_old = one.frame_index in old
        assert (other.schema_version, other.model) == (
            (None, None) if is_old else (one.schema_version, one.model)
        )
        assert other.run_id == (outcome.run.stream_id if is_old else outcome.run.run_id)
        assert other.detections == one.detections
    assert outcome.marked(Kind.FIRST_GENERATION) == sorted(old)


def test_partial_messages_lose_one_detection_and_keep_the_frame() -> None:
    outcome = Outcome(partial=0.5)
    events = outcome.events(Kind.PARTIAL)
    wanted = dict(zip(events.frame_index.tolist(), events.detail, strict=True))

    assert len(wanted) == about(0.5, FRAMES)
    for place, payload in enumerate(outcome.noisy.payloads):
        report = explain(payload)
        assert report.frame is not None
        reasons = [str(rejected.reason) for rejected in report.rejected]
        index = report.frame.frame_index
        assert reasons == ([str(wanted[index])] if index in wanted else [])
        assert outcome.noisy.rejected[place] == len(reasons)
        assert outcome.noisy.detections[place] == len(report.detections) + len(reasons)
    assert set(wanted.values()) == {
        *damage.REJECTIONS,
        "detection_not_an_object",
        "detection_duplicate_det_id",
    }
    assert outcome.marked(Kind.PARTIAL) == sorted(wanted)
    assert (outcome.noisy.reasons == USABLE).all()


DAMAGES: dict[str, tuple[str, Kind, float]] = {
    "malformed": ("malformed", Kind.MALFORMED, 0.3),
    "oversize": ("oversize", Kind.OVERSIZE, 0.005),
    "other encodings": ("other_encodings", Kind.OTHER_ENCODING, 0.3),
    "pictures": ("pictures", Kind.PICTURE, 0.3),
}


@pytest.mark.parametrize(("dial", "kind", "share"), DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_messages_are_unusable_for_the_reason_that_the_truth_gives(
    dial: str, kind: Kind, share: float
) -> None:
    outcome = Outcome(**{dial: share})
    events = outcome.events(kind)
    details = dict(zip(events.frame_index.tolist(), events.detail, strict=True))

    assert len(details) == about(share, FRAMES)
    for place, payload in enumerate(outcome.noisy.payloads):
        report = explain(payload)
        index = int(outcome.noisy.frame_index[place])
        if index not in details:
            assert payload == outcome.clean.payloads[place]
            continue
        assert not report.is_usable
        assert details[index].startswith(f"{report.reason}: ")
        assert REASONS[outcome.noisy.reasons[place]] is report.reason
        assert b"\n" not in payload
        if kind is Kind.OVERSIZE:
            assert MAX_MESSAGE_BYTES < len(payload) < 5 * 1024 * 1024
    ways = {text.partition(": ")[2] for text in details.values()}
    if kind is Kind.MALFORMED:
        assert ways == set(damage.MALFORMATIONS)
    if kind is Kind.OTHER_ENCODING:
        assert ways == {"utf-16", "latin-1", "utf-8-sig"}
    if kind is Kind.PICTURE:
        assert ways == set(damage.PICTURES)
    assert outcome.marked(kind) == sorted(details)


def by_frame(messages: Messages, values: Any) -> dict[int, Any]:
    return dict(zip(messages.frame_index.tolist(), values, strict=True))


HELD: dict[str, tuple[dict[str, float], Kind, tuple[float, float]]] = {
    "late": (
        {"late": 0.2, "late_from_seconds": 5.0, "late_to_seconds": 20.0},
        Kind.LATE,
        (5, 20),
    ),
    "out of order": (
        {"out_of_order": 0.2, "out_of_order_seconds": 2.0},
        Kind.OUT_OF_ORDER,
        (0.001, 2),
    ),
}


@pytest.mark.parametrize(("dials", "kind", "seconds"), HELD.values(), ids=HELD.keys())
def test_held_back_messages_come_later_unchanged_and_in_the_order_of_sending(
    dials: dict[str, float], kind: Kind, seconds: tuple[float, float]
) -> None:
    outcome = Outcome(**dials)
    events = outcome.events(kind)
    held = set(events.frame_index.tolist())

    assert len(held) == about(0.2, FRAMES)
    assert outcome.noisy.frame_index.tolist() != list(range(FRAMES))
    assert (np.diff(outcome.noisy.sent_ms) >= 0).all()
    assert by_frame(outcome.noisy, outcome.noisy.payloads) == by_frame(
        outcome.clean, outcome.clean.payloads
    )
    sent = by_frame(outcome.noisy, outcome.noisy.sent_ms.tolist())
    noted = dict(zip(events.frame_index.tolist(), events.detail, strict=True))
    for index in range(FRAMES):
        delay = (sent[index] - index * 100) / 1000
        assert (seconds[0] <= delay <= seconds[1]) if index in held else delay == 0
        assert index not in held or noted[index] == f"{delay:.3f} s"
    assert outcome.marked(kind) == sorted(held)


def test_duplicates_are_sent_again_byte_for_byte_a_little_later() -> None:
    outcome = Outcome(duplicates=0.2, duplicate_seconds=10.0)
    again = outcome.events(Kind.DUPLICATE).frame_index.tolist()

    assert len(again) == about(0.2, FRAMES)
    assert Counter(outcome.noisy.payloads) == Counter(outcome.clean.payloads) + Counter(
        outcome.clean.payloads[index] for index in again
    )
    assert (np.diff(outcome.noisy.sent_ms) >= 0).all()
    is_again = has(outcome.noisy.kinds, Kind.DUPLICATE)
    first_ms = by_frame(
        outcome.noisy.pick(np.flatnonzero(~is_again)), outcome.noisy.sent_ms[~is_again]
    )
    for index, sent_ms in zip(
        outcome.noisy.frame_index[is_again].tolist(),
        outcome.noisy.sent_ms[is_again].tolist(),
        strict=True,
    ):
        assert 0 < sent_ms - first_ms[index] <= 10_000
    assert outcome.marked(Kind.DUPLICATE) == sorted(again)


SURE: dict[str, Callable[[Outcome], bool]] = {
    "missed_boxes": lambda outcome: not outcome.noisy.detections.any(),
    "dropped_frames": lambda outcome: not len(outcome.noisy),
    "duplicates": lambda outcome: len(outcome.noisy) == 2 * FRAMES,
    "malformed": lambda outcome: not (outcome.noisy.reasons == USABLE).any(),
}


@pytest.mark.parametrize(("dial", "holds"), SURE.items(), ids=SURE.keys())
def test_dial_at_one_leaves_nothing_as_it_was(dial: str, holds: Callable[[Outcome], bool]) -> None:
    assert holds(Outcome(**{dial: 1.0}))


def test_dials_together_are_accounted_for_message_by_message(tmp_path: Path) -> None:
    """With everything on, what the truth says of each line is what the contract finds in it."""
    dials = {
        "missed_boxes": 0.1,
        "false_boxes": 0.2,
        "id_switches_per_minute": 5.0,
        "dropped_frames": 0.1,
        "clock_skew_seconds": 30.0,
        "first_generation": 0.2,
        "partial": 0.2,
        "malformed": 0.2,
        "oversize": 0.001,
        "other_encodings": 0.2,
        "pictures": 0.2,
        "duplicates": 0.2,
        "out_of_order": 0.2,
        "late": 0.2,
    }
    assert set(dials) | {
        "duplicate_seconds",
        "out_of_order_seconds",
        "late_from_seconds",
        "late_to_seconds",
    } == set(Noise.__struct_fields__)
    base = scenes.with_noise(MINUTES, **dials)
    written = scenes.write(base, tmp_path / "out")
    rows = scenes.truth(tmp_path / "out", "messages")
    assert written.messages == len(rows)

    for camera in ("cam_01", "cam_02"):
        stem = tmp_path / "out" / f"store_01-{camera}"
        files = {True: iter(scenes.lines(stem.with_suffix(".jsonl")))}
        files[False] = iter(scenes.lines(stem.with_suffix(".raw")))
        sent_at = -1
        for row in (each for each in rows if each["camera"] == camera):
            report = explain(next(files[row["in_jsonl"]]))
            assert row["usable"] == report.is_usable
            assert row["reason"] == (str(report.reason) if report.reason else None)
            assert row["sent_at_ms"] >= sent_at
            sent_at = row["sent_at_ms"]
            if report.frame is not None:
                rejected = len(report.rejected)
                assert row["detections"] == len(report.detections) + rejected
                assert row["rejected_detections"] == rejected
                assert (row["frame_index"], row["capture_ts"]) == (
                    report.frame.frame_index,
                    report.frame.capture_ts,
                )
        assert [next(lines, None) for lines in files.values()] == [None, None]

    events = Counter(
        (row["kind"], row["camera"]) for row in scenes.truth(tmp_path / "out", "noise")
    )
    of_messages = Counter((kind, row["camera"]) for row in rows for kind in row["noise"])
    looked_at = {(row["camera"], row["frame_index"]) for row in rows}
    for row in scenes.truth(tmp_path / "out", "noise"):
        is_dropped = row["kind"] == Kind.DROPPED_FRAME
        assert ((row["camera"], row["frame_index"]) in looked_at) != is_dropped or (
            row["kind"] == Kind.CLOCK_SKEW
        )
    assert not [row for row in rows if {"late", "out_of_order"} <= set(row["noise"])]
    for kind in (Kind.DUPLICATE, Kind.CLOCK_SKEW, Kind.DROPPED_FRAME):
        assert events[str(kind), "cam_01"] > 0
    again = [row for row in rows if Kind.DUPLICATE in row["noise"]]
    assert len(again) == events["duplicate", "cam_01"] + events["duplicate", "cam_02"]
    once = Counter(
        (kind, row["camera"]) for row in again for kind in row["noise"]
    )  # what a repetition repeats is one event
    for kind in (Kind.MALFORMED, Kind.PARTIAL, Kind.OTHER_ENCODING, Kind.LATE, Kind.OUT_OF_ORDER):
        for camera in ("cam_01", "cam_02"):
            key = (str(kind), camera)
            assert events[key] == of_messages[key] - once[key] > 0
