"""Who truly is where, frame by frame, and reading it from MOTChallenge's folders."""

import configparser
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from vision.errors import VisionError
from vision.timestamps import rational_rate

PEDESTRIAN = 1
"""The class of MOT16 and later that is scored; MOT15 has no classes, all being pedestrians."""

DISTRACTORS = frozenset({2, 7, 8, 12})
"""Person on a vehicle, static person, distractor, reflection: neither right nor wrong to find."""

MOT16_COLUMNS = 9
"""frame, id, left, top, width, height, conf, class, visibility; MOT15 has x, y, z at the end."""

LEAST_COLUMNS = 6
"""Without a conf, a row counts as one of conf 1."""


class TruthError(VisionError):
    """The ground truth is missing or cannot be used."""


class IdentifiedBox(NamedTuple):
    """One person in one frame: who, and the box in pixels from the top left corner."""

    identity: int
    bbox_xyxy_px: tuple[float, float, float, float]


Frames = tuple[tuple[IdentifiedBox, ...], ...]
"""For each frame of a sequence, from the first, the people in it."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A sequence as it truly was."""

    name: str

    width_px: int
    height_px: int
    """The size of the image that the boxes are in."""

    frame_rate: Fraction
    """Frames a second."""

    people: Frames

    distractors: Frames
    """Who is neither right nor wrong to find; as many frames as `people`, often all empty."""

    def first(self, frames: int | None) -> "Truth":
        """The first so many frames of it; None: all."""
        return replace(self, people=self.people[:frames], distractors=self.distractors[:frames])

    def without(self, is_ignored: Callable[[tuple[float, ...]], bool]) -> "Truth":
        """The same with the people of such boxes among those who may be found or not."""

        def part(frame: tuple[IdentifiedBox, ...], wanted: bool) -> tuple[IdentifiedBox, ...]:
            return tuple(one for one in frame if is_ignored(one.bbox_xyxy_px) is wanted)

        return replace(
            self,
            people=tuple(part(frame, False) for frame in self.people),
            distractors=tuple(
                (*others, *part(frame, True))
                for others, frame in zip(self.distractors, self.people, strict=True)
            ),
        )

    def scaled_to(self, width_px: int, height_px: int) -> "Truth":
        """The same sequence in a video of another size."""
        if (width_px, height_px) == (self.width_px, self.height_px):
            return self
        x, y = width_px / self.width_px, height_px / self.height_px

        def scaled(frames: Frames) -> Frames:
            return tuple(
                tuple(
                    IdentifiedBox(one.identity, (x1 * x, y1 * y, x2 * x, y2 * y))
                    for one in frame
                    for x1, y1, x2, y2 in [one.bbox_xyxy_px]
                )
                for frame in frames
            )

        return replace(
            self,
            width_px=width_px,
            height_px=height_px,
            people=scaled(self.people),
            distractors=scaled(self.distractors),
        )


def read_mot_truth(folder: Path) -> Truth:
    """The ground truth of a MOTChallenge folder: seqinfo.ini and gt/gt.txt.

    Rows of conf 0 are left out; frames are counted from 1 in the file, and from 0 here. Where a
    row has a class (MOT16 and later), only pedestrians are people. Raises `TruthError`.
    """
    info = _read_seqinfo(folder / "seqinfo.ini")
    people: list[list[IdentifiedBox]] = [[] for _ in range(info.frames)]
    distractors: list[list[IdentifiedBox]] = [[] for _ in range(info.frames)]
    path = folder / "gt" / "gt.txt"
    seen: set[tuple[int, int]] = set()
    for number, row in _rows(path):
        if not 1 <= row.frame <= info.frames:
            raise TruthError(
                f"{path}, line {number}: there is no frame {row.frame}, seqinfo.ini says "
                f"{info.frames}: is this the ground truth of another sequence?"
            )
        if not row.is_scored:
            continue
        if row.is_person:
            if (row.frame, row.person.identity) in seen:
                raise TruthError(
                    f"{path}, line {number}: person {row.person.identity} is in frame "
                    f"{row.frame} twice"
                )
            seen.add((row.frame, row.person.identity))
            people[row.frame - 1].append(row.person)
        elif row.is_distractor:
            distractors[row.frame - 1].append(row.person)
    if not any(people):
        raise TruthError(f"{path} has nobody in it (rows of conf 0 do not count)")
    return Truth(
        name=info.name,
        width_px=info.width_px,
        height_px=info.height_px,
        frame_rate=info.frame_rate,
        people=tuple(map(tuple, people)),
        distractors=tuple(map(tuple, distractors)),
    )


@dataclass(frozen=True, kw_only=True)
class _SequenceInfo:
    name: str
    frames: int
    frame_rate: Fraction
    width_px: int
    height_px: int


def _read_seqinfo(path: Path) -> _SequenceInfo:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
        section = parser["Sequence"]
        info = _SequenceInfo(
            name=section.get("name") or path.parent.name,
            frames=int(section["seqLength"]),
            frame_rate=rational_rate(float(section["frameRate"])),
            width_px=int(section["imWidth"]),
            height_px=int(section["imHeight"]),
        )
    except OSError as error:
        raise TruthError(
            f"cannot read {path}: {error.strerror}; it must say the length, rate and size of "
            "the sequence"
        ) from None
    except (configparser.Error, UnicodeDecodeError, KeyError, ValueError, OverflowError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise TruthError(
            f"{path} is no seqinfo.ini ({reason}): it needs a section [Sequence] with "
            "seqLength, frameRate, imWidth and imHeight"
        ) from None
    if min(info.frames, info.width_px, info.height_px) <= 0 or info.frame_rate <= 0:
        raise TruthError(f"{path}: seqLength, frameRate, imWidth and imHeight must be more than 0")
    return info


class _Row(NamedTuple):
    frame: int
    person: IdentifiedBox
    is_scored: bool
    is_person: bool
    is_distractor: bool


def _rows(path: Path) -> Iterator[tuple[int, _Row]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise TruthError(f"cannot read the ground truth {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TruthError(f"{path} is no text: give rows of frame, id, left, top, …") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = _parse(line)
        except (ValueError, OverflowError):
            raise TruthError(
                f"{path}, line {number}: cannot read {line[:60]!r} as "
                "frame, id, left, top, width, height, conf, …"
            ) from None
        yield number, row


def _parse(line: str) -> _Row:
    fields = [
        float(field) for field in line.strip().rstrip(",").replace(" ", ",").split(",") if field
    ]
    if len(fields) < LEAST_COLUMNS or not all(map(math.isfinite, fields)):
        raise ValueError(line)
    frame, identity, left, top, width, height = fields[:6]
    if frame != int(frame) or identity != int(identity) or width <= 0 or height <= 0:
        raise ValueError(line)
    kind = int(fields[7]) if len(fields) == MOT16_COLUMNS else PEDESTRIAN
    return _Row(
        frame=int(frame),
        person=IdentifiedBox(int(identity), (left, top, left + width, top + height)),
        is_scored=len(fields) < 7 or fields[6] != 0 or kind in DISTRACTORS,
        is_person=kind == PEDESTRIAN,
        is_distractor=kind in DISTRACTORS,
    )
