"""`python -m lakehouse`: make, describe and count the tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pyiceberg.exceptions import RESTError
from rich.console import Console
from rich.table import Table as RichTable

from lakehouse import deduplication, snapshots, tables
from lakehouse.audit import command as audit_command
from lakehouse.backfill import command as backfill_command
from lakehouse.catalog import connect
from lakehouse.erasure import command as erasure_command
from lakehouse.errors import CatalogueFailed, LakehouseError
from lakehouse.maintenance import command as maintenance_command
from lakehouse.proving import command as proving_command
from lakehouse.quality import command as quality_command
from lakehouse.quarantine import command as quarantine_command
from lakehouse.query import session
from lakehouse.report import command as report_command
from lakehouse.retention import command as retention_command
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.terminal import say
from replay.errors import ReplayError

APPENDED = sorted(name for name in TABLES if name.startswith(("bronze_", "silver_")))
"""Tables that `empty` may empty; Gold is rebuilt by overwriting, records are kept."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 where a check does not hold, 2 bad input or a server is down."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments, LakehouseSettings.from_env(), Console()))
    except (LakehouseError, ReplayError) as error:
        told: Exception = error
    except (RESTError, OSError) as error:
        uri = LakehouseSettings.from_env().catalog_uri
        told = CatalogueFailed(uri, str(error).partition("\n")[0] or type(error).__name__)
    print(f"error: {told}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lakehouse", description="The lakehouse's Iceberg tables."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ensure = commands.add_parser("ensure", help="make or evolve every table to its definition")
    ensure.set_defaults(run=_ensure)

    describe = commands.add_parser("describe", help="columns, types, partition and key of a table")
    describe.add_argument("table", nargs="?", choices=sorted(TABLES), help="default: all")
    describe.set_defaults(run=_describe)

    history = commands.add_parser("snapshots", help="the newest commits of a table, who made them")
    history.add_argument("table", choices=sorted(TABLES))
    history.add_argument("--limit", type=int, default=20, help="how many (default: 20)")
    history.set_defaults(run=_snapshots)

    emptied = commands.add_parser(
        "empty", help="delete every row of Bronze or Silver tables, before a job is rebuilt"
    )
    emptied.add_argument("tables", nargs="+", choices=APPENDED)
    emptied.add_argument("--yes", action="store_true", help="do not ask")
    emptied.set_defaults(run=_empty)

    asked = commands.add_parser("query", help="run SQL over the tables by Trino")
    asked.add_argument("sql", help='for example "SELECT * FROM gold_people_per_minute"')
    asked.set_defaults(run=_query)

    report_command.add_command(commands)
    audit_command.add_command(commands)
    quarantine_command.add_command(commands)
    deduplication.add_command(commands)
    proving_command.add_command(commands)
    quality_command.add_command(commands)
    backfill_command.add_command(commands)
    maintenance_command.add_command(commands)
    retention_command.add_command(commands)
    erasure_command.add_command(commands)
    return parser


def _ensure(_: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    for change in tables.ensure_tables(connect(settings), settings.database):
        say(console, f"{settings.database}.{change}")
    return 0


def _describe(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    catalog = connect(settings)
    for name in [arguments.table] if arguments.table else list(TABLES):
        table = tables.load(catalog, settings.database, name)
        definition = TABLES[name]
        spec = ", ".join(
            f"{each.transform}({table.schema().find_column_name(each.source_id)})"
            for each in table.spec().fields
        )
        shown = RichTable(
            title=f"{settings.database}.{name}: {definition.doc}",
            caption=f"key: {', '.join(definition.key)} · partition: {spec}",
            title_justify="left",
            caption_justify="left",
        )
        for heading in ("id", "column", "type", "null", "meaning"):
            shown.add_column(heading)
        for each in table.schema().fields:
            shown.add_row(
                str(each.field_id),
                each.name,
                str(each.field_type),
                "" if each.required else "yes",
                each.doc or "",
            )
        console.print(shown)
    return 0


def _snapshots(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    table = tables.load(connect(settings), settings.database, arguments.table)
    shown = RichTable(title=f"{settings.database}.{arguments.table}", title_justify="left")
    for heading in (
        "snapshot",
        "committed (UTC)",
        "operation",
        "added",
        "total",
        "Flink job",
        "checkpoint",
    ):
        shown.add_column(heading)
    for number, facts in enumerate(snapshots.history(table)):
        if number == arguments.limit:
            break
        shown.add_row(
            str(facts.snapshot_id),
            f"{facts.committed_at:%Y-%m-%d %H:%M:%S}",
            facts.operation,
            str(facts.added_rows),
            str(facts.total_rows),
            facts.flink_job_id or "",
            "" if facts.flink_checkpoint_id is None else str(facts.flink_checkpoint_id),
        )
    console.print(shown)
    return 0


def _empty(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    catalog = connect(settings)
    for name in arguments.tables:
        rows = tables.row_count(catalog, settings.database, name)
        table = f"{settings.database}.{name}"
        if rows and not arguments.yes and not _agrees(f"delete {rows} rows of {table}?"):
            console.print(f"{table} left as it is")
            continue
        console.print(f"{table}: {tables.empty(catalog, settings.database, name)} rows deleted")
    return 0


def _query(arguments: argparse.Namespace, settings: LakehouseSettings, console: Console) -> int:
    with session(settings) as trino:
        answer = trino.ask(arguments.sql)
    shown = RichTable()
    for column in answer.columns:
        shown.add_column(column)
    for row in answer.rows:
        shown.add_row(*("" if value is None else str(value) for value in row))
    console.print(shown)
    return 0


def _agrees(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main())
