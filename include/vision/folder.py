"""Folders of videos or of pictures: what is in them, in the order in which people count."""

import re
from dataclasses import dataclass
from pathlib import Path

from vision.errors import SourceError

VIDEO_SUFFIXES = (
    *(".3gp", ".264", ".265", ".asf", ".avi", ".dav", ".flv", ".h264", ".h265", ".hevc", ".m2ts"),
    *(".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv"),
    *(".ts", ".vob", ".webm", ".wmv"),
)
"""What the videos of a folder are known by; other files, such as `.json`, are passed over."""

PICTURE_SUFFIXES = (
    ".bmp",
    ".jp2",
    ".jpeg",
    ".jpg",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)

_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class FolderContent:
    """The files to be read in order, all videos or all pictures."""

    files: tuple[Path, ...]
    are_pictures: bool
    passed_over: tuple[Path, ...]
    """Files that are not known by their suffix."""


def check_folder(path: Path) -> FolderContent:
    """What is in the folder, without what lies deeper or is hidden. Raises `SourceError`."""
    try:
        files = [each for each in path.iterdir() if not each.name.startswith(".")]
        files = [each for each in files if each.is_file()]
    except OSError as error:
        raise SourceError(
            f"cannot read {path}: {error.strerror}; may you read it, and is its disk there?"
        ) from None
    videos = [each for each in files if each.suffix.lower() in VIDEO_SUFFIXES]
    pictures = [each for each in files if each.suffix.lower() in PICTURE_SUFFIXES]
    if videos and pictures:
        raise SourceError(
            f"{path} is a folder with videos ({len(videos)}) and pictures ({len(pictures)}): "
            "put them in two folders, or give one file"
        )
    if not videos and not pictures:
        raise SourceError(
            f"{path} is a folder without a video or a picture: "
            "give a video file, or a folder that holds some"
        )
    return FolderContent(
        files=tuple(sorted(videos or pictures, key=natural_key)),
        are_pictures=bool(pictures),
        passed_over=tuple(each for each in files if each not in {*videos, *pictures}),
    )


def natural_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sorts `2.mp4` before `10.mp4`, and upper case beside lower case."""
    parts = _NUMBER.split(path.name.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p], path.name
