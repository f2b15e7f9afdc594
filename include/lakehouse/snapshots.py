"""What the commits of a table say: which Flink job wrote them, up to which checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.tables import load

FLINK_JOB_ID = "flink.job-id"
FLINK_OPERATOR_ID = "flink.operator-id"
FLINK_CHECKPOINT_ID = "flink.max-committed-checkpoint-id"


@dataclass(frozen=True)
class SnapshotFacts:
    """One snapshot: when (UTC), what it did, and the Flink checkpoint that it holds."""

    snapshot_id: int
    committed_at: datetime
    operation: str
    added_rows: int
    total_rows: int
    flink_job_id: str | None
    flink_checkpoint_id: int | None


def history(table: Table) -> Iterator[SnapshotFacts]:
    """Snapshots from the newest back along the parents that are still there."""
    snapshot = table.current_snapshot()
    while snapshot is not None:
        yield _facts(snapshot)
        parent = snapshot.parent_snapshot_id
        snapshot = None if parent is None else table.snapshot_by_id(parent)


def committed_checkpoint(
    catalog: Catalog, database: str, name: str, flink_job_id: str
) -> int | None:
    """Newest checkpoint of that Flink job which is committed to the table, or None."""
    commit = newest_commit(catalog, database, name, flink_job_id)
    return None if commit is None else commit.flink_checkpoint_id


def newest_commit(
    catalog: Catalog, database: str, name: str, flink_job_id: str
) -> SnapshotFacts | None:
    """Newest commit of that Flink job to the table, or None.

    Snapshots of others (Trino's maintenance, other jobs) are walked past.
    """
    for facts in history(load(catalog, database, name)):
        if facts.flink_job_id == flink_job_id and facts.flink_checkpoint_id is not None:
            return facts
    return None


def snapshot_time(snapshot: Snapshot) -> datetime:
    """When a snapshot was committed, UTC."""
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC)


def _facts(snapshot: Snapshot) -> SnapshotFacts:
    summary = snapshot.summary
    properties = {} if summary is None else summary.additional_properties
    checkpoint = properties.get(FLINK_CHECKPOINT_ID)
    return SnapshotFacts(
        snapshot_id=snapshot.snapshot_id,
        committed_at=snapshot_time(snapshot),
        operation="" if summary is None else summary.operation.value,
        added_rows=int(properties.get("added-records", 0)),
        total_rows=int(properties.get("total-records", 0)),
        flink_job_id=properties.get(FLINK_JOB_ID),
        flink_checkpoint_id=None if checkpoint is None else int(checkpoint),
    )
