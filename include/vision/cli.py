"""The command line: `extract` (the default) and the other commands."""

import argparse
import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from vision import outcome
from vision.errors import SettingsError, VisionError
from vision.options import (
    DETECTOR_HELP,
    EMBEDDER_HELP,
    TRACKER_HELP,
    add_looking_options,
    to_extract_settings,
)
from vision.parser import OneLineParser
from vision.settings import CLOCKS, DEFAULT_CLASSES, EMBEDDERS, TRACKERS, ExtractSettings

EXIT_BAD_INPUT = 2

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")

_EXTRACT_EPILOG = """\
examples:
  python -m vision --input visit.mp4 --start-time 2026-11-24T10:15:00Z
  python -m vision --input 0 --show                       a camera, with a window
  python -m vision --input rtsp://user:pass@10.0.0.7/ch1  a camera on the network
  python -m vision sample                                 composes a sample video

exit codes: 0 done (also after q in the window); 2 bad input, a recording with frames that cannot be
read, a lost camera, or a detector that failed, with one line on stderr that says what to do;
130 after Ctrl-C and 143 after SIGTERM, the file being whole up to there. A second Ctrl-C ends at
once and leaves <output>.partial, with whole lines. --outcome tells the same to programs.
"""


class Stop:
    """Turns the first SIGINT or SIGTERM into a request; the second does what it always did."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def listen(self) -> None:
        """From now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request)

    def _request(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.signal_number = number
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        # not by print, whose lock the interrupted code may hold; who read it may be gone
        with contextlib.suppress(OSError):
            os.write(2, b"\nstopping after this frame; once more to stop at once\n")

    def is_requested(self) -> bool:
        """Whether a signal has come."""
        return self.signal_number is not None


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def _terminate(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    # a second one, while things are put in order, ends at once
    signal.signal(number, signal.SIG_DFL)
    raise _Terminated


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = given.pop(0) if given and given[0] in _COMMANDS else "extract"
    # as Ctrl-C does it: no half file is left; commands that end more gently listen themselves
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _COMMANDS[command](given)
    except VisionError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt as interruption:
        print("error: interrupted", file=sys.stderr)
        was_terminated = isinstance(interruption, _Terminated)
        return 128 + (signal.SIGTERM if was_terminated else signal.SIGINT)


def _extract(arguments: Sequence[str]) -> int:
    told_to = outcome.path_given(arguments)
    source: str | None = None
    try:
        settings = parse_extract_arguments(arguments)
        source = settings.input
        code = _run(settings)
    except VisionError as error:
        told = outcome.Outcome(
            code=EXIT_BAD_INPUT,
            error=str(error),
            kind=type(error).__name__,
            may_heal=outcome.may_heal(error, source),
        )
        outcome.write(told_to, told)
        raise
    outcome.write(told_to, outcome.Outcome(code=code))
    return code


def _run(settings: ExtractSettings) -> int:
    stop = Stop()
    stop.listen()
    # OpenCV and the tracker take a second to import: not for --help
    from vision.errors import StoppedEarlyError
    from vision.run import extract

    try:
        summary = extract(settings, stop.is_requested)
        rate = summary.frames / summary.seconds if summary.seconds else 0.0
        print(
            f"{summary.frames} frames, {summary.detections} detections, {summary.tracks} tracks "
            f"by {summary.detector} and {summary.tracker} in {summary.seconds:.1f} s "
            f"({rate:.1f} frames/s); run {summary.run_id}\n{summary.output or summary.to}"
        )
    except StoppedEarlyError as error:
        # as was asked: no error
        print(error, file=sys.stderr)
    return 0 if stop.signal_number is None else 128 + stop.signal_number


def parse_extract_arguments(arguments: Sequence[str]) -> ExtractSettings:
    """The settings that the command line asks for; raises `SettingsError`."""
    parser = OneLineParser(
        prog="python -m vision",
        description="Finds and follows people in a video and writes one JSON line a frame "
        "(the extract command). Other commands: "
        f"{', '.join(name for name in _COMMANDS if name != 'extract')}.",
        epilog=_EXTRACT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--input",
        required=True,
        metavar="X",
        help="a video file, a folder of videos or pictures, a camera's index (0), or an "
        "address: rtsp://, rtsps://, http://, https://; '${NAME}' is what the environment's "
        "variable NAME holds, so that a password stands in no list of processes",
    )
    add(
        "--output",
        metavar="FILE",
        help="the JSONL (default: metadata/video.jsonl in RVA_DATA_DIR, or in ./data)",
    )
    add(
        "--summary",
        metavar="FILE",
        help="the summary (default: beside the output, video.summary.json for video.jsonl)",
    )
    add(
        "--outcome",
        metavar="FILE.outcome.json",
        help="how the run ended, as JSON (default: nowhere)",
    )
    add("--store-id", default=ExtractSettings.store_id, metavar="ID", help="default: %(default)s")
    add("--camera-id", default=ExtractSettings.camera_id, metavar="ID", help="default: %(default)s")
    add("--stream-id", default=ExtractSettings.stream_id, metavar="ID", help="default: %(default)s")
    add(
        "--run-id",
        metavar="ID",
        help="names this capture (default: <store>-<camera>-<start time as 20261124T101500Z>)",
    )
    add(
        "--start-time",
        metavar="TIME",
        help="when the capture began, ISO 8601, UTC unless it says otherwise (default: now)",
    )
    add("--detector", default=ExtractSettings.detector, metavar="NAME", help=DETECTOR_HELP)
    add("--tracker", choices=TRACKERS, default=ExtractSettings.tracker, help=TRACKER_HELP)
    add("--embedder", choices=EMBEDDERS, default=ExtractSettings.embedder, help=EMBEDDER_HELP)
    add_looking_options(parser)
    add(
        "--classes",
        default=",".join(DEFAULT_CLASSES),
        metavar="NAMES",
        help="what to look for, by COCO's names, comma separated (default: %(default)s)",
    )
    add("--max-frames", type=int, metavar="N", help="stop after N frames (default: at the end)")
    add(
        "--frame-rate",
        metavar="N[/D]",
        help="frames a second, such as 25 or 30000/1001, where the file says none or a "
        "wrong one (default: what the file says)",
    )
    add(
        "--clock",
        choices=CLOCKS,
        default=ExtractSettings.clock,
        help="time a file's frames by its frame rate, or by its own time stamps (pts); auto "
        "(default): by the rate where the stamps are evenly spaced, else by them",
    )
    add(
        "--to",
        metavar="URL",
        help="publish each line to pulsar://HOST:PORT[/TENANT/NAMESPACE/TOPIC]; a file is then "
        "written only with --output (default: nowhere)",
    )
    add(
        "--resume",
        action="store_true",
        help="go on behind the last line of the output, in the same run",
    )
    add(
        "--reconnect-seconds",
        type=_seconds_or_ever,
        default=ExtractSettings.reconnect_seconds,
        metavar="S",
        help="try a lost camera again for so long; `ever` never gives up (default: %(default)g)",
    )
    add(
        "--accept-damage",
        action="store_true",
        help="end with 0 though frames of the recording cannot be read",
    )
    add(
        "--show", action="store_true", help="open a window with boxes, ids and rate; q or ESC stops"
    )
    given = vars(parser.parse_args(arguments))
    # the caller's, who has its path already
    del given["outcome"]
    given["input"] = _from_environment(given["input"])
    classes = [name.strip() for name in given.pop("classes").split(",")]
    return to_extract_settings(given | {"classes": tuple(dict.fromkeys(filter(None, classes)))})


def _from_environment(text: str) -> str:
    variable = _VARIABLE.fullmatch(text)
    if variable is None:
        return text
    value = os.environ.get(variable["name"])
    if not value:
        raise SettingsError(f"--input {text}: {variable['name']} is not set in the environment")
    return value


def _seconds_or_ever(text: str) -> float | None:
    if text == "ever":
        return None
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"seconds, or `ever`, not {text!r}") from None


# each imports what it needs when it runs: some of it takes seconds


def _sample(arguments: Sequence[str]) -> int:
    from vision.sample.command import run_sample

    return run_sample(arguments)


def _evaluate(arguments: Sequence[str]) -> int:
    from vision.evaluation.command import run_evaluate

    return run_evaluate(arguments)


def _annotate(arguments: Sequence[str]) -> int:
    from vision.annotation import run_annotate

    return run_annotate(arguments)


def _still(arguments: Sequence[str]) -> int:
    from vision.still import run_still

    return run_still(arguments)


def _cameras(arguments: Sequence[str]) -> int:
    from vision.cameras.command import run_cameras

    return run_cameras(arguments)


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "extract": _extract,
    "sample": _sample,
    "cameras": _cameras,
    "evaluate": _evaluate,
    "annotate": _annotate,
    "still": _still,
}
