"""The report's questions, asked of Trino as a user would ask: include/sql/report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakehouse.query import Session

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "report"

Rows = tuple[tuple[Any, ...], ...]


def rows(trino: Session, name: str, values: Sequence[object]) -> Rows:
    """Run `include/sql/report/<name>.sql` with its values bound."""
    return trino.ask((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8"), values).rows
