"""`python -m lakehouse backfill`: who rebuilds which day, and what the last rebuilds found."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from lakehouse.backfill import claims, record
from lakehouse.catalog import connect
from lakehouse.proving.scope import parse_day
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import say

_TEXTS = ("day", "table", "published", "replaced")


def add_command(commands: Any) -> None:
    """Add `backfill` to the command line."""
    parser = commands.add_parser(
        "backfill", help="the days of Gold that are being rebuilt, were, or should be"
    )
    which = parser.add_subparsers(required=True, metavar="WHAT")
    listed = which.add_parser(
        "list", help="who rebuilds which day now; the days to rebuild; the newest rebuilds"
    )
    listed.set_defaults(run=show)
    released = which.add_parser(
        "release", help="give back a day whose run will never end, and take its branches away"
    )
    released.add_argument("day", help="the UTC day, as 2026-11-24")
    released.set_defaults(run=give_back)


def show(_: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Print the claims, the changed days and the newest rebuilds."""
    taken = claims.claimed_days(connect(settings), settings.database)
    for day, holder in taken.items():
        say(console, f"{day} is being rebuilt by {holder.owner} since {holder.since}")
    for changed in record.changed_days(settings):
        say(console, str(changed))
    rebuilds = record.newest(settings)
    shown = RichTable(title="the newest rebuilds", title_justify="left")
    for column in rebuilds.columns:
        is_text = column in _TEXTS
        shown.add_column(column, justify="left" if is_text else "right", no_wrap=is_text)
    for row in rebuilds.rows:
        shown.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    console.print(shown)
    return 0


def give_back(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Release a day, whoever has it."""
    day = parse_day(arguments.day)
    released = claims.release(connect(settings), settings.database, day)
    say(console, f"{day} is released" if released else f"nobody has {day}")
    return 0
