"""Reading the topic and Bronze, and putting back what Bronze lacks."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table, TableProperties

from lakehouse.audit.bronze_rows import bronze_row, published_at
from lakehouse.audit.comparison import Comparison, Tally
from lakehouse.audit.message_ids import MessageId
from lakehouse.errors import LakehouseError
from lakehouse.retention.horizons import kept_since, midnight
from lakehouse.tables import load
from replay.retained import RetainedMessage, RetainedTopic

TABLE = "bronze_raw"
REPAIRED = "rva.repaired-messages"
"""In the snapshot's summary: how many messages this repair appended."""
COMMIT_SECONDS = 120.0
"""How long a repair tries to commit between the commits of bronze_ingest (one each 2 to 60 s)."""
CLOCKS_APART = timedelta(hours=1)
"""A producer's clock may be so far ahead of Flink's: what it published in the first day that Bronze
keeps may have been received, and let go, in the day before."""
_PAUSE_SECONDS = 0.5
"""At most so long it waits after a conflict, at random: two repairs must not keep step."""


class NothingToCompare(LakehouseError):
    """Bronze has rows and the topic has no message: nothing can be said about any of them."""

    def __init__(self, topic: str, rows: int) -> None:
        super().__init__(
            f"{topic} holds no message while {TABLE} has {rows} rows: nothing can be compared. "
            "Is RVA_TOPIC right, or has the topic's retention passed?"
        )
        self.topic, self.rows = topic, rows


class RepairCrowdedOut(LakehouseError):
    """Others committed to Bronze at every attempt."""

    def __init__(self, messages: int) -> None:
        super().__init__(
            f"{messages} missing messages were not put back: for {COMMIT_SECONDS:.0f} s each "
            f"commit met another one to {TABLE}. Nothing was changed; run the same command again"
        )
        self.messages = messages


@dataclass(frozen=True)
class Gap:
    """What nothing can be said about: the topic has let it go, and Bronze has none of it."""

    after: datetime
    """Publish time of Bronze's newest row before what the topic still holds."""
    before: datetime
    """Publish time of the oldest message that the topic still holds."""


@dataclass(frozen=True)
class Audit:
    """The comparison, and the messages that it names with all that the topic tells of them."""

    comparison: Comparison
    missing: tuple[RetainedMessage, ...]
    doubled: tuple[RetainedMessage, ...]
    gap: Gap | None
    """Where Bronze has rows whose messages have left the topic."""
    kept_since: date | None = None
    """The first day (UTC, of receipt) that Bronze has whole; None: it has let nothing go."""


def audit(catalog: Catalog, database: str, topic: RetainedTopic, name: str) -> Audit:
    """Compare all that the topic holds with bronze_raw, by message id.

    The topic is read twice: for its ids, then for the messages that are named. In between is
    Bronze's newest snapshot, so that what is published meanwhile is at worst not yet read. Of what
    was published before the days that Bronze keeps, nobody can tell whether Bronze had it.

    :raises NothingToCompare: the topic is empty and Bronze is not.
    :raises TableMissing: there is no bronze_raw.
    """
    tally = Tally()
    first_kept = kept_since(load(catalog, database, TABLE))
    judged_ms = 0
    if first_kept is not None:
        judged_ms = round((midnight(first_kept) + CLOCKS_APART).timestamp() * 1000)
    oldest_ms: list[int] = []
    for partition in topic.partitions():
        for place, message in enumerate(topic.read(partition)):
            if place == 0:
                oldest_ms.append(message.publish_ms)
            tally.retained(
                partition,
                MessageId.parse(message.message_id),
                expired=message.publish_ms < judged_ms,
            )
    table = load(catalog, database, TABLE)
    if kept_since(table) != first_kept:
        return audit(catalog, database, topic, name)  # days have been let go meanwhile
    rows = 0
    for serialised in held_ids(table):
        rows += 1
        tally.held(MessageId.parse(serialised))
    comparison = tally.compare()
    if rows and not comparison.retained:
        raise NothingToCompare(name, rows)
    return Audit(
        comparison,
        tuple(_fetch(topic, comparison.missing)),
        tuple(_fetch(topic, comparison.doubled)),
        _gap(table, published_at(max(oldest_ms))) if comparison.let_go else None,
        first_kept,
    )


def repair(catalog: Catalog, database: str, missing: Sequence[RetainedMessage]) -> int:
    """Append the messages that bronze_raw still lacks in one commit; returns how many.

    Twice is as once, and two at once are as one: the commit holds only if nobody has committed
    since Bronze was looked at; else it looks again.

    :raises RepairCrowdedOut: others committed at every attempt.
    """
    if not missing:
        return 0
    give_up_at = time.monotonic() + COMMIT_SECONDS
    while True:
        table = load(catalog, database, TABLE)
        there = {MessageId.parse(each) for each in held_ids(table, _published_as(missing))}
        lacking = [each for each in missing if MessageId.parse(each.message_id) not in there]
        if not lacking:
            return 0
        now = datetime.now(UTC)
        rows = pa.Table.from_pylist(
            [bronze_row(each, now) for each in lacking], schema=table.schema().as_arrow()
        )
        _commit_on_this_snapshot_only(table)
        try:
            table.append(rows, snapshot_properties={REPAIRED: str(len(lacking))})
        except CommitFailedException:
            if time.monotonic() >= give_up_at:
                raise RepairCrowdedOut(len(lacking)) from None
            time.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311 - no secret
        else:
            return len(lacking)


def held_ids(table: Table, row_filter: str | None = None) -> Iterator[bytes]:
    """Serialised message ids of the table's newest snapshot, one a row."""
    if table.current_snapshot() is None:
        return
    scan = table.scan(row_filter=row_filter or AlwaysTrue(), selected_fields=("message_id",))
    for batch in scan.to_arrow_batch_reader():
        yield from batch.column("message_id").to_pylist()


def holds(catalog: Catalog, database: str, messages: Sequence[RetainedMessage]) -> bool:
    """Whether bronze_raw has each of these messages.

    :raises TableMissing: there is no bronze_raw.
    """
    if not messages:
        return True
    held = held_ids(load(catalog, database, TABLE), _published_as(messages))
    there = {MessageId.parse(each) for each in held}
    return all(MessageId.parse(each.message_id) in there for each in messages)


def _gap(table: Table, before: datetime) -> Gap:
    """Between the newest row that was published before a moment, and that moment.

    Of several partitions the one is taken whose messages begin last.
    """
    rows = table.scan(
        row_filter=f"publish_ts < '{before.isoformat()}'", selected_fields=("publish_ts",)
    )
    newest = (pc.max(batch.column("publish_ts")).as_py() for batch in rows.to_arrow_batch_reader())
    return Gap(max((each for each in newest if each is not None), default=before), before)


def _commit_on_this_snapshot_only(table: Table) -> None:
    """Keep PyIceberg from appending to a newer snapshot than was looked at."""
    table.metadata.properties[TableProperties.COMMIT_NUM_RETRIES] = "0"


def _published_as(messages: Sequence[RetainedMessage]) -> str:
    """Rows that can be these messages': Bronze has the publish time that the message has."""
    first, last = (
        published_at(pick(each.publish_ms for each in messages)).isoformat() for pick in (min, max)
    )
    return f"publish_ts is null or (publish_ts >= '{first}' and publish_ts <= '{last}')"


def _fetch(
    topic: RetainedTopic, wanted: dict[str, tuple[MessageId, ...]]
) -> Iterator[RetainedMessage]:
    """The messages of these ids, save those that the topic has let go meanwhile."""
    for partition, ids in wanted.items():
        named = set(ids)
        for message in topic.read(partition, ids[0].ledger, ids[0].entry):
            found = MessageId.parse(message.message_id)
            if found in named:
                yield message
            if found >= ids[-1]:
                break
