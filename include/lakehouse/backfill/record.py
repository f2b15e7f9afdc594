"""What each rebuild of a day did, in `gold_backfill`; and which days it says are to be rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import (
    And,
    BooleanExpression,
    EqualTo,
    GreaterThanOrEqual,
    Reference,
)
from pyiceberg.expressions.literals import literal

from lakehouse.backfill.claims import Claim
from lakehouse.backfill.drift import Drift
from lakehouse.backfill.publishing import PublishedTable
from lakehouse.backfill.questions import text
from lakehouse.catalog import connect
from lakehouse.query import Answer, session
from lakehouse.retention.horizons import first_rebuildable, kept_since
from lakehouse.schema import GOLD_BACKFILL
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import load

DAYS_LOOKED_AT = 30
"""How many ended days are compared each night; older ones are rebuilt by hand."""


@dataclass(frozen=True)
class ChangedDay:
    """A day of which Silver has other rows than when Gold was rebuilt (None: it never was).

    The rows are person detections of the day and an hour either side.
    """

    day: date
    silver_rows: int
    rebuilt_rows: int | None

    def __str__(self) -> str:
        """Why it is to be rebuilt, for people."""
        before = (
            "never rebuilt"
            if self.rebuilt_rows is None
            else f"{self.rebuilt_rows:,} when it was rebuilt"
        )
        return f"{self.day} is to be rebuilt: {self.silver_rows:,} rows in Silver, {before}"


def write(
    catalog: Catalog,
    database: str,
    claim: Claim,
    *,
    published: Sequence[PublishedTable],
    drift: Sequence[Drift],
    replaced: str,
    silver_rows: int,
) -> None:
    """Append a row a Gold table, in one commit; once for a claim, however often it is called.

    :param replaced: `stream` or `batch`: who had made the day that was published before
    """
    moment = datetime.now(UTC)
    rows = [
        {
            "day": claim.day,
            "gold_table": each.table,
            "owner": claim.owner,
            "published_ts": moment,
            "silver_snapshot_id": claim.silver_snapshot_id,
            "silver_rows": silver_rows,
            "rows": each.rows,
            "replaced": replaced,
            "keys_same": found.keys_same,
            "keys_changed": found.keys_changed,
            "keys_only_published": found.keys_only_published,
            "keys_only_rebuilt": found.keys_only_rebuilt,
        }
        for each, found in zip(published, drift, strict=True)
    ]
    table = load(catalog, database, GOLD_BACKFILL.name)
    if not table.scan(_of_claim(claim), limit=1).to_arrow().num_rows:
        table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))


def changed_days(
    settings: LakehouseSettings, *, now: datetime | None = None
) -> tuple[ChangedDay, ...]:
    """Name the ended days of the last `DAYS_LOOKED_AT` that are to be rebuilt, the oldest first.

    Days of which Silver, Gold or the record of rebuilds has let something go are not looked at.
    """
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    first = _first_compared(connect(settings), settings.database, today)
    borders = [first.isoformat(), today.isoformat()]
    with session(settings) as trino:
        answer = trino.ask(text("changed_days"), borders * 3)
    return tuple(ChangedDay(*row) for row in answer.rows)


def _first_compared(catalog: Catalog, database: str, today: date) -> date:
    first = today - timedelta(days=DAYS_LOOKED_AT)
    rebuildable = first_rebuildable(catalog, database)
    if rebuildable is not None:
        first = max(first, rebuildable[0])
    # a day's rebuild is recorded after it has ended
    recorded = kept_since(load(catalog, database, GOLD_BACKFILL.name))
    return first if recorded is None else max(first, recorded)


def newest(settings: LakehouseSettings) -> Answer:
    """Return the newest rebuilds, for people."""
    with session(settings) as trino:
        return trino.ask(text("newest"))


def _of_claim(claim: Claim) -> BooleanExpression:
    since = datetime.fromisoformat(claim.since)
    return And(
        EqualTo(term=Reference("day"), value=literal(claim.day)),
        EqualTo(term=Reference("owner"), value=literal(claim.owner)),
        GreaterThanOrEqual(term=Reference("published_ts"), value=literal(since)),
    )
