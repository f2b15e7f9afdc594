"""Pedestrians as a shop's camera might see them, drawn, with what a detector might say of them.

They walk on a floor with changing speed, alone or in pairs, stop, cross, hide each other by depth
and behind pillars, leave and come back. Everything follows from a scene's seed. They are to choose
the tracker's settings by (bench/tracker_settings.py): many rates and sizes at no cost, where real
ground truth is rare. They say nothing about detectors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.boxes import Image, RawDetection
from vision.evaluation.sequences import TrueSequence
from vision.evaluation.truth import IdentifiedBox, Truth
from vision.settings import PERSON
from vision.video import VideoFrame

Array = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]
"""Pixels, xyxy."""

PERSON_METRES = 1.7
CAMERA_METRES = 3.0
HORIZON = 0.15
"""Share of the picture's height above which nobody's feet are."""

NEAREST_METRES, FARTHEST_METRES = 4.0, 11.0
"""How far people are from the camera: 43 to 15 % of the picture's height."""

BOX_ASPECT = 0.38
STEPS_PER_SECOND = 50
"""People move in such steps, whatever the camera's rate."""

LEAST_VISIBLE = 0.2
"""Who shows less of themselves is not in the truth."""

LEAST_CONFIDENCE = 0.35
"""Our default: the detector says nothing below."""

MOST_OVERLAP = 0.7
"""Of two detections that share more, a detector keeps the surer."""

CLOTHES_BGR = np.array(
    [
        *([35, 32, 30], [60, 60, 62], [95, 60, 35], [130, 130, 130]),
        *([205, 205, 210], [50, 50, 170], [150, 110, 60], [70, 110, 60]),
        *([60, 120, 190], [110, 70, 130]),
    ]
)
CLOTHES_SHARES = np.array([0.2, 0.15, 0.14, 0.1, 0.1, 0.08, 0.08, 0.05, 0.06, 0.04])
"""Many coats are dark: looks tell people apart, but not all of them."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One sequence to be simulated."""

    seed: int
    width_px: int
    height_px: int
    frames_per_second: int
    seconds: int
    people: int
    pillars: int

    @property
    def name(self) -> str:
        """`simulated-07fps-1`."""
        return f"simulated-{self.frames_per_second:02d}fps-{self.seed}"

    @property
    def frames(self) -> int:
        """How many it has."""
        return self.seconds * self.frames_per_second


def _scene(seed: int, rate: int, seconds: int, size: tuple[int, int], people: int) -> Scene:
    return Scene(
        seed=seed,
        width_px=size[0],
        height_px=size[1],
        frames_per_second=rate,
        seconds=seconds,
        people=people,
        pillars=seed % 3,
    )


SCENES = (
    _scene(1, 7, 24, (640, 480), 6),
    _scene(2, 7, 24, (480, 360), 9),
    _scene(3, 7, 24, (768, 432), 4),
    _scene(4, 10, 18, (640, 480), 8),
    _scene(5, 10, 18, (480, 360), 5),
    _scene(6, 10, 18, (768, 432), 10),
    _scene(7, 15, 12, (640, 480), 5),
    _scene(8, 15, 12, (480, 360), 10),
    _scene(9, 15, 12, (768, 432), 7),
    _scene(10, 25, 8, (640, 480), 9),
    _scene(11, 25, 8, (480, 360), 6),
    _scene(12, 25, 8, (768, 432), 8),
)


@dataclass(frozen=True)
class Figure:
    """A person or a pillar before the camera; the box may reach out of the picture."""

    person: int | None
    """None: a pillar."""

    distance_metres: float
    box: Box
    stride: float = 0.0
    """-1 to 1: how the legs are."""


@dataclass(frozen=True)
class SimulatedPictures:
    """The frames, drawn as they are asked for."""

    scene: Scene
    figures: tuple[tuple[Figure, ...], ...]
    """Of each frame, the farthest first."""

    def __str__(self) -> str:
        return self.scene.name

    def frames(self) -> Iterator[tuple[int, Image]]:
        """The same pixels each time."""
        painter = _Painter(self.scene)
        for index, figures in enumerate(self.figures):
            yield index, painter.paint(index, figures)

    @contextmanager
    def opened(self, fps_limit: float | None = None) -> Iterator[DrawnFrames]:
        """All of them."""
        if fps_limit is not None:
            raise ValueError("a scene has its own rate")
        yield DrawnFrames(self)


@dataclass(frozen=True)
class DrawnFrames:
    """The frames of a scene as those of an opened video."""

    pictures: SimulatedPictures
    unreadable: int = 0

    @property
    def frame_size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pictures.scene.height_px, self.pictures.scene.width_px

    @property
    def announced_frames(self) -> int:
        """All of them."""
        return len(self.pictures.figures)

    def __iter__(self) -> Iterator[VideoFrame]:
        rate = Fraction(self.pictures.scene.frames_per_second)
        for index, image in self.pictures.frames():
            yield VideoFrame(index, image, round(1000 * index / rate))


@dataclass(frozen=True)
class Simulated:
    """A sequence with its truth, and what the detector says of each frame, the surest first."""

    sequence: TrueSequence
    detections: tuple[tuple[RawDetection, ...], ...]


def simulate(scene: Scene) -> Simulated:
    """Let the people of a scene walk through it."""
    frames = _walk(scene)
    shares = [_visible_shares(scene, figures) for figures in frames]
    people = tuple(
        tuple(
            IdentifiedBox(figure.person, clipped)
            for figure, share in zip(figures, visible, strict=True)
            if figure.person is not None and share >= LEAST_VISIBLE
            for clipped in [_clipped(figure.box, scene)]
        )
        for figures, visible in zip(frames, shares, strict=True)
    )
    detector = _SimulatedDetector(scene)
    truth = Truth(
        name=scene.name,
        width_px=scene.width_px,
        height_px=scene.height_px,
        frame_rate=Fraction(scene.frames_per_second),
        people=people,
        distractors=tuple(() for _ in people),
    )
    pictures = SimulatedPictures(scene, tuple(map(tuple, frames)))
    detections = (detector.look(*frame) for frame in zip(frames, shares, strict=True))
    return Simulated(TrueSequence(truth=truth, pictures=pictures), tuple(detections))


class _Walker:
    """One person: where they are on the floor (metres: across, away), and where they want to."""

    def __init__(self, scene: Scene, rng: np.random.Generator, leader: _Walker | None) -> None:
        self._scene, self._rng, self._leader = scene, rng, leader
        self._offset = np.array([rng.choice([-1, 1]) * rng.uniform(0.5, 0.8), rng.normal(0, 0.3)])
        self._pace = rng.uniform(0.6, 1.5)
        self._waits = self._away = 0.0
        self.place = self._somewhere()
        if leader is None and rng.random() < 0.4:
            # not all are there at the beginning
            self.place, self._away = self._outside(), rng.uniform(0, scene.seconds / 2)
        self._velocity = np.zeros(2)
        self._goal = self._somewhere()
        self._leaves = False
        self.walked = rng.uniform(0, 10)

    @property
    def is_away(self) -> bool:
        return self._away > 0

    def move(self, seconds: float) -> None:
        if self._leader is not None:
            wobble = self._rng.normal(0, 0.15 * math.sqrt(seconds), 2)
            self._offset += wobble + (np.sign(self._offset) * 0.6 - self._offset) * 0.2 * seconds
            before, self.place = self.place, self._leader.place + self._offset
            self.walked += float(np.linalg.norm(self.place - before))
            self._away = self._leader._away
            return
        if self._away > 0:
            self._away -= seconds
            return
        way = self._goal - self.place
        distance = float(np.linalg.norm(way))
        if self._waits > 0:
            self._waits -= seconds
            wanted = np.zeros(2)
        else:
            wanted = self._pace * way / max(distance, 1e-6)
            if distance < 0.3:
                self._arrive()
        self._velocity += (wanted - self._velocity) * seconds / 0.5
        self._velocity += self._rng.normal(0, 0.25 * math.sqrt(seconds), 2)
        self.place = self.place + self._velocity * seconds
        self.place[1] = np.clip(self.place[1], NEAREST_METRES, FARTHEST_METRES)
        self.walked += float(np.linalg.norm(self._velocity)) * seconds

    def _arrive(self) -> None:
        if self._leaves:
            self._leaves = False
            self._away = self._rng.uniform(0.5, 8)
            self.place = self.place if self._rng.random() < 0.6 else self._outside()
            self._velocity = np.zeros(2)
            self._goal = self._somewhere()
            return
        if self._rng.random() < 0.4:
            self._waits = self._rng.uniform(0.5, 5)
        self._pace = self._rng.uniform(0.6, 1.5)
        self._leaves = bool(self._rng.random() < 0.3)
        self._goal = self._outside() if self._leaves else self._somewhere()

    def _half_width_metres(self, away: float) -> float:
        return away * self._scene.width_px / 2 / _focal_px(self._scene)

    def _somewhere(self) -> Array:
        away = self._rng.uniform(NEAREST_METRES, FARTHEST_METRES)
        return np.array([self._rng.uniform(-0.9, 0.9) * self._half_width_metres(away), away])

    def _outside(self) -> Array:
        away = self._rng.uniform(NEAREST_METRES, FARTHEST_METRES)
        across = self._half_width_metres(away) + 0.8
        return np.array([self._rng.choice([-1, 1]) * across, away])


def _walk(scene: Scene) -> list[list[Figure]]:
    """What is in each frame, the farthest first."""
    rng = np.random.default_rng([scene.seed, 0])
    walkers: list[_Walker] = []
    for number in range(scene.people):
        alone = not walkers or walkers[-1]._leader is not None or rng.random() > 0.3
        own = np.random.default_rng([scene.seed, 1, number])
        walkers.append(_Walker(scene, own, None if alone else walkers[-1]))
    pillars = [_pillar(scene, rng) for _ in range(scene.pillars)]
    steps = max(1, round(STEPS_PER_SECOND / scene.frames_per_second))
    frames = []
    for _ in range(scene.frames):
        for _ in range(steps):
            for walker in walkers:
                walker.move(1 / (steps * scene.frames_per_second))
        people = [
            Figure(number, away, _box(scene, across, away), math.sin(4 * walker.walked))
            for number, walker in enumerate(walkers)
            if not walker.is_away
            for across, away in [walker.place.tolist()]
        ]
        frames.append(sorted([*people, *pillars], key=lambda one: -one.distance_metres))
    return frames


def _focal_px(scene: Scene) -> float:
    return float(scene.height_px)


def _box(scene: Scene, across: float, away: float) -> Box:
    focal = _focal_px(scene)
    x = scene.width_px / 2 + focal * across / away
    bottom = HORIZON * scene.height_px + focal * CAMERA_METRES / away
    tall = focal * PERSON_METRES / away
    half = BOX_ASPECT * tall / 2
    return x - half, bottom - tall, x + half, bottom


def _pillar(scene: Scene, rng: np.random.Generator) -> Figure:
    away = rng.uniform(NEAREST_METRES + 1, FARTHEST_METRES - 3)
    x1, _, x2, bottom = _box(scene, rng.uniform(-0.35, 0.35) * away, away)
    return Figure(None, away, (x1, 0.0, x2, bottom))


def _clipped(box: Box, scene: Scene) -> Box:
    x1, y1, x2, y2 = box
    wide, high = scene.width_px, scene.height_px
    return max(x1, 0.0), max(y1, 0.0), min(x2, wide), min(y2, high)


COARSE_PX = 4
"""What hides whom is looked at in squares of so many pixels."""


def _visible_shares(scene: Scene, figures: list[Figure]) -> list[float]:
    """How much of each one's box is inside the picture and behind nobody."""
    owner = np.full((scene.height_px // COARSE_PX, scene.width_px // COARSE_PX), -1)
    areas = []
    for number, figure in enumerate(figures):
        x1, y1, x2, y2 = (round(side / COARSE_PX) for side in figure.box)
        areas.append(max((x2 - x1) * (y2 - y1), 1))
        owner[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = number
    seen = np.bincount(owner[owner >= 0], minlength=len(figures))
    return [count / area for count, area in zip(seen.tolist(), areas, strict=True)]


class _SimulatedDetector:
    """Misses last, above all of who is half hidden; boxes tremble; some show nobody."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._rng = np.random.default_rng([scene.seed, 2])
        step = 1 / scene.frames_per_second
        self._kept_mood, self._kept_shift = math.exp(-step / 0.4), math.exp(-step / 0.3)
        self._mood = self._rng.normal(size=scene.people)
        self._shift = self._rng.normal(size=(scene.people, 4))
        self._ghosts = [self._ghost() for _ in range(4)]
        self._on = np.zeros(len(self._ghosts), dtype=bool)
        self._ends, self._begins = 1 - math.exp(-step / 0.5), 1 - math.exp(-step / 6)

    def look(self, figures: list[Figure], shares: list[float]) -> tuple[RawDetection, ...]:
        """Of the next frame."""
        rng = self._rng
        self._mood = self._drifted(self._mood, self._kept_mood)
        self._shift = self._drifted(self._shift, self._kept_shift)
        found = []
        for figure, share in zip(figures, shares, strict=True):
            if figure.person is None or share <= 0:
                continue
            box = _clipped(figure.box, self._scene)
            tall = figure.box[3] - figure.box[1]
            certainty = -2.1 + 4.2 * share + 0.9 * float(self._mood[figure.person])
            certainty += rng.normal(0, 0.3) - 0.8 * max(0.0, 1 - tall / 90)
            trembling = 0.03 * tall * (1 + 2 * (1 - share))
            shift = 0.8 * self._shift[figure.person] + 0.6 * rng.normal(size=4)
            x1, y1, x2, y2 = (np.array(box) + trembling * shift).tolist()
            found.append((1 / (1 + math.exp(-certainty)), (x1, y1, x2, y2)))
        draws = rng.random(len(self._on))
        self._on = np.where(self._on, draws >= self._ends, draws < self._begins)
        for box in (ghost for ghost, on in zip(self._ghosts, self._on, strict=True) if on):
            x1, y1, x2, y2 = (np.array(box) + rng.normal(0, 2, 4)).tolist()
            found.append((rng.uniform(0.3, 0.6), (x1, y1, x2, y2)))
        return tuple(
            RawDetection(PERSON, confidence, box)
            for confidence, box in _without_doubles(found)
            if confidence >= LEAST_CONFIDENCE and box[0] < box[2] and box[1] < box[3]
        )

    def _drifted(self, values: Array, kept: float) -> Array:
        """A normal deviate that forgets itself slowly."""
        fresh = self._rng.normal(size=values.shape)
        return np.asarray(kept * values + math.sqrt(1 - kept**2) * fresh)

    def _ghost(self) -> Box:
        away = self._rng.uniform(NEAREST_METRES, FARTHEST_METRES)
        return _box(self._scene, self._rng.uniform(-0.5, 0.5) * away, away)


def _without_doubles(found: list[tuple[float, Box]]) -> list[tuple[float, Box]]:
    kept: list[tuple[float, Box]] = []
    for confidence, box in sorted(found, reverse=True):
        if all(_overlap(box, other) <= MOST_OVERLAP for _, other in kept):
            kept.append((confidence, box))
    return kept


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return wide * high / (sum(areas) - wide * high)


class _Painter:
    """Coloured figures on a textured floor in uneven light."""

    def __init__(self, scene: Scene) -> None:
        rng = np.random.default_rng([scene.seed, 3])
        size = (scene.height_px, scene.width_px)
        coarse = rng.integers(110, 170, (size[0] // 8, size[1] // 8, 3), dtype=np.uint8)
        floor = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_LINEAR)
        self._floor = np.asarray(floor, dtype=np.uint8)
        left, right = rng.permutation([0.7, 1.2]).tolist()
        light = np.linspace(left, right, size[1])[None, :, None]
        self._light = np.broadcast_to(128 * light, (*size, 3)).astype(np.uint8)
        self._noise = rng.integers(0, 24, (*size, 3), dtype=np.uint8)
        count = scene.people
        self._tops, self._legs = (
            CLOTHES_BGR[rng.choice(len(CLOTHES_BGR), count, p=CLOTHES_SHARES)]
            + rng.integers(-12, 13, (count, 3))
            for _ in range(2)
        )
        self._heads = rng.integers([60, 80, 110], [150, 170, 220], (count, 3))

    def paint(self, index: int, figures: tuple[Figure, ...]) -> Image:
        """The frame at `index`, whose figures come the farthest first."""
        image = self._floor.copy()
        for figure in figures:
            if figure.person is None:
                x1, y1, x2, y2 = map(round, figure.box)
                cv2.rectangle(image, (x1, y1), (x2, y2), (150, 160, 165), cv2.FILLED)
            else:
                self._person(image, figure, figure.person)
        lit = cv2.multiply(image, self._light, scale=1 / 128)
        return np.asarray(cv2.add(lit, np.roll(self._noise, 7 * index, axis=(0, 1))))

    def _person(self, image: Image, figure: Figure, number: int) -> None:
        x1, top, x2, bottom = figure.box
        wide, tall, x = x2 - x1, bottom - top, (x1 + x2) / 2
        neck, hip = top + 0.15 * tall, top + 0.52 * tall

        def fill(left: float, upper: float, right: float, lower: float, colour: Any) -> None:
            corners = (round(left), round(upper)), (round(right), round(lower))
            cv2.rectangle(image, *corners, np.clip(colour, 0, 255).tolist(), cv2.FILLED)

        for side in (-1, 1):
            foot = x + side * wide * (0.14 + 0.14 * figure.stride)
            fill(foot - 0.14 * wide, hip, foot + 0.14 * wide, bottom, self._legs[number])
        fill(x - 0.4 * wide, neck, x + 0.4 * wide, hip, self._tops[number])
        centre = (round(x), round(top + 0.075 * tall))
        axes = (max(1, round(0.17 * wide)), max(1, round(0.075 * tall)))
        colour = self._heads[number].tolist()
        cv2.ellipse(image, centre, axes, 0, 0, 360, colour, cv2.FILLED)
