"""`python -m lakehouse retention`: how long tables are kept, what goes at the next maintenance."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from lakehouse.catalog import connect
from lakehouse.maintenance.holds import holds
from lakehouse.maintenance.streams import STREAMS
from lakehouse.retention.letting_go import would_go
from lakehouse.retention.settings import RULES, RetentionSettings
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import say

EPILOG = """\
Changes nothing: `maintain` lets go what is named here. The days are set by RVA_KEEP_…_DAYS
(docs/retention.md). Exit codes: 0 told, 2 a setting cannot be used or a server is down.
"""


def add_command(commands: Any) -> None:
    """Add `retention` to the command line."""
    parser = commands.add_parser(
        "retention",
        help="how long each table is kept, since when it is whole, and what would be let go",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--forget",
        action="append",
        choices=[each.job for each in STREAMS],
        help="as for `maintain`: this job has lost its checkpoints and will be rebuilt",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Print each table's rule, horizon, and what would go; then which days stay for whom."""
    retention = RetentionSettings.from_env()
    catalog = connect(settings)
    held = holds(
        catalog,
        settings.database,
        Path(settings.checkpoint_dir),
        forgotten=tuple(arguments.forget or ()),
    )
    found = {name: would_go(catalog, settings, name, held, retention) for name in RULES}
    shown = RichTable(title=f"{settings.database}: what is let go", title_justify="left")
    shown.add_column("table", no_wrap=True)
    shown.add_column("kept for", justify="right")
    shown.add_column("kept since", no_wrap=True)
    shown.add_column("would be let go")
    for name, each in found.items():
        days = retention.days_of(name)
        shown.add_row(
            name,
            "ever" if days is None else f"{days:,} days",
            "" if each.kept_since is None else str(each.kept_since),
            str(each.gone),
        )
    console.print(shown)
    for name, each in found.items():
        for line in each.left:
            say(console, f"{name}: {line}")
    return 0
