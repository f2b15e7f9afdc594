"""One table's maintenance, beside jobs that write and read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.update.snapshot import ExpireSnapshots, ManageSnapshots

from lakehouse.maintenance.budgets import BUDGETS, Budget
from lakehouse.maintenance.figures import Figures, figures
from lakehouse.maintenance.holds import Hold, of_rebuilds
from lakehouse.maintenance.spent_deletes import take_out_spent
from lakehouse.query import CHANGE_ATTEMPTS, QueryFailed, change, session
from lakehouse.retention.letting_go import LetGo, let_go
from lakehouse.retention.settings import RetentionSettings
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import load

_NO_MINIMUM = {"lakehouse.remove_orphan_files_min_retention": "0s"}
"""Trino's own least of seven days knows nothing of jobs; `Hold`s do."""


@dataclass(frozen=True)
class Maintained:
    """What was done to a table, and what was left for which reason."""

    table: str
    before: Figures
    let_go: LetGo
    after: Figures
    left: tuple[str, ...]
    """What could not be done, each with who needs it."""
    beyond: tuple[str, ...]
    """What is over the budget after all."""


def maintain(
    catalog: Catalog,
    settings: LakehouseSettings,
    table: str,
    held: Sequence[Hold],
    tell: Callable[[str], None],
    *,
    budget: Budget | None = None,
    retention: RetentionSettings | None = None,
    now: datetime | None = None,
) -> Maintained:
    """Let old days go, compact, expire, remove orphans. Run again, it finds little to do.

    :param held: what jobs need, of this table or others, asked before anything is changed
    :param retention: how long it is kept; None: for ever
    :raises QueryFailed: Trino could not do it; what was done before stays done.
    """
    budget, now = budget or BUDGETS[table], now or datetime.now(UTC)
    held = [each for each in held if each.table == table]
    before_day = now.astimezone(UTC).date() if budget.leaves_today else None
    with session(settings) as trino:
        before = figures(trino, table, TABLES[table], before=before_day)
    gone = let_go(catalog, settings, table, held, retention or RetentionSettings(), tell, now=now)
    left = [
        *gone.left,
        *_compact(catalog, settings, table, budget, tell, before_day),
        *expire_past(catalog, settings.database, table, held, tell, budget=budget, now=now),
    ]
    orphans_before = now - budget.keep_orphans
    waiting = [each.job for each in held if each.checkpoint_at < orphans_before]
    if waiting:
        left.append(f"no orphan removed: {', '.join(waiting)} may still commit what it has written")
    else:
        tell(f"{table}: removing orphans")
        kept = f"{int(budget.keep_orphans.total_seconds())}s"
        _execute(settings, table, f"remove_orphan_files(retention_threshold => '{kept}')")
    with session(settings) as trino:
        after = figures(trino, table, TABLES[table], before=before_day)
    # the newest commit that is not ours may have expired just now
    judged = replace(after, newest_commit=before.newest_commit)
    return Maintained(table, before, gone, after, tuple(left), judged.beyond(budget, now=now))


def tidy(
    catalog: Catalog,
    settings: LakehouseSettings,
    table: str,
    held: Sequence[Hold],
    tell: Callable[[str], None],
    *,
    budget: Budget | None = None,
    now: datetime | None = None,
) -> tuple[str, ...]:
    """Expire, and compact what has files of deletes: what readers of today pay for.

    Other tables are compacted once a day, by `maintain`.

    :param held: as `maintain` has it
    :returns: what could not be done, each with who needs it
    :raises QueryFailed: Trino could not do it.
    """
    budget, now = budget or BUDGETS[table], now or datetime.now(UTC)
    left: tuple[str, ...] = ()
    if TABLES[table].upserted:
        left = _compact(catalog, settings, table, budget, tell, before_day=None)
    return left + expire_past(catalog, settings.database, table, held, tell, budget=budget, now=now)


def _compact(
    catalog: Catalog,
    settings: LakehouseSettings,
    table: str,
    budget: Budget,
    tell: Callable[[str], None],
    before_day: date | None,
) -> tuple[str, ...]:
    """Compact all days, or those before one."""
    procedure = f"optimize(file_size_threshold => '{budget.file_size_mb}MB')"
    if before_day is None:
        tell(f"{table}: compacting")
    else:
        tell(f"{table}: compacting what is of before {before_day}")
        column = TABLES[table].partition_by_day_of
        procedure += f" WHERE {column} < TIMESTAMP '{before_day} 00:00:00 UTC'"
    try:
        _execute(settings, table, procedure)
    except QueryFailed as error:
        if not error.is_conflict:
            raise
        return (f"not compacted: others committed during each of {CHANGE_ATTEMPTS} attempts",)
    if TABLES[table].upserted:
        taken_out = take_out_spent(catalog, settings.database, table)
        tell(f"{table}: {taken_out:,} files of deletes taken out that apply to nothing any more")
    return ()


def expire_past(
    catalog: Catalog,
    database: str,
    table: str,
    held: Sequence[Hold],
    tell: Callable[[str], None],
    *,
    budget: Budget,
    now: datetime,
) -> tuple[str, ...]:
    """Let the snapshots expire that are older than they are kept; returns what stays, and for whom.

    :param held: as `maintain` has it
    """
    held = [each for each in (*held, *of_rebuilds(catalog, database, now)) if each.table == table]
    before, why = oldest_needed(held, now - budget.keep_snapshots)
    if before is None:
        return (f"no snapshot expired: {why}",)
    tell(f"{table}: snapshots before {before:%Y-%m-%d %H:%M:%S} expire")
    expire(load(catalog, database, table), before, now)
    return (f"snapshots since {before:%Y-%m-%d %H:%M:%S} stay: {why}",) if why else ()


def oldest_needed(held: Sequence[Hold], kept_since: datetime) -> tuple[datetime | None, str]:
    """Since when snapshots must stay, and for whom; None where that cannot be known.

    :param kept_since: they stay since then in any case
    """
    for each in held:
        if each.since is None:
            return None, f"{each.job}: {each.why}"
    first = min(held, key=lambda each: each.since or kept_since, default=None)
    if first is None or first.since is None or first.since >= kept_since:
        return kept_since, ""
    return first.since, f"{first.job}: {first.why}"


def expire(table: Table, before: datetime, now: datetime) -> None:
    """Let the snapshots before a moment expire, and tags that have had their time.

    By PyIceberg, which is told the moment; Trino is told an age, and counts it from when it comes
    to it, which may be later than what was found out to be needed. The files go as orphans.
    """
    with table.transaction() as transaction:
        refs = ManageSnapshots(transaction)
        for name, ref in table.refs().items():
            snapshot = table.snapshot_by_id(ref.snapshot_id)
            if ref.max_ref_age_ms is None or snapshot is None:
                continue
            if snapshot.timestamp_ms + ref.max_ref_age_ms < now.timestamp() * 1000:
                refs.remove_tag(name)
        refs.commit()
        ExpireSnapshots(transaction).older_than(before).commit()


def _execute(settings: LakehouseSettings, table: str, procedure: str) -> None:
    """Names, numbers and procedures of ours; nothing in it comes from outside."""
    change(settings, f"ALTER TABLE {table} EXECUTE {procedure}", properties=_NO_MINIMUM)
