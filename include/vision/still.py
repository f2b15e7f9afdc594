"""`python -m vision still`: a camera's picture with nobody in it, for the store page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from frame_contract import Frame, stills
from vision.annotation import matched_frames, pictures_rate, recorded_source
from vision.errors import OutputError
from vision.parser import OneLineParser
from vision.paths import partial_path, telling
from vision.reading import MetadataError, open_run
from vision.settings import PERSON
from vision.sources import check_reachable
from vision.video import Video

JPEG_QUALITY = 85
_EPILOG = """\
The first frame in which the detector found nobody is kept, as a JPEG, for the heat map of the store
page to lie on. Whom the detector missed may be in it: look at it. It is never made unless you ask,
and `rm` takes it away again.
"""


@dataclass(frozen=True, kw_only=True)
class StillSettings:
    """What to look through."""

    input: str
    """The video, or the folder, that the lines were made from."""

    jsonl: str

    run_id: str | None = None
    """The run to look through, where the JSONL has several."""

    output: str | None = None
    """The JPEG to write; None: where the store page looks for the camera's."""


def run_still(arguments: Sequence[str]) -> int:
    """Keep what the arguments ask for; the exit code."""
    parser = OneLineParser(
        prog="python -m vision still",
        description="Keeps a frame of a camera with nobody in it.",
        epilog=_EPILOG,
    )
    add = parser.add_argument
    add("--input", required=True, metavar="FILE", help="the video, or folder, that was read")
    add("--jsonl", required=True, metavar="FILE", help="the lines that were written")
    add(
        "--run-id",
        metavar="ID",
        help="the run to look through, where the JSONL has several (default: the one there is)",
    )
    add(
        "--output",
        metavar="FILE.jpg",
        help="the JPEG to write (default: where the store page looks for the camera's)",
    )
    print(keep_still(StillSettings(**vars(parser.parse_args(arguments)))))
    return 0


def keep_still(settings: StillSettings) -> Path:
    """Write the JPEG whole, and say where. Raises `VisionError`, leaving no half file."""
    source = recorded_source(settings.input)
    run = open_run(Path(settings.jsonl).expanduser(), settings.run_id)
    if all(_shows_people(frame) for frame in run):
        raise MetadataError(
            f"{run.path}: somebody is in every frame of {run.run_id}: give a recording of the "
            "empty shop"
        )
    check_reachable(source)
    with Video(source, frame_rate=pictures_rate(source, run)) as video:
        for image, frame in matched_frames(video, run):
            if not _shows_people(frame):
                names = frame.source.store_id, frame.source.camera_id
                path = (
                    stills.path_of(stills.folder(), *names)
                    if settings.output is None
                    else Path(settings.output).expanduser()
                )
                _write(path, cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]))
                return path
    raise MetadataError(f"{run.path} has no frame without people that {source} has too")


def _shows_people(frame: Frame) -> bool:
    return any(one.class_name == PERSON for one in frame.detections)


def _write(path: Path, encoded: tuple[bool, "cv2.typing.MatLike"]) -> None:
    done, content = encoded
    if not done:
        raise OutputError(f"cannot write {path}: the frame cannot be made a JPEG")
    with telling(OutputError, f"cannot write {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = partial_path(path)
        partial.write_bytes(content.tobytes())
        partial.replace(path)
