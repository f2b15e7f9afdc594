"""What the tables hold, onto the workbench: Silver and quarantine by PyIceberg, Gold by Trino."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import (
    AlwaysTrue,
    And,
    BooleanExpression,
    EqualTo,
    GreaterThanOrEqual,
    LessThan,
    Or,
    Reference,
)
from pyiceberg.expressions.literals import literal

from lakehouse.proving.let_go import LetGo
from lakehouse.proving.rows import batches, without_zone
from lakehouse.proving.scope import Scope
from lakehouse.proving.workbench import Workbench, text
from lakehouse.query import session
from lakehouse.replay_ends import declared
from lakehouse.schema import (
    BRONZE_RAW,
    DAILY_GOLD,
    SILVER_DETECTION,
    TABLES,
    TableDefinition,
)
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import load

GoldReader = Callable[[TableDefinition, datetime, datetime], Iterator[pa.RecordBatch]]
"""Reads a Gold table's rows between two moments."""
_BEGINNING, _END = (each.replace(tzinfo=UTC) for each in (datetime.min, datetime.max))
FETCHED_ROWS = 10_000
"""Rows of Gold asked of Trino at a time."""


def load_silver(
    bench: Workbench, catalog: Catalog, database: str, scope: Scope, days: Iterable[date] | None
) -> None:
    """Read Silver's rows of the scope, and those of the days whose Gold is compared."""
    chosen: BooleanExpression = AlwaysTrue()
    if days is not None:
        parts: list[BooleanExpression] = [
            And(
                GreaterThanOrEqual(term=Reference("capture_ts"), value=literal(_midnight(day))),
                LessThan(
                    term=Reference("capture_ts"), value=literal(_midnight(day + timedelta(days=1)))
                ),
            )
            for day in sorted(days)
        ]
        if scope.run_id is not None:
            parts.append(EqualTo(term=Reference("run_id"), value=literal(scope.run_id)))
        chosen = Or(*parts) if len(parts) > 1 else parts[0]
    columns = [column.name for column in SILVER_DETECTION.columns if column.name != "ingest_ts"]
    bench.run("actual", table="silver_detection", columns=", ".join(columns))
    for batch in batches(load(catalog, database, "silver_detection"), columns, chosen):
        bench.insert("actual_silver_detection", batch)


def load_received_before(
    bench: Workbench, catalog: Catalog, database: str, let_go: LetGo, days: Iterable[date] | None
) -> None:
    """Read the keys of Silver's rows whose messages may have been let go; None: of all days.

    Of a day's Gold, rows of the day before and the day after it count too.
    """
    bench.run("let_go")
    if BRONZE_RAW.name not in let_go.horizons:
        return
    chosen: BooleanExpression = LessThan(
        term=Reference("ingest_ts"), value=literal(_midnight(let_go.bronze_since))
    )
    if days is not None:
        near = sorted(days)
        if not near:
            return
        first, last = (
            _midnight(near[place] + timedelta(days=by)) for place, by in ((0, -1), (-1, 2))
        )
        chosen = And(
            chosen,
            GreaterThanOrEqual(term=Reference("capture_ts"), value=literal(first)),
            LessThan(term=Reference("capture_ts"), value=literal(last)),
        )
    columns = bench.columns("received_before")
    for batch in batches(load(catalog, database, SILVER_DETECTION.name), columns, chosen):
        bench.insert("received_before", batch)


def load_quarantine(bench: Workbench, catalog: Catalog, database: str, scope: Scope) -> None:
    """Read the quarantine's rows of the scope."""
    table = load(catalog, database, "silver_quarantine")
    bench.run("read_quarantine")
    columns = bench.columns("read_quarantine")
    chosen = (
        None
        if scope.run_id is None
        else EqualTo(term=Reference("run_id"), value=literal(scope.run_id))
    )
    for batch in batches(table, columns, chosen):
        bench.insert("read_quarantine", batch)
    bench.execute("SET VARIABLE day = CAST(? AS DATE)", [scope.day])
    bench.run("quarantine_rows")


def load_gold(bench: Workbench, read_gold: GoldReader, days: Iterable[date] | None) -> None:
    """Read Gold's rows of the days; None: all."""
    chosen = None if days is None else sorted(days)
    for name in DAILY_GOLD:
        columns = ", ".join(column.name for column in TABLES[name].columns)
        bench.run("actual", table=name, columns=columns)
        if chosen is None:
            read_from, read_until = _BEGINNING, _END
        elif chosen:
            read_from = _midnight(chosen[0])
            read_until = _midnight(chosen[-1]) + timedelta(days=1)
        else:
            continue
        for batch in read_gold(TABLES[name], read_from, read_until):
            bench.insert(f"actual_{name}", without_zone(batch))


def gold_by_trino(settings: LakehouseSettings) -> GoldReader:
    """Gold as Trino reads it: PyIceberg cannot read the deletes of an upsert."""

    def read_gold(
        definition: TableDefinition, read_from: datetime, read_until: datetime
    ) -> Iterator[pa.RecordBatch]:
        sql = text(
            "gold_rows",
            columns=", ".join(column.name for column in definition.columns),
            table=definition.name,
            time=definition.partition_by_day_of,
        )
        moments = [read_from.isoformat(), read_until.isoformat()]
        schema = definition.schema.as_arrow()
        with session(settings) as trino:
            for rows in trino.ask_in_parts(sql, moments, FETCHED_ROWS):
                columns = [
                    pa.array(values, each.type)
                    for values, each in zip(zip(*rows, strict=True), schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return read_gold


def load_pace(bench: Workbench, catalog: Catalog, database: str) -> None:
    """Learn how far Silver's capture_ts had come at each arrival, and set the watermark of now.

    The end of a replay counts as a capture that is the lateness after it, arrived when all of
    Silver had been read that was there.
    """
    bench.execute("CREATE TABLE arrival (arrived TIMESTAMP, capture_ts TIMESTAMP)")
    silver = load(catalog, database, "silver_detection")
    for batch in batches(silver, ["ingest_ts", "capture_ts"]):
        bench.insert("arrival", batch)
    for end in declared(catalog, database):
        bench.execute(
            "INSERT INTO arrival VALUES "
            "(?::TIMESTAMP + INTERVAL 1 MICROSECOND, "
            "?::TIMESTAMP - INTERVAL 1 MILLISECOND + getvariable('lateness'))",
            [each.replace(tzinfo=None) for each in (end.read, end.up_to)],
        )
    bench.run("pace")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
