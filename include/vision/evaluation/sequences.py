"""What can be evaluated: a MOTChallenge folder, or our sample, with its pictures."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from vision.boxes import Image
from vision.evaluation.truth import Frames, IdentifiedBox, Truth, TruthError, read_mot_truth
from vision.sample.compose import truth_path
from vision.sources import FileSource, check_reachable
from vision.video import Video

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".ts"}
)

ANNOUNCED_OFF_BY = 2
"""A container's frame count may be off by so many; the frames that are read must be exact."""

IMAGE_FOLDER = "img1"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


class Pictures(Protocol):
    """The frames of a sequence."""

    def frames(self) -> Iterator[tuple[int, Image]]:
        """Index from 0 and image; indexes of frames that cannot be read are left out."""

    def announced_frames(self) -> int | None:
        """How many there are, where that is known before they are read."""

    def frame_rate(self) -> Fraction | None:
        """Frames a second, where they say it themselves."""


@dataclass(frozen=True)
class VideoPictures:
    """The frames of a video file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def frames(self) -> Iterator[tuple[int, Image]]:
        """Raises `SourceError` where it is no video."""
        with self._opened() as video:
            for frame in video:
                yield frame.index, frame.image

    def announced_frames(self) -> int | None:
        """What the container says; some are off by one or two."""
        with self._opened() as video:
            return video.announced_frames

    def frame_rate(self) -> Fraction | None:
        """What the container says."""
        with self._opened() as video:
            return video.frame_rate

    def _opened(self) -> Video:
        source = FileSource(self.path)
        check_reachable(source)
        return Video(source)


@dataclass(frozen=True)
class NumberedPictures:
    """The images of a MOTChallenge folder: 000001.jpg, 000002.jpg and so on."""

    paths: tuple[Path, ...]

    def __str__(self) -> str:
        return str(self.paths[0].parent)

    def frames(self) -> Iterator[tuple[int, Image]]:
        """Raises `TruthError` for one that is no image."""
        for index, path in enumerate(self.paths):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise TruthError(f"{path} cannot be read as an image: fetch the sequence again")
            yield index, np.ascontiguousarray(image, dtype=np.uint8)

    def announced_frames(self) -> int | None:
        """The number of images."""
        return len(self.paths)

    def frame_rate(self) -> Fraction | None:
        """Images say nothing of it."""
        return None


@dataclass(frozen=True, kw_only=True)
class TrueSequence:
    """A sequence whose truth is known."""

    truth: Truth
    """In the pixels that its own files speak of."""

    pictures: Pictures | None
    """None where only lines that were written earlier are to be scored."""

    is_cut: bool = False
    """Whether only the first frames are wanted, so that there may be more of them."""

    def frame_rate(self) -> Fraction:
        """Frames a second that a tracker is told: what the video says, as extraction takes it."""
        said = None if self.pictures is None else self.pictures.frame_rate()
        return said or self.truth.frame_rate


def read_sequence(text: str, *, with_pictures: bool, max_frames: int | None) -> TrueSequence:
    """What `--sequence DIR`, `DIR=VIDEO` or `sample.mp4` names. Raises `TruthError`.

    `max_frames` keeps the first so many frames of it.
    """
    folder, video = _split(text)
    if folder.is_dir():
        truth = read_mot_truth(folder)
    elif folder.suffix.lower() in VIDEO_SUFFIXES:
        truth = read_sample_truth(folder)
        video = video or folder
    else:
        raise TruthError(
            f"--sequence: there is no folder {folder}: give one with seqinfo.ini and gt/gt.txt, "
            "or our sample video"
        )
    pictures: Pictures | None = None
    if with_pictures:
        pictures = VideoPictures(video) if video else _pictures_in(folder)
        _check_length(truth, pictures, max_frames)
    is_cut = max_frames is not None
    return TrueSequence(truth=truth.first(max_frames), pictures=pictures, is_cut=is_cut)


def read_sample_truth(video: Path) -> Truth:
    """The truth that lies beside our sample video. Raises `TruthError`."""
    path = truth_path(video)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        made_with = content["made_with"]
        names = sorted({one["person"] for frame in content["frames"] for one in frame["people"]})
        frames = [frame["people"] for frame in content["frames"]]
        people: Frames = tuple(
            tuple(_sample_person(one, names.index(one["person"])) for one in frame)
            for frame in frames
        )
        return Truth(
            name=video.stem,
            width_px=int(made_with["width_px"]),
            height_px=int(made_with["height_px"]),
            frame_rate=Fraction(made_with["fps"]),
            people=people,
            distractors=tuple(() for _ in people),
        )
    except OSError as error:
        raise TruthError(
            f"cannot read {path}: {error.strerror}; it is composed with the sample video, "
            "by `python -m vision sample`"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise TruthError(
            f"{path} is not the truth of a sample video ({type(error).__name__}: {error}): "
            "compose it again by `python -m vision sample`"
        ) from None


def _sample_person(record: dict[str, Any], identity: int) -> IdentifiedBox:
    box = record["bbox"]
    return IdentifiedBox(
        identity, (float(box["x1"]), float(box["y1"]), float(box["x2"]), float(box["y2"]))
    )


def _split(text: str) -> tuple[Path, Path | None]:
    """`DIR=VIDEO` in two; a name that exists as it is may have a `=` of its own."""
    whole = Path(text).expanduser()
    if whole.exists() or "=" not in text:
        return whole, None
    folder, _, video = text.partition("=")
    return Path(folder).expanduser(), Path(video).expanduser()


def _pictures_in(folder: Path) -> Pictures:
    images = folder / IMAGE_FOLDER
    if images.is_dir():
        paths = sorted(p for p in images.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        for number, path in enumerate(paths, start=1):
            if not path.stem.isdecimal() or int(path.stem) != number:
                raise TruthError(
                    f"{images} should have image {number:06d} where it has {path.name}: "
                    "its images must be numbered from 1 without a gap"
                )
        if paths:
            return NumberedPictures(tuple(paths))
    videos = sorted(p for p in folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)
    if len(videos) == 1:
        return VideoPictures(videos[0])
    if videos:
        names = ", ".join(p.name for p in videos)
        raise TruthError(f"{folder} has several videos ({names}): say {folder}=VIDEO")
    raise TruthError(f"{folder} has neither {IMAGE_FOLDER}/ nor a video: say {folder}=VIDEO")


def _check_length(truth: Truth, pictures: Pictures, max_frames: int | None) -> None:
    """What plainly does not fit, told before anything is detected in it."""
    there, true = pictures.announced_frames(), len(truth.people)
    if there is None:
        return
    wanted = true if max_frames is None else min(max_frames, true)
    too_few = there < wanted - ANNOUNCED_OFF_BY
    too_many = max_frames is None and there > true + ANNOUNCED_OFF_BY
    if too_few or too_many:
        raise frames_do_not_match(truth, str(pictures), there)


def frames_do_not_match(truth: Truth, what: str, frames: int) -> TruthError:
    """The error for so many frames of `what` where the truth has others."""
    return TruthError(
        f"{what} has {frames} frames, the ground truth of {truth.name} has {len(truth.people)}: "
        "give the video that it was made for, or --max-frames to score the first ones only"
    )
