"""`python -m lakehouse maintain`: let go, compact, expire; a report before and after."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from lakehouse.catalog import connect
from lakehouse.errors import InvalidSetting
from lakehouse.maintenance.budgets import BUDGETS
from lakehouse.maintenance.holds import holds
from lakehouse.maintenance.maintaining import Maintained, maintain
from lakehouse.maintenance.streams import STREAMS
from lakehouse.retention.settings import RetentionSettings
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import say

EPILOG = """\
Safe while the streaming jobs run, lag or are down: no snapshot and no file that the newest
checkpoint of any of them needs is taken away; what stays for whom is told. Exit codes: 0 done,
within the budgets or not (what is beyond them is told), 2 a server is down or refuses.
"""


def add_command(commands: Any) -> None:
    """Add `maintain` to the command line."""
    parser = commands.add_parser(
        "maintain",
        help="let old days go, compact, expire the past, remove orphans; safe while jobs run",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="default: all")
    parser.add_argument(
        "--forget",
        action="append",
        choices=[each.job for each in STREAMS],
        help="go on though this job has lost its checkpoints, since it will be rebuilt",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Maintain the tables one after the other, and print what became of them."""
    for name in arguments.tables:
        if name not in BUDGETS:
            raise InvalidSetting("TABLE", name, f"the tables are {', '.join(BUDGETS)}")
    names = arguments.tables or list(BUDGETS)
    retention = RetentionSettings.from_env()
    catalog = connect(settings)
    held = holds(
        catalog,
        settings.database,
        Path(settings.checkpoint_dir),
        forgotten=tuple(arguments.forget or ()),
    )
    done = [
        maintain(
            catalog, settings, name, held, lambda line: say(console, line), retention=retention
        )
        for name in names
    ]
    show(done, console)
    return 0


def show(done: Sequence[Maintained], console: Console) -> None:
    """Print each table's figures before and after, what was left, and what is beyond the budget."""
    shown = RichTable(title="before → after", title_justify="left")
    shown.add_column("table", no_wrap=True)
    for column in ("let go", "data files", "delete files", "MiB", "most a day", "snapshots"):
        shown.add_column(column, justify="right")
    for each in done:
        before, after = each.before, each.after
        shown.add_row(
            each.table,
            f"{each.let_go.gone.rows:,}",
            f"{before.data_files:,} → {after.data_files:,}",
            f"{before.delete_files:,} → {after.delete_files:,}",
            f"{before.mib:,.1f} → {after.mib:,.1f}",
            f"{before.most_data_files_a_day:,} → {after.most_data_files_a_day:,}",
            f"{before.snapshots:,} → {after.snapshots:,}",
        )
    console.print(shown)
    for each in done:
        for line in (*each.left, *(f"beyond its budget: {one}" for one in each.beyond)):
            say(console, f"{each.table}: {line}")
