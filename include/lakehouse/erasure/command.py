"""`python -m lakehouse erase`: a store, camera, run or track, out of every layer, with a proof."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rich.console import Console

from lakehouse.catalog import connect
from lakehouse.erasure.erasing import Erasure
from lakehouse.erasure.errors import NobodyToAsk
from lakehouse.erasure.scanning import Scan
from lakehouse.erasure.selection import Selection
from lakehouse.maintenance.streams import STREAMS
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import printable, say

GONE, LEFT = 0, 1
NAMED = 20
"""Files that are named on the screen."""
EPILOG = """\
What is captured from --from on and before --to (UTC) goes; without them, all of it. Safe while the
streaming jobs run. Cut off, run again: it completes. It does not reach the topic, videos, files of
frame metadata, checkpoints and logs: docs/privacy.md. Exit codes: 0 nothing of it is left in any
file, live or not (or it was only counted: --dry-run); 1 something is, and is named, or nobody
agreed; 2 refused, bad input, or a server is down.
"""


def add_command(commands: Any) -> None:
    """Add `erase` to the command line."""
    parser = commands.add_parser(
        "erase",
        help="erase a store, camera, run or track from every layer, past included, and prove it",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--store", required=True, metavar="ID")
    parser.add_argument("--camera", metavar="ID")
    parser.add_argument("--run", dest="run_id", metavar="ID", help="needs --camera")
    parser.add_argument("--track", type=int, metavar="N", help="needs --run")
    for option, name in (("--from", "since"), ("--to", "until")):
        parser.add_argument(
            option, dest=name, type=_moment, metavar="TIME", help="2026-11-24T10:15:00Z (UTC)"
        )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="count, and change nothing")
    how.add_argument("--scan-only", action="store_true", help="only the proof: look for it")
    parser.add_argument(
        "--forget",
        action="append",
        default=[],
        choices=[each.job for each in STREAMS],
        help="go on though this job needs what must go, since it will be rebuilt",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Count, ask, erase, prove; 0 nothing is left, 1 something is."""
    selection = Selection(
        store_id=arguments.store,
        camera_id=arguments.camera,
        run_id=arguments.run_id,
        track_id=arguments.track,
        since=arguments.since,
        until=arguments.until,
    )
    erasure = Erasure(
        connect(settings),
        settings,
        selection,
        lambda line: say(console, line),
        tuple(arguments.forget),
    )
    say(console, f"{settings.database}: {printable(selection)}")
    if arguments.scan_only:
        return _tell_proof(erasure.prove(), (), console)
    found = erasure.count()
    _tell_found(found, console)
    if arguments.dry_run:
        return GONE
    if found:
        erasure.check(found)
        if not arguments.yes and not _agrees():
            say(console, "nothing was erased")
            return LEFT
    proof = erasure.erase() if found else erasure.prove()
    _tell_days(erasure.trail.days, console)
    ends = erasure.open_windows()
    if ends is not None:
        say(
            console,
            "streaming Gold has windows open that counted it, and shows them when they end: once "
            f"frames later than {ends:%Y-%m-%d %H:%M} UTC have passed, run the same command again",
        )
    return _tell_proof(proof, erasure.left, console)


def ranges(days: Iterable[date]) -> list[tuple[date, date]]:
    """Days put together to first and last of what is without a gap."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _tell_found(found: Mapping[str, Mapping[str, int]], console: Console) -> None:
    for name, files in found.items():
        data = {path: rows for path, rows in files.items() if path.endswith(".parquet")}
        say(
            console,
            f"{name}: {sum(data.values()):,} rows in {len(data):,} files, live or not, and "
            f"{len(files) - len(data):,} manifests",
        )
    if not found:
        say(console, "there is nothing of it")


def _tell_days(days: Iterable[date], console: Console) -> None:
    """Gold of these has lost rows that others went into too."""
    today = datetime.now(UTC).date()
    for first, last in ranges(day for day in days if day < today):
        say(console, f"to count anew what is left of others: make backfill FROM={first} TO={last}")
    for day in sorted(day for day in days if day >= today):
        say(console, f"Gold of {day} has not ended: the night rebuilds it")


def _tell_proof(proof: Scan, left: Iterable[str], console: Console) -> int:
    for each in proof.findings[:NAMED]:
        say(console, f"left: {each}")
    if len(proof.findings) > NAMED:
        say(console, f"… and {len(proof.findings) - NAMED:,} files more")
    for line in left:
        say(console, line)
    say(console, str(proof))
    if proof.findings:
        say(console, "something of it is left: does it still arrive? Stop who sends it, run again")
        return LEFT
    say(console, "nothing of it is left")
    return GONE


def _agrees() -> bool:
    """Ask at the terminal.

    :raises NobodyToAsk: there is none.
    """
    if not sys.stdin.isatty():
        raise NobodyToAsk
    try:
        return input("erase this for good? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-24") from None
