"""`python -m store_simulator`: simulate a scenario into files, to Pulsar, or both."""

import argparse
import logging
import math
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import msgspec

from replay.errors import ReplayError
from store_simulator import files
from store_simulator.errors import ScenarioInvalid, SimulatorError
from store_simulator.publishing import Destination, Published, parse_destination, publish
from store_simulator.scenario import Scenario
from store_simulator.scenario_file import load, shipped

DONE, BAD_INPUT = 0, 2
STOPPED = 130
"""What a shell reports for a command that Ctrl-C ended."""

EPILOG = """\
The same scenario and seed give the same bytes. A folder that has this simulation is left as it is,
and a publishing that was cut off and is started again goes on where it ended. What the files and
the truth hold: docs/simulator.md. Exit codes: 0 done, 2 bad input or no Pulsar, 130 stopped.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate, print what was done, and say in one line what went wrong."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    arguments = _parse(argv)
    stop = threading.Event()
    try:
        scenario = _scenario(arguments)
        destination = parse_destination(arguments.to) if arguments.to else None
        _stop_on_signals(stop)
        return _simulate(arguments, scenario, destination, stop)
    except (SimulatorError, ReplayError) as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error}", file=sys.stderr)
    return BAD_INPUT


def _simulate(
    arguments: argparse.Namespace,
    scenario: Scenario,
    destination: Destination | None,
    stop: threading.Event,
) -> int:
    expected = scenario.frames * sum(len(store.cameras) for store in scenario.stores)
    if arguments.out is not None:
        written = files.write(scenario, arguments.out, stop, overwrite=arguments.overwrite)
        if written.was_stopped:
            print(
                f"stopped: {arguments.out} holds whole lines and no whole truth: "
                "go again with --overwrite"
            )
            return STOPPED
        _print_written(arguments.out, written)
        expected = written.messages
    if destination is not None:
        published = publish(
            scenario,
            destination,
            stop,
            times_real_time=arguments.speed,
            expected=expected,
        )
        _print_published(published)
        if published.was_stopped:
            return STOPPED
    return DONE


def _scenario(arguments: argparse.Namespace) -> Scenario:
    scenario = load(arguments.scenario)
    changes = {
        name: getattr(arguments, name)
        for name in ("seed", "start", "duration_minutes")
        if getattr(arguments, name) is not None
    }
    try:
        # through the ranges of the definition again
        members = msgspec.json.decode(msgspec.json.encode(scenario)) | changes
        return msgspec.convert(members, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioInvalid(Path(arguments.scenario), None, str(error)) from None


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m store_simulator",
        description="Simulates stores: shoppers, what cameras see of them, frames, noise, truth.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "scenario", help=f"a YAML file, or one of those that are shipped: {', '.join(shipped())}"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write frames and truth here")
    parser.add_argument(
        "--to",
        metavar="pulsar://HOST:PORT/TENANT/NAMESPACE/TOPIC",
        help="publish the messages, all cameras merged by the time of sending",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="N",
        help="with --to: N times real time, or max (the default): as fast as it goes",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is in --out")
    parser.add_argument("--seed", type=int, help="instead of the scenario's")
    parser.add_argument("--start", metavar="TIME", help="such as 2026-11-23T08:00:00Z, instead")
    parser.add_argument("--duration-minutes", type=float, metavar="N", help="instead")
    arguments = parser.parse_args(argv)
    if arguments.out is None and arguments.to is None:
        parser.error("where to? give --out FOLDER, --to pulsar://…, or both")
    if arguments.speed is not None and arguments.to is None:
        parser.error("--speed is for --to: files are written as fast as it goes")
    return arguments


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not (math.isfinite(speed) and speed > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is neither max nor a number above 0")
    return speed


def _stop_on_signals(stop: threading.Event) -> None:
    def on_signal(number: int, _: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


def _print_written(folder: Path, written: files.Written) -> None:
    there = " (was there already)" if written.was_there else ""
    print(
        f"{folder}: {written.messages:,} messages of {written.frames:,} frames, "
        f"{written.usable:,} usable with {written.detections:,} detections{there}"
    )
    if written.in_raw:
        print(f"{written.in_raw:,} of them are no UTF-8: they stand in .raw, not in .jsonl")


def _print_published(published: Published) -> None:
    rate = published.published / published.seconds if published.seconds else 0.0
    print(
        f"{published.topic}: {published.simulated:,} simulated, {published.published:,} published, "
        f"{published.already_published:,} already published "
        f"({published.seconds:.1f} s, {rate:,.1f} messages/s)"
    )
    if not published.is_deduplicated:
        print(
            f"{published.topic} does not deduplicate: a second run would double everything (set "
            "the policy on its namespace; `make up` does)",
            file=sys.stderr,
        )
    if published.was_stopped:
        print("stopped: run the same command again to go on where it ended")
