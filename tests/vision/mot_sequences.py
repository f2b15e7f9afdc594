"""Sequences with known truth for the tests of evaluation: in memory, and as MOT folders."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vision.evaluation.truth import Frames, IdentifiedBox, Truth

WIDTH, HEIGHT = 640, 480


def truth_of(people: Sequence[Sequence[IdentifiedBox]], frame_rate: int = 10) -> Truth:
    return Truth(
        name="walk",
        width_px=WIDTH,
        height_px=HEIGHT,
        frame_rate=Fraction(frame_rate),
        people=tuple(map(tuple, people)),
        distractors=tuple(() for _ in people),
    )


def walkers(frames: int, people: int = 3) -> Frames:
    """People who walk side by side to the right, 100 pixels apart, from 1 on."""
    return tuple(
        tuple(
            IdentifiedBox(person, (x, 100.0, x + 40.0, 200.0))
            for person in range(1, people + 1)
            for x in [100.0 * person + 0.5 * frame]
        )
        for frame in range(frames)
    )


def with_errors(people: Frames, seed: int) -> list[list[IdentifiedBox]]:
    """Tracks as a middling tracker would have them: shaken, with gaps, switches and ghosts."""
    random = np.random.default_rng(seed)
    offsets = {one.identity: 0 for frame in people for one in frame}
    tracks = []
    for frame in people:
        found = []
        for one in frame:
            if random.random() < 0.03:
                offsets[one.identity] += 10
            if random.random() < 0.9:
                shake = random.normal(0, 4, 4)
                box = tuple(float(v) for v in np.add(one.bbox_xyxy_px, shake))
                found.append(IdentifiedBox(100 * one.identity + offsets[one.identity], box))
        if random.random() < 0.2:
            found.append(IdentifiedBox(9000 + int(random.integers(3)), (500, 300, 540, 400)))
        tracks.append(found)
    return tracks


def mot_row(frame: int, one: IdentifiedBox, rest: str) -> str:
    x1, y1, x2, y2 = one.bbox_xyxy_px
    return f"{frame + 1},{one.identity},{x1},{y1},{x2 - x1},{y2 - y1},{rest}\n"


def write_mot_folder(
    folder: Path, people: Frames, *, rows: str = "", frame_rate: int = 10, rest: str = "1,-1,-1,-1"
) -> Path:
    """seqinfo.ini and gt/gt.txt; `rows` are added as they are, `rest` is behind each box."""
    (folder / "gt").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate={frame_rate}\n"
        f"seqLength={len(people)}\nimWidth={WIDTH}\nimHeight={HEIGHT}\nimExt=.png\n"
    )
    lines = [mot_row(i, one, rest) for i, frame in enumerate(people) for one in frame]
    (folder / "gt" / "gt.txt").write_text("".join(lines) + rows)
    return folder


def brightness(number: int) -> int:
    """Of the image of this number; they differ by what counts as a change."""
    return 8 * number % 256


def write_images(folder: Path, frames: int, width: int = WIDTH, height: int = HEIGHT) -> None:
    """img1/: each image's brightness tells its number, and none is as still as the one before."""
    (folder / "img1").mkdir()
    for number in range(1, frames + 1):
        image = np.full((height, width, 3), brightness(number), dtype=np.uint8)
        cv2.imwrite(str(folder / "img1" / f"{number:06d}.png"), image)
