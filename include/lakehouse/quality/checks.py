"""The checks as their files say them: SQL under a header that names severity and limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from lakehouse.quality.errors import CheckUnreadable
from lakehouse.schema import TABLES

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "checks"
LAYERS = ("bronze", "silver", "gold")
"""In the way of the data; the folders of `SQL_DIR`."""
_SECTION = re.compile(r"^([A-Z]\w+): ", re.MULTILINE)
_LIMIT = re.compile(r":([a-z_]+) = ([0-9.]*[0-9])")
_NAMED = re.compile(r"--[^\n]*|'(?:[^']|'')*'|:([a-z][a-z_]*)")
"""A value's name; comments and quoted text, which hold none, are passed over."""
_PART = frozenset({"part", "parts"})
"""The values of a check that can be asked in parts: `:part` counts from 0."""
_TABLE = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\b(?:FROM|JOIN)\s+([a-z_]+)")
KEPT_SINCE = "kept_since"
"""The value that a check of several layers may name: the first day that they all have whole."""


class Severity(StrEnum):
    """What a violation means: the step fails, or somebody should have a look."""

    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True)
class Check:
    """One check. Its SQL asks about a UTC day and gives one row: violations, checked, example."""

    layer: str
    name: str
    says: str
    """What holds where nothing is violated, in words."""
    severity: Severity
    limits: Mapping[str, int | float]
    """What the header sets, with the unit in the name: `late_seconds`."""
    sql: str
    """With a `?` for each value."""
    named: tuple[str, ...]
    """The values by name, in the order of their places: `day`, a limit, `kept_since`, `part`…"""
    tables: frozenset[str] = frozenset()
    """The tables of the lakehouse that it reads."""

    def __str__(self) -> str:
        """`silver/unique_detections`."""
        return f"{self.layer}/{self.name}"

    @property
    def is_divisible(self) -> bool:
        """Whether a day that is too large for Trino's memory can be asked in parts."""
        return _PART.issubset(self.named)

    def kept_since(self, horizons: Mapping[str, date]) -> date | None:
        """The first day that all its tables have whole; None: they have every day."""
        return max((horizons[name] for name in self.tables & set(horizons)), default=None)

    def values(
        self, day: date, kept_since: date | None = None, part: int = 0, parts: int = 1
    ) -> tuple[object, ...]:
        """What is bound to the places of the SQL."""
        given: dict[str, object] = {
            **self.limits,
            "day": day.isoformat(),
            # before every text
            KEPT_SINCE: "" if kept_since is None else kept_since.isoformat(),
            "part": part,
            "parts": parts,
        }
        return tuple(given[name] for name in self.named)


def load(layers: Iterable[str] = LAYERS, folder: Path = SQL_DIR) -> tuple[Check, ...]:
    """Read the checks of some layers, by layer and name.

    :raises CheckUnreadable: a file lacks what every check must say, or a layer has no check.
    """
    found: list[Check] = []
    for layer in layers:
        paths = sorted((folder / layer).glob("*.sql"))
        if not paths:
            raise CheckUnreadable(folder / layer, "there is none in it")
        found.extend(read(path) for path in paths)
    return tuple(found)


def read(path: Path) -> Check:
    """Read one check; its layer is the folder's name.

    :raises CheckUnreadable: the file lacks what every check must say.
    """
    text = path.read_text(encoding="utf-8")
    sections = _sections(line[2:] for line in text.splitlines() if line.startswith("--"))
    for name in ("Check", "Severity"):
        if name not in sections:
            raise CheckUnreadable(path, f"its header has no line `-- {name}: …`")
    severity, _, _ = sections["Severity"].partition(".")
    if severity not in list(Severity):
        raise CheckUnreadable(path, f"its severity is fail or warn, not {severity!r}")
    limits = {name: _number(value) for name, value in _LIMIT.findall(sections.get("Limit", ""))}
    named = tuple(found[1] for found in _NAMED.finditer(text) if found[1])
    if set(named) - {KEPT_SINCE} not in ({"day", *limits}, {"day", *limits, *_PART}):
        raise CheckUnreadable(
            path,
            f"its SQL names {', '.join(sorted(set(named))) or 'no value'}; "
            f"it must name {', '.join(sorted({'day', *limits}))}: the day and its limits"
            " (and may name part and parts)",
        )
    return Check(
        layer=path.parent.name,
        name=path.stem,
        says=sections["Check"].rstrip("."),
        severity=Severity(severity),
        limits=limits,
        sql=_NAMED.sub(lambda found: "?" if found[1] else found[0], text),
        named=named,
        tables=frozenset(found[1] for found in _TABLE.finditer(text) if found[1] in TABLES),
    )


def _sections(lines: Iterable[str]) -> dict[str, str]:
    """The header's sections, each on one line."""
    _, *parts = _SECTION.split("\n".join(line.strip() for line in lines))
    return {
        name: " ".join(text.split()) for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _number(text: str) -> int | float:
    return int(text) if text.isdecimal() else float(text)
