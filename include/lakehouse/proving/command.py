"""`python -m lakehouse prove`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from rich.console import Console

from lakehouse.catalog import connect
from lakehouse.proving import report
from lakehouse.proving.actual import gold_by_trino
from lakehouse.proving.let_go import told
from lakehouse.proving.prove import prove
from lakehouse.proving.scope import Scope, parse_day
from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import workbench
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import say

HOLDS, BROKEN = 0, 1
SETTING_OF = {"lateness_seconds": "RVA_LATENESS_SECONDS"}
"""What the jobs are told by the environment, the proof is told by it too."""
EPILOG = """\
Run it at a quiet moment: what a job has not committed yet counts as missing. Exit codes: 0 every
identity holds, 1 one does not, 2 the proof could not be made (docs/proving.md).
"""


def add_command(commands: Any) -> None:
    """Add `prove` to the command line."""
    defaults = ProofSettings()
    parser = commands.add_parser(
        "prove",
        help="compute every layer anew from the messages and compare the tables, row for row",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--run-id", help="one run, and the Gold of its days (default: everything)")
    chosen.add_argument("--day", help="one UTC day, as 2026-11-24")
    parser.add_argument(
        "--messages",
        type=Path,
        nargs="+",
        default=[],
        metavar="JSONL",
        help="what was published, whole runs: are all its frames in Bronze, and no others?",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="write the keys that differ here: .parquet or .csv",
    )
    for name, unit in (
        ("visit_gap_seconds", "gap that ends a visit"),
        ("track_gap_seconds", "gap that ends a track"),
        ("lateness_seconds", "lateness of streaming Gold"),
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=int,
            default=os.environ.get(SETTING_OF.get(name, "")) or getattr(defaults, name),
            metavar="S",
            help=f"{unit}, as the jobs run with (default: %(default)s)",
        )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Prove, print each identity, write the keys if asked; 0 all hold, 1 one does not."""
    scope = Scope(
        run_id=arguments.run_id, day=None if arguments.day is None else parse_day(arguments.day)
    )
    of_proof = ProofSettings(
        visit_gap_seconds=arguments.visit_gap_seconds,
        track_gap_seconds=arguments.track_gap_seconds,
        lateness_seconds=arguments.lateness_seconds,
    )
    if arguments.keys is not None:
        report.check_keys_file(arguments.keys)
    catalog = connect(settings)
    with workbench(of_proof) as bench:
        proof = prove(
            bench,
            catalog,
            settings.database,
            gold_by_trino(settings),
            scope,
            arguments.messages,
            of_proof,
        )
        report.show(proof.identities, f"{settings.database}: {scope}", console)
        for line in (
            *told(proof.let_go),
            *report.unproven_days(proof.unproven_days),
            *report.quarantined(bench),
            *report.open_days(bench, proof.open_days),
            *report.keys(bench),
        ):
            say(console, line)
        if arguments.keys is not None:
            report.write_keys(bench, arguments.keys)
    broken = proof.first_broken
    if broken is None:
        say(console, "every identity holds")
        return HOLDS
    say(console, f"does not hold, first: {broken}")
    return BROKEN
