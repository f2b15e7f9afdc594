"""`python -m vision sample`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from vision.environment import data_directory
from vision.parser import OneLineParser
from vision.sample.compose import CODECS, SampleSettings, compose_sample, truth_path


def run_sample(arguments: Sequence[str]) -> int:
    """Compose the sample video, or say that it is there; the exit code."""
    parser = OneLineParser(
        prog="python -m vision sample",
        description="Composes a video of people who walk about a drawn shop, and beside it "
        "(sample.truth.json) where each of them is in each frame. It needs no download and no "
        "detector, and does nothing when the same sample is there already.",
        epilog="The people are cut out of a picture inside the ultralytics package, AGPL-3.0.",
    )
    default = data_directory() / "sample" / "sample.mp4"
    parser.add_argument(
        "--output", type=Path, default=default, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--seconds", type=int, default=SampleSettings.seconds, help="default: %(default)s"
    )
    parser.add_argument(
        "--fps", type=int, default=SampleSettings.fps, help="frames a second, default: %(default)s"
    )
    parser.add_argument(
        "--codec",
        choices=CODECS,
        default=SampleSettings.codec,
        help="vp09 plays in browsers too, mp4v is written faster; default: %(default)s",
    )
    given = parser.parse_args(arguments)
    names = {field.name for field in dataclasses.fields(SampleSettings)}
    settings = SampleSettings(**{k: v for k, v in vars(given).items() if k in names})
    is_new = compose_sample(given.output.expanduser(), settings)
    print(
        f"{given.output} {'composed' if is_new else 'is there already'}: {settings.seconds} s at "
        f"{settings.fps} frames/s; the truth is in {truth_path(given.output).name}"
    )
    return 0
