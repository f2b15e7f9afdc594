"""What checks have found, in `data_quality`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import pyarrow as pa
from pyiceberg.catalog import Catalog

from lakehouse.commits import change
from lakehouse.quality import checking
from lakehouse.quality.checking import Result
from lakehouse.quality.checks import Check
from lakehouse.retention.horizons import horizons
from lakehouse.schema import DATA_QUALITY
from lakehouse.settings import LakehouseSettings


def check_days(
    catalog: Catalog,
    settings: LakehouseSettings,
    checks: Sequence[Check],
    days: Iterable[date],
    *,
    owner: str,
) -> tuple[Result, ...]:
    """Run the checks for each day and keep what they found, in one commit; judges nothing.

    Run again, the newest results count; the older ones stay.

    :param owner: the DAG run, or whoever else checks
    :raises ServerUnreachable: Trino does not answer; nothing is kept.
    :raises CommitsCollide: others committed during every attempt.
    """
    moment = datetime.now(UTC)
    kept = horizons(catalog, settings.database, set().union(*(each.tables for each in checks)))
    results = tuple(each for day in days for each in checking.run(settings, checks, day, kept))
    if results:
        rows = [_row(each, moment, owner) for each in results]
        change(
            catalog,
            settings.database,
            DATA_QUALITY.name,
            lambda table: table.append(
                pa.Table.from_pylist(rows, schema=table.schema().as_arrow())
            ),
        )
    return results


def _row(result: Result, moment: datetime, owner: str) -> dict[str, object]:
    return {
        "checked_ts": moment,
        "day": result.day,
        "layer": result.check.layer,
        "check_name": result.check.name,
        "severity": result.check.severity.value,
        "outcome": result.outcome.value,
        "violations": result.violations,
        "checked": result.checked,
        "example": result.example,
        "detail": result.detail,
        "duration_seconds": result.duration_seconds,
        "owner": owner,
    }
