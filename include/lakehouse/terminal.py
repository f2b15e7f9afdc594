"""Lines for people, safe to print whatever stands in the data."""

from __future__ import annotations

from rich.console import Console


def say(console: Console, line: str) -> None:
    """Print one line as it is, however long, with nothing in it taken for markup."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def printable(value: object) -> str:
    """The value as it is, or escaped where a terminal would obey it."""
    text = str(value)
    return text if text.isprintable() else repr(text)
