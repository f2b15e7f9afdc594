"""`python -m vision evaluate`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields

from vision.evaluation.settings import FORMATS, EvaluateSettings
from vision.options import (
    DETECTOR_HELP,
    EMBEDDER_HELP,
    TRACKER_HELP,
    add_looking_options,
    to_extract_settings,
)
from vision.parser import OneLineParser

_DESCRIPTION = """\
Measures detectors and trackers against ground truth: HOTA, MOTA, IDF1, switches of identity, and
by how much the people of a minute are miscounted. A video is looked at as extraction does it with
the same options. Each detector goes through it once, and all trackers get the same detections.
"""

_EPILOG = """\
A sequence is a folder in MOTChallenge's form: seqinfo.ini (imWidth, imHeight, frameRate,
seqLength), gt/gt.txt, and the pictures as img1/ or as one video in it. Where the video lies
elsewhere, say DIR=VIDEO; where it has another size, the ground truth is scaled to it. Our sample
video is a sequence too: its truth lies beside it.

examples:
  python -m vision evaluate --sequence mot/TUD-Stadtmitte
  python -m vision evaluate --sequence mot/PETS09-S2L1=vtest_480x360.mp4 \\
      --tracker deepsort,bytetrack,botsort --library-defaults --format markdown
  python -m vision evaluate --sequence data/sample/sample.mp4 --detector yolo,hog
  python -m vision evaluate --sequence mot/TUD-Stadtmitte --jsonl data/metadata/video.jsonl

The table goes to stdout, progress to stderr. A tracker is called `deepsort/histogram` by its
embedder, and `deepsort (library)` as its library delivers it.
"""


def run_evaluate(arguments: Sequence[str]) -> int:
    """Score what the arguments ask for and print the table; the exit code."""
    settings = parse_evaluate_arguments(arguments)
    # TrackEval and the trackers take seconds to import: not for --help
    from vision.evaluation.evaluate import evaluate
    from vision.evaluation.table import render
    from vision.evaluation.trials import Trial, over_all

    trials: list[Trial] = []
    try:
        for trial in evaluate(settings):
            trials.append(trial)
    finally:
        # what was measured before an interruption took minutes: it is shown all the same
        if trials:
            sys.stdout.write(render([*trials, *over_all(trials)], settings.form))
            sys.stdout.flush()
    return 0


def parse_evaluate_arguments(arguments: Sequence[str]) -> EvaluateSettings:
    """The settings that the command line asks for; raises `SettingsError`."""
    parser = OneLineParser(
        prog="python -m vision evaluate",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--sequence",
        dest="sequences",
        action="append",
        required=True,
        metavar="DIR[=VIDEO]",
        help="a MOTChallenge folder, or our sample video; give it again for several",
    )
    add(
        "--jsonl",
        action="append",
        default=[],
        metavar="FILE",
        help="score these lines, written earlier, instead of running anything; one for each "
        "--sequence (default: run the detectors and trackers)",
    )
    add(
        "--run-id",
        metavar="ID",
        help="the run to score, where the JSONL has several (default: the one that there is)",
    )
    add(
        "--max-frames",
        type=int,
        metavar="N",
        help="only the first N frames of each sequence (default: all)",
    )
    add(
        "--detector",
        dest="detectors",
        type=_names,
        default=EvaluateSettings.detectors,
        metavar="NAMES",
        help=f"{DETECTOR_HELP}; several with commas",
    )
    add(
        "--tracker",
        dest="trackers",
        type=_names,
        default=EvaluateSettings.trackers,
        metavar="NAMES",
        help=f"{TRACKER_HELP}; several with commas",
    )
    add(
        "--embedder",
        dest="embedders",
        type=_names,
        default=EvaluateSettings.embedders,
        metavar="NAMES",
        help=f"{EMBEDDER_HELP}; several with commas",
    )
    add(
        "--library-defaults",
        action="store_true",
        help="add the trackers as their libraries deliver them: DeepSort() of deep-sort-realtime, "
        "ByteTrack and BoT-SORT by Ultralytics' YAML",
    )
    add_looking_options(parser)
    add(
        "--format",
        dest="form",
        choices=FORMATS,
        default=FORMATS[0],
        help="how the table is written (default: %(default)s)",
    )
    given = vars(parser.parse_args(arguments))
    own = {
        each.name: given.pop(each.name) for each in fields(EvaluateSettings) if each.name in given
    }
    own |= {name: tuple(own[name]) for name in ("sequences", "jsonl")}
    return EvaluateSettings(**own, looking=to_extract_settings({"input": "evaluate", **given}))


def _names(text: str) -> tuple[str, ...]:
    """`yolo,hog` in two, each once."""
    return tuple(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))
