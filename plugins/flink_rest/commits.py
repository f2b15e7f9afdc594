"""What Iceberg tables hold: the newest commit of a Flink job, and rows.

PyIceberg takes a second to import and only a running task needs it, hence the inner imports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flink_rest.errors import CatalogueUnreachable, CommitUnknown
from flink_rest.waits import Committed


@dataclass(frozen=True)
class Commit:
    """One commit of a Flink job to a table: the checkpoint that it holds, and when (UTC)."""

    snapshot_id: int
    checkpoint_id: int
    committed_at: datetime


def newest_commits(table: str, job_id: str) -> Callable[[], Commit | None]:
    """Return a function that tells the newest commit of a job to a table.

    It raises CatalogueUnreachable or CommitUnknown.

    :param table: `database.table`
    """
    database, _, name = table.partition(".")

    def newest() -> Commit | None:
        from lakehouse.catalog import connect
        from lakehouse.errors import LakehouseError, ServerUnreachable
        from lakehouse.snapshots import newest_commit

        try:
            facts = newest_commit(connect(), database, name, job_id)
        except ServerUnreachable as error:
            raise CatalogueUnreachable(table, str(error)) from error
        except LakehouseError as error:
            raise CommitUnknown(table, str(error)) from error
        if facts is None or facts.flink_checkpoint_id is None:
            return None
        return Commit(facts.snapshot_id, facts.flink_checkpoint_id, facts.committed_at)

    return newest


def committed_checkpoints(table: str, job_id: str) -> Committed:
    """Return a function that tells the newest checkpoint of a job that a table holds.

    It raises CatalogueUnreachable or CommitUnknown.

    :param table: `database.table`
    """
    newest = newest_commits(table, job_id)

    def committed() -> int | None:
        commit = newest()
        return None if commit is None else commit.checkpoint_id

    return committed


def rows_of(table: str) -> int:
    """Count the rows of `database.table`; 0 when it does not exist."""
    from lakehouse.catalog import connect
    from lakehouse.errors import ServerUnreachable
    from lakehouse.tables import row_count

    database, _, name = table.partition(".")
    try:
        return row_count(connect(), database, name)
    except ServerUnreachable as error:
        raise CatalogueUnreachable(table, str(error)) from error
