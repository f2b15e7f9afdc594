"""`python -m lakehouse check`: the data's quality, day by day."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from lakehouse.catalog import connect
from lakehouse.proving.scope import parse_day
from lakehouse.quality.checking import Outcome, Result
from lakehouse.quality.checks import LAYERS, load
from lakehouse.quality.record import check_days
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import printable, say

OWNER = "command"
_CODES = {Outcome.PASS: 0, Outcome.WARN: 0, Outcome.FAIL: 1, Outcome.ERROR: 2}
EPILOG = """\
The results are kept in data_quality. Of Bronze and the quarantine, what was received in the day is
checked; of Silver and Gold, what was captured in it. Exit codes: 0 all that must hold does, 1
something does not, 2 a check could not be run (docs/quality.md).
"""


def add_command(commands: Any) -> None:
    """Add `check` to the command line."""
    parser = commands.add_parser(
        "check",
        help="check the quality of a UTC day's data: freshness, gaps, ranges, keys, identities",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--day", help="the UTC day, as 2026-11-24 (default: today)")
    parser.add_argument("--layer", choices=LAYERS, help="default: all")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Check a day, keep and print the results; 0 all holds, 1 not, 2 it could not be found out."""
    checks = load([arguments.layer] if arguments.layer else LAYERS)
    day = datetime.now(UTC).date() if arguments.day is None else parse_day(arguments.day)
    results = check_days(connect(settings), settings, checks, [day], owner=OWNER)
    _show(results, f"{settings.database}: quality of {day}", console)
    for each in results:
        if each.outcome is not Outcome.PASS or each.detail is not None:
            say(console, printable(each))
    return max(_CODES[each.outcome] for each in results)


def _show(results: Sequence[Result], title: str, console: Console) -> None:
    shown = RichTable(title=title, title_justify="left")
    shown.add_column("check", no_wrap=True)
    shown.add_column("outcome")
    for heading in ("violations", "checked", "seconds"):
        shown.add_column(heading, justify="right")
    for each in results:
        shown.add_row(
            str(each.check),
            each.outcome.value,
            *("" if count is None else f"{count:,}" for count in (each.violations, each.checked)),
            f"{each.duration_seconds:.1f}",
        )
    console.print(shown)
