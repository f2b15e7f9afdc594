"""What Iceberg tables hold: the newest committed checkpoint of a Flink job, and rows.

PyIceberg takes a second to import and only a running task needs it, hence the inner imports.
"""

from __future__ import annotations

from flink_rest.errors import CatalogueUnreachable, CommitUnknown
from flink_rest.waits import Committed


def committed_checkpoints(table: str, job_id: str) -> Committed:
    """Return a function that tells the newest checkpoint of a job that a table holds.

    It raises CatalogueUnreachable or CommitUnknown.

    :param table: `database.table`
    """
    database, _, name = table.partition(".")

    def committed() -> int | None:
        from lakehouse.catalog import connect
        from lakehouse.errors import LakehouseError, ServerUnreachable
        from lakehouse.snapshots import committed_checkpoint

        try:
            return committed_checkpoint(connect(), database, name, job_id)
        except ServerUnreachable as error:
            raise CatalogueUnreachable(table, str(error)) from error
        except LakehouseError as error:
            raise CommitUnknown(table, str(error)) from error

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
