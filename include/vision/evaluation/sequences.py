"""What can be evaluated: a MOTChallenge folder, or our sample, with its pictures."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from vision import progress
from vision.evaluation.truth import Frames, IdentifiedBox, Truth, TruthError, read_mot_truth
from vision.folder import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from vision.sample.compose import truth_path
from vision.sources import FileSource, FolderSource, RecordedSource, check_reachable
from vision.video import Video, VideoFrame

ANNOUNCED_OFF_BY = 2
"""A container's frame count may be off by so many; the frames that are read must be exact."""

IMAGE_FOLDER = "img1"
EPOCH = datetime.fromtimestamp(0, UTC)
"""When every sequence begins: what a tracker does with times must not differ from run to run."""


class OpenedPictures(Protocol):
    """What `Video` gives of a recording."""

    @property
    def frame_size(self) -> tuple[int, int]:
        """(height, width) of every frame."""

    @property
    def announced_frames(self) -> int | None:
        """How many there should be, where that is known."""

    @property
    def unreadable(self) -> int:
        """Frames that could not be read so far."""

    def __iter__(self) -> Iterator[VideoFrame]:
        """Those that can be read, once."""


class Pictures(Protocol):
    """The frames of a sequence; as text, where they lie."""

    def opened(self, fps_limit: float | None = None) -> AbstractContextManager[OpenedPictures]:
        """From the first on, timed from `EPOCH` on, no more a second than the limit."""


@dataclass(frozen=True)
class RecordedPictures:
    """A video, or the images of a MOTChallenge folder."""

    source: RecordedSource

    frame_rate: Fraction | None = None
    """Of images, which do not say it themselves."""

    def __str__(self) -> str:
        return str(self.source)

    def opened(self, fps_limit: float | None = None) -> Video:
        """As extraction opens it. Raises `SourceError`."""
        check_reachable(self.source)
        return Video(
            self.source,
            frame_rate=self.frame_rate,
            start=EPOCH,
            fps_limit=fps_limit,
            warn=progress.warn,
        )


@dataclass(frozen=True, kw_only=True)
class TrueSequence:
    """A sequence whose truth is known."""

    truth: Truth
    """In the pixels that its own files speak of."""

    pictures: Pictures | None
    """None where only lines that were written earlier are to be scored."""

    is_cut: bool = False
    """Whether only the first frames are wanted, so that there may be more of them."""


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
        pictures = (
            RecordedPictures(FileSource(video)) if video else _pictures_in(folder, truth.frame_rate)
        )
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


def _pictures_in(folder: Path, frame_rate: Fraction) -> Pictures:
    images = folder / IMAGE_FOLDER
    if images.is_dir():
        paths = sorted(p for p in images.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        for number, path in enumerate(paths, start=1):
            if not path.stem.isdecimal() or int(path.stem) != number:
                raise TruthError(
                    f"{images} should have image {number:06d} where it has {path.name}: "
                    "its images must be numbered from 1 without a gap"
                )
        if paths:
            return RecordedPictures(FolderSource(images), frame_rate)
    videos = sorted(p for p in folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)
    if len(videos) == 1:
        return RecordedPictures(FileSource(videos[0]))
    if videos:
        names = ", ".join(p.name for p in videos)
        raise TruthError(f"{folder} has several videos ({names}): say {folder}=VIDEO")
    raise TruthError(f"{folder} has neither {IMAGE_FOLDER}/ nor a video: say {folder}=VIDEO")


def _check_length(truth: Truth, pictures: Pictures, max_frames: int | None) -> None:
    """What plainly does not fit, told before anything is detected in it."""
    with pictures.opened() as video:
        there, true = video.announced_frames, len(truth.people)
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
