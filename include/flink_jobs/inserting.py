"""A job's rows go into its tables by the names of their columns."""

from __future__ import annotations

from pathlib import PurePath

from pyflink.table import TableEnvironment

from flink_jobs import sql


class TableOutdated(Exception):
    """A table lacks columns that the job fills."""

    def __init__(self, table: str, columns: list[str]) -> None:
        super().__init__(
            f"table {table} has no column {', '.join(columns)}, which the job fills: run "
            "`make lakehouse ARGS=ensure`, then start the job again"
        )
        self.table, self.columns = table, columns


def insert(
    tables: TableEnvironment,
    name: str,
    *,
    database: str,
    into: str = "INTO",
    hint: str = "",
    **values: object,
) -> str:
    """Return the INSERT of the query `include/sql/<name>` into the table that it is named after.

    What the query calls a column goes into the column of that name, whatever the table's order;
    a column that it does not name becomes null.

    :raises TableOutdated: the query names a column that the table lacks.
    """
    table = PurePath(name).stem
    query = sql.render(name, **values)
    named = tables.sql_query(query).get_schema().get_field_names()
    there = tables.from_path(f"lakehouse.{database}.{table}").get_schema().get_field_names()
    lacking = [each for each in named if each not in there]
    if lacking:
        raise TableOutdated(f"{database}.{table}", lacking)
    return sql.render(
        "insert.sql",
        into=into,
        database=database,
        table=table,
        hint=hint,
        columns=", ".join(f"`{each}`" for each in named),
        query=query,
    )
