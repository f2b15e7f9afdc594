"""What a proof found: on the screen, and its keys in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from lakehouse.identity import Identity
from lakehouse.proving.errors import FileUnusable
from lakehouse.proving.workbench import Workbench
from lakehouse.schema import DAILY_GOLD
from lakehouse.terminal import printable

KEYS_SHOWN = 3
"""Keys of each table and kind that the screen names; `--keys` writes all."""
FORMATS = {".parquet": "FORMAT parquet", ".csv": "FORMAT csv, HEADER"}


def show(identities: Sequence[Identity], title: str, console: Console) -> None:
    """Print each identity with its two numbers, and whether it holds."""
    table = RichTable(title=Text(title), title_justify="left", show_header=False)
    for justify in ("left", "right", "right", "left"):
        table.add_column(justify=justify)
    for each in identities:
        table.add_row(
            f"{each.left_is} = {each.right_is}",
            f"{each.left:,}",
            f"{each.right:,}",
            "holds" if each.holds else f"does not hold: {each.faults or 'unequal'}",
            style=None if each.holds else "red",
        )
    console.print(table)


def open_days(bench: Workbench, days: Sequence[date]) -> Iterator[str]:
    """Say what of Gold is left out on days that no batch has closed."""
    if not days:
        return
    shown = ", ".join(map(str, days)) if len(days) <= KEYS_SHOWN else f"{len(days)} days"
    watermark = bench.value("SELECT getvariable('watermark')")
    passed = "nothing yet" if watermark is None else f"{watermark:%Y-%m-%d %H:%M:%S}"
    yield f"not closed by a batch: {shown}; streaming Gold has passed {passed} (UTC)"
    for name in DAILY_GOLD:
        counts = dict(bench.rows(f"SELECT why, count(*) FROM left_out_{name} GROUP BY why"))  # noqa: S608 - our names
        yield (
            f"  {name}: {counts.get('open', 0):,} open and {counts.get('late', 0):,} touched by "
            "late events, left out"
        )


def unproven_days(days: Sequence[date]) -> Iterator[str]:
    """Say of which days Gold is not compared, since what it was made from was let go."""
    if days:
        shown = ", ".join(map(str, days)) if len(days) <= KEYS_SHOWN else f"{len(days)} days"
        yield f"not compared, since not all that it was made from is kept: Gold of {shown}"


def quarantined(bench: Workbench) -> Iterator[str]:
    """Say how many rows the quarantine has in scope for each reason."""
    reasons = bench.rows(
        "SELECT reason, count(*) AS rows FROM shown_silver_quarantine GROUP BY reason ORDER BY ALL"
    )
    if reasons:
        yield "quarantined: " + ", ".join(f"{count:,} {reason}" for reason, count in reasons)


def keys(bench: Workbench) -> Iterator[str]:
    """Name the first keys of each table and kind that differ."""
    kinds = bench.rows(
        'SELECT "table", kind, count(*) FROM difference GROUP BY "table", kind ORDER BY ALL'
    )
    for table, kind, count in kinds:
        for each in bench.records(
            'SELECT * EXCLUDE ("table", kind) FROM difference WHERE "table" = ? AND kind = ? '
            "ORDER BY ALL LIMIT ?",
            [table, kind, KEYS_SHOWN],
        ):
            named = " ".join(
                f"{name}={_shown(value)}" for name, value in each.items() if value not in (None, "")
            )
            yield f"{table} {kind}: {named}"
        if count > KEYS_SHOWN:
            yield f"{table} {kind}: … and {count - KEYS_SHOWN:,} more; --keys FILE writes all"


def check_keys_file(path: Path) -> None:
    """Refuse a file that could not be written, before the long work.

    :raises FileUnusable: its name ends otherwise, or its folder is not there.
    """
    if path.suffix not in FORMATS:
        raise FileUnusable("--keys", path, "name a .parquet or a .csv")
    if not path.parent.is_dir():
        raise FileUnusable("--keys", path, "its folder does not exist")
    if path.is_dir():
        raise FileUnusable("--keys", path, "it is a folder")


def write_keys(bench: Workbench, path: Path) -> None:
    """Write every key that differs: table, kind, the columns that do, and the key's columns.

    :raises FileUnusable: it cannot be written.
    """
    try:
        with path.open("wb"):
            pass
    except OSError as error:
        raise FileUnusable("--keys", path, error.strerror or str(error)) from error
    bench.run(
        "difference_keys",
        file=str(path.absolute()).replace("'", "''"),
        format=FORMATS[path.suffix],
    )


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return printable(value.isoformat(sep=" ") if isinstance(value, datetime) else value)
