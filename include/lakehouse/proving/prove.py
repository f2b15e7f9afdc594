"""The proof from end to end: read, compute, compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from lakehouse.closing import closed_days
from lakehouse.identity import Identity
from lakehouse.proving import actual, comparing, messages
from lakehouse.proving.errors import BeyondRetention, NothingToProve
from lakehouse.proving.identities import identities
from lakehouse.proving.let_go import PROVEN, LetGo
from lakehouse.proving.scope import GoldDays, Scope
from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import Workbench
from lakehouse.retention.horizons import horizons
from lakehouse.tables import load


@dataclass(frozen=True)
class Proof:
    """Each identity in the way of the data, and the days compared that no batch has closed."""

    identities: tuple[Identity, ...]
    open_days: tuple[date, ...]
    let_go: Mapping[str, date]
    """The first whole day of each table that has let go of some of what was to be proven."""
    unproven_days: tuple[date, ...]
    """The days of Gold that are not compared for it."""

    @property
    def first_broken(self) -> Identity | None:
        """The first identity that does not hold, which is where to look; None: all hold."""
        return next((each for each in self.identities if not each.holds), None)


def prove(
    bench: Workbench,
    catalog: Catalog,
    database: str,
    read_gold: actual.GoldReader,
    scope: Scope,
    files: Iterable[Path],
    settings: ProofSettings,
) -> Proof:
    """Compute all layers from the messages of the scope and compare the tables with them.

    Meant for a quiet moment: what a job has not committed yet is missing.

    What a layer has let go is compared in none (`let_go`).

    :raises NothingToProve: neither messages nor tables know the run or day.
    :raises BeyondRetention: what they knew of it was let go.
    """
    if not scope.can_be_known:
        raise NothingToProve(database, str(scope))
    files = list(files)
    bronze = load(catalog, database, messages.BRONZE)
    days = _gold_days(bronze, scope, settings)
    gold = GoldDays(days=days, reach_seconds=settings.track_gap_seconds)
    let_go = LetGo(horizons(catalog, database, PROVEN))
    bench.let_go(let_go)
    if files:
        messages.load_files(bench, files, scope, settings.batch_rows)
    messages.load(bench, bronze, scope, gold, settings)
    bench.compute_silver()
    actual.load_silver(bench, catalog, database, scope, days)
    actual.load_received_before(bench, catalog, database, let_go, days)
    actual.load_quarantine(bench, catalog, database, scope)
    closed = closed_days(catalog, database)
    bench.execute("CREATE TABLE closed_day (day DATE)")
    for day in closed:
        bench.execute("INSERT INTO closed_day VALUES (?)", [day])
    if days is None or days - set(closed):
        actual.load_pace(bench, catalog, database)
    bench.compute_gold()
    actual.load_gold(bench, read_gold, days)
    comparing.choose(bench, scope, days)
    reached = let_go.reached_by(days)
    if not scope.is_all and not _anything(bench):
        if reached:
            raise BeyondRetention(str(scope), reached)
        raise NothingToProve(database, str(scope))
    return Proof(
        identities(bench, files_given=bool(files)),
        _open_days(bench),
        reached,
        _unproven_days(bench),
    )


def _gold_days(bronze: Table, scope: Scope, settings: ProofSettings) -> frozenset[date] | None:
    if scope.day is not None:
        return frozenset({scope.day})
    if scope.run_id is not None:
        return messages.days_of_run(bronze, scope.run_id, settings)
    return None


def _anything(bench: Workbench) -> bool:
    """Whether any message or row of the scope is there."""
    return any(
        bench.count(relation)
        for relation in (
            "message_in_scope",
            *(f"shown_{table.name}" for table in comparing.COMPARED),
        )
    )


def _open_days(bench: Workbench) -> tuple[date, ...]:
    """Days with rows of Gold, expected or there, that no batch has closed."""
    return tuple(
        day
        for (day,) in bench.rows(
            """
            SELECT DISTINCT CAST(capture_ts AS DATE) AS day
            FROM person_detection
            WHERE (getvariable('all_days') OR day IN (FROM gold_day))
              AND day NOT IN (FROM closed_day)
              AND is_proven(day)
            ORDER BY day
            """
        )
    )


def _unproven_days(bench: Workbench) -> tuple[date, ...]:
    """Days with rows of Gold of which some layer has let something go."""
    return tuple(
        day
        for (day,) in bench.rows(
            """
            SELECT DISTINCT CAST(ts_minute AS DATE) AS day
            FROM actual_gold_people_per_minute
            WHERE (getvariable('all_days') OR day IN (FROM gold_day)) AND NOT is_proven(day)
            ORDER BY day
            """
        )
    )
