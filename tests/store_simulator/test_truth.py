"""Without noise, the truth is what anybody counts in the frames."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
import scenes

from frame_contract import Frame, decode
from store_simulator.truth import SCHEMAS


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean") / "out"
    scenes.write(scenes.SMALL, folder)
    return folder


def frames(folder: Path) -> list[Frame]:
    return [decode(line) for path in sorted(folder.glob("*.jsonl")) for line in scenes.lines(path)]


def test_every_line_is_a_frame_and_every_frame_of_every_camera_is_there(clean: Path) -> None:
    found = frames(clean)

    assert [frame.frame_index for frame in found] == [*range(6000), *range(6000)]
    start = scenes.SMALL.start
    for frame in found:
        assert frame.capture_ts == start + timedelta(milliseconds=100 * frame.frame_index)


def test_minutes_are_what_the_frames_say(clean: Path) -> None:
    detections: dict[tuple[str, str, datetime], int] = defaultdict(int)
    tracks: dict[tuple[str, str, datetime], set[int | None]] = defaultdict(set)
    for frame in frames(clean):
        minute = frame.capture_ts.replace(second=0, microsecond=0)
        key = (frame.source.store_id, frame.source.camera_id, minute)
        for detection in frame.detections:
            detections[key] += 1
            tracks[key].add(detection.track_id)

    rows = scenes.truth(clean, "minutes")

    assert len(rows) > 15
    found = {(row["store"], row["camera"], row["ts_minute"]): row for row in rows}
    assert {key: row["detections"] for key, row in found.items()} == detections
    assert {key: row["unique_people"] for key, row in found.items()} == {
        key: len(ids) for key, ids in tracks.items()
    }


def test_people_of_a_minute_are_the_shoppers_behind_its_tracks(clean: Path) -> None:
    shopper_of = {
        (row["camera"], row["track_id"]): row["shopper"] for row in scenes.truth(clean, "tracks")
    }
    people: dict[tuple[str, datetime], set[str]] = defaultdict(set)
    for frame in frames(clean):
        minute = frame.capture_ts.replace(second=0, microsecond=0)
        camera = frame.source.camera_id
        for detection in frame.detections:
            people[camera, minute].add(shopper_of[camera, detection.track_id])

    found = {
        (row["camera"], row["ts_minute"]): row["people"] for row in scenes.truth(clean, "minutes")
    }

    assert found == {key: len(who) for key, who in people.items()}


def test_tracks_are_what_the_frames_say(clean: Path) -> None:
    times: dict[tuple[str, str, int | None], list[datetime]] = defaultdict(list)
    for frame in frames(clean):
        for detection in frame.detections:
            times[frame.source.camera_id, frame.run_id, detection.track_id].append(frame.capture_ts)

    rows = scenes.truth(clean, "tracks")

    assert len(rows) > 30
    assert {
        (row["camera"], row["run_id"], row["track_id"]): (
            row["first_capture_ts"],
            row["last_capture_ts"],
            row["frames"],
        )
        for row in rows
    } == {key: (min(seen), max(seen), len(seen)) for key, seen in times.items()}


def test_track_is_one_person_who_was_in_the_store_and_a_gap_makes_another(clean: Path) -> None:
    visits = {row["shopper"]: row for row in scenes.truth(clean, "visits")}
    gap = timedelta(seconds=scenes.SMALL.track_gap_seconds)
    by_person: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in scenes.truth(clean, "tracks"):
        visit = visits[row["shopper"]]
        assert visit["enter_ts"] <= row["first_capture_ts"] <= row["last_capture_ts"]
        assert row["last_capture_ts"] <= visit["leave_ts"]
        by_person[row["camera"], row["shopper"]].append(row)
    pairs = 0
    for tracks in by_person.values():
        tracks.sort(key=lambda row: row["first_capture_ts"])
        for one, other in itertools.pairwise(tracks):
            assert other["first_capture_ts"] - one["last_capture_ts"] > gap
            pairs += 1
    assert pairs > 5


def test_dwell_lies_within_the_visit(clean: Path) -> None:
    visits = {row["shopper"]: row for row in scenes.truth(clean, "visits")}
    stays = scenes.truth(clean, "dwell")

    assert {row["place"] for row in stays} == {"fruit", "bread", "dairy", "wine", "checkout"}
    for row in stays:
        visit = visits[row["shopper"]]
        assert visit["enter_ts"] <= row["from_ts"] < row["to_ts"] <= visit["leave_ts"]


def test_messages_are_the_lines_in_their_order_and_nothing_else_happened(clean: Path) -> None:
    rows = scenes.truth(clean, "messages")

    assert [
        (row["camera"], row["run_id"], row["frame_index"], row["capture_ts"], row["detections"])
        for row in rows
    ] == [
        (f.source.camera_id, f.run_id, f.frame_index, f.capture_ts, len(f.detections))
        for f in frames(clean)
    ]
    quiet = [("noise", []), ("usable", True), ("reason", None), ("rejected_detections", 0)]
    for row in rows:
        assert [(name, row[name]) for name, _ in quiet] == quiet
        assert row["sent_at_ms"] == 100 * row["frame_index"]
    assert scenes.truth(clean, "noise") == []


def test_every_table_is_there_also_of_a_store_that_nobody_enters(tmp_path: Path) -> None:
    empty = scenes.with_store(scenes.scenario(0.1), shoppers_per_hour=0.0)
    scenes.write(empty, tmp_path / "out")

    rows = {name: scenes.truth(tmp_path / "out", name) for name in SCHEMAS}

    assert [name for name, found in rows.items() if found] == ["messages"]
    assert all(frame.detections == () for frame in frames(tmp_path / "out"))


@pytest.mark.parametrize(
    ("written", "rate"),
    [(29.97, Fraction(2997, 100)), (29.97002997002997, Fraction(30_000, 1001))],
)
def test_uneven_rate_puts_frames_where_they_belong(
    tmp_path: Path, written: float, rate: Fraction
) -> None:
    scenes.write(scenes.scenario(0.1, frames_per_second=written), tmp_path / "out")

    found = frames(tmp_path / "out")[:180]

    start = scenes.SMALL.start
    assert [(frame.capture_ts - start) // timedelta(milliseconds=1) for frame in found] == [
        index * 1000 // rate for index in range(180)
    ]


def test_start_in_another_time_zone_is_the_same_moment() -> None:
    start = msgspec.convert("2026-11-23T11:00:00+01:00", datetime)

    one, other = (scenes.run_of(base) for base in (scenes.SMALL, scenes.scenario(10, start=start)))

    assert one.run_id == other.run_id == "store_01-cam_01-20261123T100000Z-s7"
