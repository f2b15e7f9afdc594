"""What a table is made of: files, snapshots, sizes; before and after its maintenance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from string import Template

from lakehouse.maintenance.budgets import Budget
from lakehouse.query import Session
from lakehouse.schema import TableDefinition

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "maintenance"


@dataclass(frozen=True)
class Figures:
    """A table at one moment.

    `newest_commit` is that of others than maintenance, None where none is left or was ever made.
    """

    data_files: int
    delete_files: int
    mib: float
    most_data_files_a_day: int
    most_delete_files_a_day: int
    snapshots: int
    newest_commit: datetime | None

    def beyond(self, budget: Budget, *, now: datetime | None = None) -> tuple[str, ...]:
        """Name what is more than the budget has."""
        limits = (
            (self.most_data_files_a_day, budget.data_files_per_day, "data files in a day"),
            (self.most_delete_files_a_day, budget.delete_files_per_day, "delete files in a day"),
            (self.snapshots, budget.snapshots, "snapshots"),
        )
        told = [f"{there:,} {what}, not {most:,}" for there, most, what in limits if there > most]
        if budget.commit_within is not None and self.newest_commit is not None:
            age = (now or datetime.now(UTC)) - self.newest_commit
            if age > budget.commit_within:
                told.append(f"newest commit {age} ago, not {budget.commit_within}")
        return tuple(told)


def figures(
    trino: Session, table: str, definition: TableDefinition, *, before: date | None = None
) -> Figures:
    """Count by Trino's metadata tables; no data is read.

    :param table: a name of ours
    :param definition: how it is partitioned
    :param before: only earlier days are asked which has the most files
    """
    text = Template((SQL_DIR / "figures.sql").read_text(encoding="utf-8"))
    sql = text.substitute(table=table, time=definition.partition_by_day_of)
    return Figures(*trino.ask(sql, [before]).rows[0])
