"""`python -m replay`: publish a file of frame metadata to Pulsar."""

import argparse
import dataclasses
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from replay.errors import ReplayError
from replay.publish import replay_file
from replay.settings import DEFAULT_FPS, ReplaySettings
from replay.summary import ReplaySummary

DEFAULT_INPUT = Path("data/metadata/video.jsonl")
DONE, BAD_INPUT = 0, 2
STOPPED = 130
"""What a shell reports for a command that Ctrl-C ended."""

EPILOG = """\
Each frame is published once: cut off and run again, it goes on where it ended, and a second
replay of a file publishes nothing. Exit codes: 0 done, 2 bad input or no Pulsar, 130 stopped.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Publish, print what was done, and say in one line what went wrong."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    stop = threading.Event()
    try:
        arguments = _parse(argv)
        settings = dataclasses.replace(
            ReplaySettings.from_env(),
            fps=arguments.fps,
            raw=arguments.raw,
            limit=arguments.limit,
            **{
                name: getattr(arguments, name)
                for name in ("topic", "pulsar_url")
                if getattr(arguments, name) is not None
            },
        )
        _stop_on_signals(stop)
        summary = replay_file(arguments.input, settings, stop)
        if arguments.summary is not None:
            summary.write(arguments.summary)
    except ReplayError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(f"error: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    _print(summary)
    return STOPPED if summary.was_stopped else DONE


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m replay",
        description="Publishes frame metadata (JSONL, one message a line) to a Pulsar topic.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--input", type=Path, default=DEFAULT_INPUT, help="the file (default: %(default)s)"
    )
    parser.add_argument(
        "--fps",
        type=float,
        default=DEFAULT_FPS,
        help="frames a second over the whole file; 0: as fast as it goes (default: %(default)g)",
    )
    parser.add_argument(
        "--raw",
        action="store_true",
        help="publish every line as it is; without it, a file with malformed lines is refused",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="publish the first N lines only")
    parser.add_argument(
        "--topic", help="default: RVA_TOPIC, else persistent://retail/metadata/events"
    )
    parser.add_argument(
        "--pulsar-url",
        metavar="URL",
        help="default: RVA_PULSAR_URL, else pulsar://127.0.0.1:6650",
    )
    parser.add_argument("--summary", type=Path, metavar="JSON", help="write what was done here")
    return parser.parse_args(argv)


def _stop_on_signals(stop: threading.Event) -> None:
    def on_signal(number: int, _: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


def _print(summary: ReplaySummary) -> None:
    if len(summary.runs) > 1:
        for run in summary.runs:
            print(f"{run.producer_name}: {_counts(run.read, run.published, run.already_published)}")
    counts = _counts(summary.read, summary.published, summary.already_published)
    rate = f"{summary.seconds:.1f} s, {summary.frames_per_second:,.1f} frames/s"
    print(f"{summary.path}: {counts} ({rate}) → {summary.topic}")
    if summary.was_stopped:
        print("stopped: run the same command again to go on where it ended")


def _counts(read: int, published: int, already_published: int) -> str:
    return f"{read:,} read, {published:,} published, {already_published:,} already published"
