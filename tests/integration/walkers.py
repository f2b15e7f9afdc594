"""Frames of people who walk, linger, leave and come back: small, seeded, with Gold's edges."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from frame_contract import BBox, Detection, Frame, ImageSize, Model, Source, encode

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
FRAMES_PER_SECOND = 5


def frames(
    camera_id: str, *, start: datetime, seconds: int, seed: int, run: str = "1"
) -> list[Frame]:
    """Frames of one capture, 5 a second.

    Track 1 walks across the cells; track 2 stands in one, is gone for 1.8, 2.0 and 2.2 s (one
    visit, one visit, two visits) and for 31 s (two tracks); the others have no track. Some are no
    persons, some frames show nobody.
    """
    noise = random.Random(seed)
    return [
        _frame(camera_id, run, number, start + timedelta(seconds=number / FRAMES_PER_SECOND), noise)
        for number in range(seconds * FRAMES_PER_SECOND)
    ]


def _frame(
    camera_id: str, run: str, number: int, captured_at: datetime, noise: random.Random
) -> Frame:
    found: list[tuple[str, float, float, int | None]] = []
    if number % 40 < 36:
        found.append(("person", 20.0 + number * 3.3 % 1200, 150.0, 1))
    if _second_walker_is_there(number):
        found.append(("person", 400.0, 300.0, 2))
    if noise.random() < 0.4:
        found.append(("person", noise.uniform(0, 1200), noise.uniform(0, 500), None))
    if noise.random() < 0.2:
        found.append(("handbag", noise.uniform(0, 1200), noise.uniform(0, 500), 9))
    return Frame(
        schema_version="1.0",
        run_id=f"store_01-{camera_id}-{run}",
        source=Source(store_id="store_01", camera_id=camera_id, stream_id=f"{camera_id}_stream"),
        frame_index=number,
        capture_ts=captured_at,
        image_size=ImageSize(width=1280, height=720),
        detections=tuple(
            Detection(
                det_id=f"d_{int(captured_at.timestamp())}_{number % FRAMES_PER_SECOND}{place:02d}",
                class_name=class_name,
                bbox=BBox(x1=round(x), y1=round(y), x2=round(x) + 60, y2=round(y) + 180),
                conf=round(noise.uniform(0.3, 1.0), 3),
                track_id=track_id,
            )
            for place, (class_name, x, y, track_id) in enumerate(found, start=1)
        ),
        model=Model(detector="yolo11n", tracker="deepsort"),
    )


def _second_walker_is_there(number: int) -> bool:
    """Gone for 9 frames = gap 2.0 s, 8 = 1.8 s, 10 = 2.2 s, 155 = over 30 s."""
    gaps = ((50, 8), (80, 9), (110, 10), (150, 155))
    return not any(first <= number < first + gone for first, gone in gaps)


def write(path: Path, written: list[Frame]) -> Path:
    """Write frames as JSONL."""
    path.write_bytes(b"".join(encode(frame) + b"\n" for frame in written))
    return path
