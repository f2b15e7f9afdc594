"""The SQL of include/sql/backfill about one claimed day, asked of Trino."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from string import Template

from lakehouse.backfill.claims import Claim
from lakehouse.query import Answer, Session

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "backfill"


def ask(trino: Session, name: str, claim: Claim, **values: object) -> Answer:
    """Run `include/sql/backfill/<name>.sql` about the claim's day and Silver, and `values`.

    Trino binds no values in `FOR VERSION AS OF`, so they are filled in: all are made from a
    date, a number or a name of `lakehouse.schema`.

    :raises QueryFailed: Trino refuses it.
    """
    return trino.ask(
        Template(text(name)).substitute(
            values,
            first=_midnight(claim.day),
            first_not=_midnight(claim.day + timedelta(days=1)),
            silver_snapshot_id=str(claim.silver_snapshot_id),
        )
    )


def text(name: str) -> str:
    """The SQL of `include/sql/backfill/<name>.sql`."""
    return (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")


def _midnight(day: date) -> str:
    return f"TIMESTAMP '{day.isoformat()} 00:00:00 UTC'"
