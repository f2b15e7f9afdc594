"""A day of Gold is rebuilt by one at a time: who makes its branch has it.

The branch of `gold_people_per_minute` is the claim: the catalogue makes it once, whoever else
tries. The table's property beside it says whose it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.update.snapshot import ManageSnapshots

from lakehouse.backfill.day_files import day_files
from lakehouse.backfill.errors import (
    DayLetGo,
    DayTaken,
    DayUnpublishable,
    NotClaimed,
    SilverEmpty,
    rejected_tag,
)
from lakehouse.commits import change
from lakehouse.retention.horizons import first_rebuildable
from lakehouse.schema import DAILY_GOLD, SILVER_DETECTION
from lakehouse.snapshots import FLINK_JOB_ID
from lakehouse.tables import load

_LOCK, *_OTHERS = DAILY_GOLD
_PREFIX = "rva.backfill."
LONGEST_RUN = timedelta(hours=6)
"""A run's tasks, all tries and waits together, take less."""
REJECTED_KEPT_MS = 7 * 24 * 3600 * 1000
"""How long what was not published stays readable."""


@dataclass(frozen=True)
class Claim:
    """Who rebuilds a day since when (ISO 8601, UTC), on which branch, from which Silver."""

    day: date
    owner: str
    since: str
    branch: str
    silver_snapshot_id: int


def branch_of(day: date) -> str:
    """Name the branch on which the day is rebuilt."""
    return f"backfill_{day:%Y_%m_%d}"


def claim(
    catalog: Catalog, database: str, day: date, owner: str, *, now: datetime | None = None
) -> Claim:
    """Take the day and make its branches: all of Gold as it is, without this day.

    The same owner may claim again, and then begins anew. So may anybody when the claim is older
    than any run: its owner has died without giving it back, and cannot publish any more.

    :raises DayLetGo: what it would be rebuilt from is kept no longer.
    :raises SilverEmpty: there is nothing to rebuild it from.
    :raises DayTaken: it is somebody else's.
    :raises CommitsCollide: the tables could not be committed to.
    """
    require_kept(catalog, database, [day])
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    since = moment.isoformat(timespec="seconds")
    taken = Claim(day, owner, since, branch_of(day), _silver_snapshot(catalog, database))

    def take(table: Table) -> None:
        there = _holder(table, day)
        if there is not None and there.owner != owner and not there.is_stale(moment):
            raise DayTaken(day, there.owner, there.since)
        _branch_off(table, taken, {_PREFIX + day.isoformat(): f"{since} {owner}"})

    for name in DAILY_GOLD:
        change(catalog, database, name, _begin)
    change(catalog, database, _LOCK, take)
    try:
        for name in _OTHERS:
            change(catalog, database, name, lambda table: _branch_off(table, taken))
        for name in DAILY_GOLD:
            change(catalog, database, name, lambda table: _clear(table, taken))
    except BaseException:
        # half a claim is nobody's to give back
        with contextlib.suppress(Exception):
            release(catalog, database, day, owner)
        raise
    return taken


def require_kept(catalog: Catalog, database: str, days: Iterable[date]) -> None:
    """Make sure that all that these days of Gold are rebuilt from is kept.

    :raises DayLetGo: it is not, of some of them.
    """
    bound = first_rebuildable(catalog, database)
    if bound is None:
        return
    first, why = bound
    gone = sorted(day for day in set(days) if day < first)
    if gone:
        raise DayLetGo(gone, why, first)


def require(catalog: Catalog, database: str, day: date, owner: str) -> None:
    """Make sure that the day is this owner's.

    :raises NotClaimed: it is not.
    """
    there = _holder(load(catalog, database, _LOCK), day)
    if there is None or there.owner != owner:
        raise NotClaimed(day, owner)


def branch_heads(catalog: Catalog, database: str, day: date) -> dict[str, int]:
    """Return the snapshot at which each Gold table's branch stands: what is audited.

    :raises DayUnpublishable: a branch is missing.
    """
    heads = {}
    for name in DAILY_GOLD:
        head = load(catalog, database, name).snapshot_by_name(branch_of(day))
        if head is None:
            raise DayUnpublishable(f"{database}.{name}", branch_of(day), "it is missing")
        heads[name] = head.snapshot_id
    return heads


def release(catalog: Catalog, database: str, day: date, owner: str | None = None) -> bool:
    """Give the day back and take its branches away; tells whether it was claimed.

    What was not published of them stays under a tag for seven days, to be looked at.

    :param owner: leave another's claim alone; None: whoever has it
    :raises CommitsCollide: the tables could not be committed to.
    """
    branch, claim_property = branch_of(day), _PREFIX + day.isoformat()
    there = _holder(load(catalog, database, _LOCK), day)
    if there is None or owner not in (None, there.owner):
        return False
    tables = [load(catalog, database, name) for name in DAILY_GOLD]
    keep = any(_written_by_a_batch(each, branch) for each in tables) and not all(
        _is_published(each, day) for each in tables
    )

    def remove(table: Table) -> None:
        head = table.snapshot_by_name(branch)
        with table.transaction() as transaction:
            if head is not None:
                refs = ManageSnapshots(transaction)
                if keep:
                    tag = rejected_tag(day)
                    refs.create_tag(head.snapshot_id, tag, max_ref_age_ms=REJECTED_KEPT_MS)
                refs.remove_branch(branch).commit()
            if claim_property in table.properties:
                transaction.remove_properties(claim_property)

    # the claim itself last: until then nobody else begins
    for name in (*_OTHERS, _LOCK):
        change(catalog, database, name, remove)
    return True


@dataclass(frozen=True)
class Holder:
    """Who has a day, since when (ISO 8601, UTC)."""

    owner: str
    since: str

    def is_stale(self, now: datetime) -> bool:
        """Whether no run that is alive can have it."""
        return now - datetime.fromisoformat(self.since) > LONGEST_RUN


def claimed_days(catalog: Catalog, database: str) -> dict[date, Holder]:
    """Tell who has which day."""
    table = load(catalog, database, _LOCK)
    days = (
        date.fromisoformat(name.removeprefix(_PREFIX))
        for name in table.properties
        if name.startswith(_PREFIX)
    )
    found = {day: _holder(table, day) for day in sorted(days)}
    return {day: holder for day, holder in found.items() if holder is not None}


def _holder(table: Table, day: date) -> Holder | None:
    """Whose the day is: branch and property are made and removed together.

    A branch alone is nobody's: a batch that ended after its day was given back has made it.
    """
    said = table.properties.get(_PREFIX + day.isoformat())
    if said is None:
        return None
    since, _, owner = said.partition(" ")
    return Holder(owner, since)


def _written_by_a_batch(table: Table, branch: str) -> bool:
    head = table.snapshot_by_name(branch)
    return (
        head is not None
        and head.summary is not None
        and FLINK_JOB_ID in head.summary.additional_properties
        and head != table.current_snapshot()
    )


def _is_published(table: Table, day: date) -> bool:
    rebuilt = day_files(table, table.snapshot_by_name(branch_of(day)), day)
    return rebuilt.paths == day_files(table, table.current_snapshot(), day).paths


def _silver_snapshot(catalog: Catalog, database: str) -> int:
    snapshot = load(catalog, database, SILVER_DETECTION.name).current_snapshot()
    if snapshot is None:
        raise SilverEmpty(f"{database}.{SILVER_DETECTION.name}")
    return snapshot.snapshot_id


def _begin(table: Table) -> None:
    """Give the table a first snapshot: a branch begins at one."""
    if table.current_snapshot() is None:
        table.append(pa.Table.from_pylist([], schema=table.schema().as_arrow()))


def _branch_off(table: Table, taken: Claim, properties: dict[str, str] | None = None) -> None:
    """Make the branch, or set it back; fails if it is not as it was when the table was loaded."""
    with table.transaction() as transaction:
        main = transaction.table_metadata.refs[MAIN_BRANCH].snapshot_id
        ManageSnapshots(transaction).create_branch(main, taken.branch).commit()
        if properties:
            transaction.set_properties(properties)


def _clear(table: Table, taken: Claim) -> None:
    """Let the branch begin without the day: a day that has lost all its rows is empty then."""
    there = day_files(table, table.snapshot_by_name(taken.branch), taken.day)
    if there.data:
        with (
            table.transaction() as transaction,
            transaction.update_snapshot(branch=taken.branch).overwrite() as update,
        ):
            for file in there.data:
                update.delete_data_file(file)
