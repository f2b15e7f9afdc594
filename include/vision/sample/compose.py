"""Composing the sample video, and beside it the truth of who is where."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vision import progress
from vision.boxes import Image, PixelBox
from vision.errors import OutputError, SettingsError
from vision.output import write_whole
from vision.sample import outlines
from vision.sample.paths import poses_at
from vision.sample.people import cut_people, draw_person, picture_path
from vision.sample.shop import draw_shop, feet_y_px, person_height_px

EDITION = 1
"""Raise it when the same settings draw something else, so that old samples are made again."""

CODECS = ("vp09", "mp4v")
"""VP9, which browsers play too; MPEG-4, which is written ten times faster."""

LEAST_VISIBLE = 0.05
"""Who shows less of themselves is not in the truth."""


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """What the sample looks like."""

    seconds: int = 20
    fps: int = 10
    width_px: int = 640
    height_px: int = 480
    codec: str = "vp09"

    def __post_init__(self) -> None:
        if self.seconds < 1 or self.fps < 1:
            raise SettingsError("--seconds and --fps must be 1 or more")
        if self.codec not in CODECS:
            raise SettingsError(f"--codec must be {' or '.join(CODECS)}, not {self.codec!r}")


@dataclass(frozen=True)
class TruePerson:
    """Where a person is in a frame: the box around what is inside the image, hidden or not."""

    person: str
    box: PixelBox
    visible: float
    """The share of the person that is inside the image and not hidden by others, 0 to 1."""


@dataclass(frozen=True)
class TrueFrame:
    """One frame's image and truth."""

    image: Image
    people: tuple[TruePerson, ...]


def sample_frames(settings: SampleSettings) -> Iterator[TrueFrame]:
    """The frames in their order; the same for the same settings."""
    shop = draw_shop(settings.width_px, settings.height_px)
    people = cut_people()
    for number in range(settings.seconds * settings.fps):
        canvas = shop.copy()
        placed = []
        for pose in poses_at(number / settings.fps):
            feet = feet_y_px(pose.y, settings.height_px)
            tall = person_height_px(feet, settings.height_px)
            where = (pose.x * settings.width_px, feet - pose.bounce * tall)
            drawn = draw_person(
                canvas,
                people[pose.person],
                where,
                tall,
                faces_left=pose.faces_left,
                lean_degrees=pose.lean_degrees,
            )
            placed.append((pose.person, drawn))
        truth = []
        uncovered = np.ones(canvas.shape[:2], dtype=np.float32)
        for person, drawn in reversed(placed):
            visible = float((drawn.opacity * uncovered).sum()) / drawn.whole_area_px
            uncovered *= 1 - drawn.opacity
            if drawn.box is not None and visible >= LEAST_VISIBLE:
                truth.append(TruePerson(person, drawn.box, round(min(visible, 1.0), 3)))
        image = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
        yield TrueFrame(image, tuple(sorted(truth, key=lambda one: one.person)))


def truth_path(video: Path) -> Path:
    """`sample.truth.json` for `sample.mp4`."""
    return video.with_name(f"{video.stem}.truth.json")


def compose_sample(output: Path, settings: SampleSettings) -> bool:
    """Write the video and its truth; False when both are there already, made alike.

    Raises `OutputError`. Interrupted, it leaves no half video under the name.
    """
    made_with = _made_with(settings)
    if output.is_file() and _truth_made_with(truth_path(output)) == made_with:
        return False
    if output.suffix.lower() != ".mp4":
        raise OutputError(f"--output must end in .mp4, not {output}")
    partial = output.with_name(f"{output.stem}.partial.mp4")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        frames = _write_video(partial, settings)
        # the truth is the sign of a whole sample: gone before the video changes, last to come
        truth_path(output).unlink(missing_ok=True)
        partial.replace(output)
    except OSError as error:
        raise OutputError(f"cannot write {output}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    truth = {"made_with": made_with, "video": output.name, "frames": frames}
    write_whole(truth_path(output), json.dumps(truth, indent=None) + "\n")
    return True


def _write_video(path: Path, settings: SampleSettings) -> list[dict[str, Any]]:
    """The truth of each frame, the frames being written to `path`."""
    writer = cv2.VideoWriter(
        str(path),
        cv2.CAP_FFMPEG,
        cv2.VideoWriter.fourcc(*settings.codec),
        settings.fps,
        (settings.width_px, settings.height_px),
    )
    if not writer.isOpened():
        raise OutputError(
            f"cannot write {path}: is there space, and may you write there? "
            f"Else this OpenCV has no {settings.codec} encoder: try another --codec"
        )
    frames = []
    try:
        with progress.Progress(settings.seconds * settings.fps) as shown:
            for number, frame in enumerate(sample_frames(settings)):
                writer.write(frame.image)
                frames.append({"frame_index": number, "people": _as_json(frame.people)})
                shown.advance()
    finally:
        writer.release()
    return frames


def _as_json(people: tuple[TruePerson, ...]) -> list[dict[str, Any]]:
    return [
        {"person": one.person, "bbox": one.box._asdict(), "visible": one.visible} for one in people
    ]


def _made_with(settings: SampleSettings) -> dict[str, Any]:
    picture = hashlib.sha256(picture_path().read_bytes()).hexdigest()
    return asdict(settings) | {"edition": EDITION, outlines.PICTURE: picture}


def _truth_made_with(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("made_with")
    except (OSError, ValueError, AttributeError):
        return None
