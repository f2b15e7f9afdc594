"""`python -m faults` (`make faults`): rounds of faults on a stack of its own, and their cost."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from faults import catalogue, isolation, record, rounds
from faults.publishing import Published
from faults.record import OtherRun, Record
from faults.stage import Stage, StageFailed
from flink_rest.errors import FlinkRestError
from local_stack import stack
from local_stack.errors import StackError
from local_stack.fetch import fetch_all
from local_stack.settings import CHECKOUT, StackSettings

GOOD, LOST, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
ROUNDS_A_DEPLOYMENT = 10
"""Then tables, topic and checkpoints are new: a proof reads all that was published since."""
MINIO_MIB = 1024
"""Size of MinIO's disk, which is memory: ten rounds take a tenth of it."""
CHECKPOINT_INTERVAL_SECONDS = 2
WIDTH = 120
_UNUSABLE = (ValueError, isolation.CannotIsolate, OtherRun, StackError, StageFailed, FlinkRestError)
EPILOG = """\
It runs in a network and on mounts of its own, so a running `make up` goes on undisturbed, and
nothing else on this machine is touched. Ctrl-C ends it; the same command goes on with the next
round. Exit codes: 0 nothing lost or doubled and everything came back, 1 something is lost, doubled
or wrong, 2 a round could not be played to its end.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Play the rounds; returns the exit code."""
    arguments = _parse(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        faults = catalogue.chosen(arguments.only)
        if arguments.result is not None and not arguments.result.parent.is_dir():
            raise ValueError(f"--result {arguments.result}: there is no such folder")
        set_variables(arguments.data_dir)
        settings = StackSettings.load()
        if not isolation.is_isolated():
            isolation.check()
            # what must be downloaded comes now: inside there is no way out
            fetch_all(settings)
            isolation.enter(isolation.again())
        return _play_all(settings, arguments, faults)
    except (*_UNUSABLE, *rounds.AWAY) as error:
        print(f"error: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on with the next round", file=sys.stderr)
        return INTERRUPTED


def _play_all(
    settings: StackSettings, arguments: argparse.Namespace, faults: Sequence[catalogue.Fault]
) -> int:
    rounds_file = settings.data_dir / "rounds.jsonl"
    seed = arguments.seed
    if seed is None:
        before = None if arguments.afresh else record.seed_of(rounds_file)
        seed = random.randrange(1_000_000) if before is None else before
    asked = {
        "seed": seed,
        "faults": [str(each) for each in faults],
        "checkpoint_interval_seconds": int(os.environ["RVA_CHECKPOINT_INTERVAL_SECONDS"]),
    }
    console = Console(stderr=True, highlight=False)
    kept = Record(rounds_file, asked, afresh=arguments.afresh)
    console.print(f"seed {seed}, {len(faults)} faults, {arguments.rounds} rounds")
    nothing_left = kept.next_number > arguments.rounds
    if nothing_left:
        console.print(f"nothing to play: {kept.path} has these rounds; --afresh plays them anew")
    else:
        if kept.rounds:
            console.print(f"going on with round {kept.next_number}; {kept.path} has those before")
        _on_a_stack(settings, arguments, seed, faults, kept, console)
    # as wide as the table, also where there is no terminal
    record.show(kept.rounds, Console(width=WIDTH))
    told = record.result(kept.rounds, asked, _machine())
    if arguments.result is not None:
        arguments.result.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        console.print(f"written: {arguments.result}")
    return UNUSABLE if nothing_left else exit_code(told)


def exit_code(told: Mapping[str, Any]) -> int:
    """Of a result: a row too few, too many or wrong weighs more than a round that did not end."""
    if told["lost"] or told["doubled"] or told["differing"]:
        return LOST
    return UNUSABLE if told["failed"] else GOOD


def _on_a_stack(
    settings: StackSettings,
    arguments: argparse.Namespace,
    seed: int,
    faults: Sequence[catalogue.Fault],
    kept: Record,
    console: Console,
) -> None:
    isolation.bring_up_loopback()
    shutil.rmtree(settings.stack_dir, ignore_errors=True)
    shutil.rmtree(settings.data_dir / "airflow", ignore_errors=True)
    isolation.mount_small_disk(settings.stack_dir / "minio", MINIO_MIB)
    stage = Stage(
        settings,
        settings.environment(),
        settings.data_dir / "work",
        lambda line: console.print(line, markup=False, soft_wrap=True),
    )
    try:
        stack.up(settings)
        while (number := kept.next_number) <= arguments.rounds:
            last = min(arguments.rounds, number + ROUNDS_A_DEPLOYMENT - 1)
            if not _play_some(stage, range(number, last + 1), arguments, seed, faults, kept):
                if arguments.hold:
                    console.print(
                        f"held for a look: nsenter -t {os.getpid()} -n -m; Ctrl-C ends it"
                    )
                    with suppress(KeyboardInterrupt):
                        signal.pause()
                return
    finally:
        stack.down(settings)


def _play_some(
    stage: Stage,
    numbers: range,
    arguments: argparse.Namespace,
    seed: int,
    faults: Sequence[catalogue.Fault],
    kept: Record,
) -> bool:
    """Play rounds on a deployment of their own; whether all were good."""
    shutil.rmtree(stage.folder, ignore_errors=True)
    stage.folder.mkdir(parents=True)
    stage.start_jobs()
    published = Published()
    # before the first fault, a round without: what the others are compared with
    for number in (0, *numbers):
        fault = catalogue.draw(seed, number, faults) if number else None
        name = f"round {number} of {arguments.rounds}: {fault}" if number else "without a fault"
        stage.say(f"{time.strftime('%H:%M:%S')} {name}")
        played = rounds.play(
            stage,
            number,
            number or numbers.start - 1,
            fault,
            published,
            random.Random(f"{seed}/{number}"),
        )
        kept.add(played)
        stage.say(f"  {_told(played)}")
        if not played.is_good:
            return False
    stage.clear()
    return True


def _told(played: rounds.Round) -> str:
    seconds = ", ".join(f"{table} {value:g} s" for table, value in played.recovery_seconds.items())
    if not played.is_good:
        return f"FAILED after {played.seconds:.0f} s: {played.trouble}"
    return (
        f"{played.seconds:.0f} s: outage {played.outage_seconds:g} s, commits after {seconds}; "
        f"{played.messages:,} messages and {played.detections:,} detections so far, "
        f"{played.lost} lost, {played.doubled} doubled"
    )


def set_variables(data_dir: Path) -> None:
    """Have the stack, its jobs and its commands work under a folder of their own."""
    os.environ["RVA_DATA_DIR"] = str(data_dir.absolute())
    # whoever has set one for their own stack must not find it used, and cleared, by this one
    os.environ["RVA_CHECKPOINT_DIR"] = str(data_dir.absolute() / "stack" / "flink" / "checkpoints")
    os.environ.setdefault("RVA_CHECKPOINT_INTERVAL_SECONDS", str(CHECKPOINT_INTERVAL_SECONDS))


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
    }


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m faults",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=_count, default=10, metavar="N", help="(default: 10)")
    parser.add_argument(
        "--seed",
        type=int,
        help="draws the faults and their moments (default: that of the run to go on with, or any)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="FAULT",
        help=f"draw among these; may be repeated. {', '.join(map(str, catalogue.EVERY_FAULT))}",
    )
    parser.add_argument("--afresh", action="store_true", help="forget the rounds played before")
    parser.add_argument(
        "--hold", action="store_true", help="when a round fails, keep the stack running for a look"
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=CHECKOUT / "data" / "faults",
        help="the stack's data and the rounds played (default: data/faults)",
    )
    parser.add_argument(
        "--result", type=Path, metavar="JSON", help="write the table and every round here"
    )
    return parser.parse_args(argv)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rounds from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
