"""`python -m lakehouse deduplicate`: what Silver has twice, and its later rows taken out.

Silver keeps the first of each detection for as long as its state lives; a sending that comes later
is taken in again (ADR 010).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from string import Template
from typing import Any

from rich.console import Console

from lakehouse.proving.scope import parse_day
from lakehouse.query import Answer, change, session
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import say

CLEAN, DOUBLED = 0, 1
SQL_DIR = Path(__file__).resolve().parents[1] / "sql" / "deduplicate"
EPILOG = """\
Of each detection the row that Bronze read first stays. Safe while the jobs run. Gold has counted
the doubled rows until its day is rebuilt (`make backfill`). After a repair it counts again. Exit
codes: 0 nothing is doubled (any more), 1 something is, 2 it could not be found out.
"""


@dataclass(frozen=True)
class DoubledDay:
    """What Silver has beyond one row for each detection of a day."""

    day: date
    detections: int
    """That have more rows than one."""
    surplus: int
    """Rows beyond the first of each detection."""


def add_command(commands: Any) -> None:
    """Add `deduplicate` to the command line."""
    parser = commands.add_parser(
        "deduplicate",
        help="find detections that Silver has twice; with --repair, keep the first of each",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--day", help="one UTC day of capture, as 2026-11-24 (default: all days)")
    parser.add_argument("--repair", action="store_true", help="one commit a day; safe to run again")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    """Count what is doubled, take it out if asked; 0 nothing is left doubled, 1 something is."""
    day = None if arguments.day is None else parse_day(arguments.day)
    days = doubled_days(settings, day)
    quarantined = doubled_quarantine(settings)
    for each in days:
        say(
            console,
            f"silver_detection {each.day}: {each.surplus:,} rows beyond the first of "
            f"{each.detections:,} detections",
        )
    say(console, f"silver_quarantine: {quarantined:,} rows of messages that were sent again")
    if not days and not quarantined:
        say(console, "nothing is doubled")
        return CLEAN
    if not arguments.repair:
        say(console, "nothing was changed: --repair takes them out")
        return DOUBLED
    left = sum(_repair_day(settings, console, each) for each in days)
    if quarantined:
        left += _repair_quarantine(settings, console, quarantined)
    if left:
        say(
            console,
            f"{left:,} rows are left. If a second --repair leaves them too, they come from a job "
            "that read Bronze twice: rebuild Silver (docs/airflow.md, Rebuild)",
        )
    return DOUBLED if left else CLEAN


def _repair_day(settings: LakehouseSettings, console: Console, doubled: DoubledDay) -> int:
    """Repair a day and count again; returns the rows that are left."""
    remove(settings, doubled.day)
    left = sum(each.surplus for each in doubled_days(settings, doubled.day))
    _say_taken_out(console, f"silver_detection {doubled.day}", doubled.surplus, left)
    if left < doubled.surplus:
        ended = doubled.day < datetime.now(UTC).date()
        how = f"make backfill DAY={doubled.day}" if ended else "the night rebuilds the day"
        say(console, f"Gold has counted them: {how}")
    return left


def _repair_quarantine(settings: LakehouseSettings, console: Console, doubled: int) -> int:
    """Repair the quarantine and count again; returns the rows that are left."""
    change(settings, _quarantine_text("remove_quarantine"))
    left = doubled_quarantine(settings)
    _say_taken_out(console, "silver_quarantine", doubled, left)
    return left


def _say_taken_out(console: Console, where: str, before: int, after: int) -> None:
    say(console, f"{where}: {before - after:,} rows taken out, {after:,} left")


def doubled_days(settings: LakehouseSettings, day: date | None = None) -> tuple[DoubledDay, ...]:
    """The days of Silver that have doubled rows; a day at a time, so that each fits in memory."""
    with session(settings) as trino:
        days = [day] if day else [each for (each,) in trino.ask(_text("days")).rows]
        found = (
            DoubledDay(each, *_one(trino.ask(_text("doubled_detections"), _bounds(each))))
            for each in days
        )
        return tuple(each for each in found if each.surplus)


def doubled_quarantine(settings: LakehouseSettings) -> int:
    """Rows that the quarantine has beyond the first of each detection of the same bytes."""
    with session(settings) as trino:
        [surplus] = _one(trino.ask(_quarantine_text("doubled_quarantine")))
    return surplus


def remove(settings: LakehouseSettings, day: date) -> None:
    """Take the later rows of a day's detections out of Silver, in one commit. Twice is as once."""
    change(settings, _text("remove_detections"), [*_bounds(day), *_bounds(day)])


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), tzinfo=UTC)
    return start, start + timedelta(days=1)


def _one(answer: Answer) -> Sequence[int]:
    [row] = answer.rows
    return row


def _text(name: str) -> str:
    return (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")


def _quarantine_text(name: str) -> str:
    """What is counted and what is removed are the same rows."""
    return Template(_text(name)).substitute(quarantine_rows=_text("quarantine_rows"))
