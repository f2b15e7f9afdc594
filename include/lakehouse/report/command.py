"""`python -m lakehouse report`: a run, or a camera's day, as a person at a terminal wants it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

from lakehouse.proving.scope import parse_day
from lakehouse.report.counting import Report, count, count_day
from lakehouse.report.errors import ReportArgumentsIncomplete
from lakehouse.report.run import default_summary, read_run
from lakehouse.report.showing import show
from lakehouse.settings import LakehouseSettings

EPILOG = """\
The numbers are Trino's, as on the dashboards (docs/tables.md says how each is defined). All times
are UTC. In a terminal that has no Unicode, the pictures are in ASCII; NO_COLOR is respected.
"""


def add_command(commands: Any) -> None:
    """Add `report` to the command line."""
    parser = commands.add_parser(
        "report",
        help="what one run left in each layer, or what there is of a camera's day: in pictures",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--summary",
        type=Path,
        help="of a run: the summary that vision wrote beside its JSONL "
        f"(default: {default_summary()})".replace("%", "%%"),
    )
    parser.add_argument("--store", help="of a day: the store's id, as store_01")
    parser.add_argument("--camera", help="of a day: the camera's id, as cam_01")
    parser.add_argument("--day", help="the UTC day, as 2026-11-24")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Count and print; 0 done.

    :raises LakehouseError: what to report on is not named, not there, or Trino does not answer.
    """
    show(_count(arguments, settings), console)
    return 0


def _count(arguments: argparse.Namespace, settings: LakehouseSettings) -> Report:
    named = [arguments.store, arguments.camera, arguments.day]
    if all(value is None for value in named):
        return count(read_run(arguments.summary or default_summary()), settings)
    if arguments.summary is not None or not all(named):
        raise ReportArgumentsIncomplete
    return count_day(arguments.store, arguments.camera, parse_day(arguments.day), settings)
