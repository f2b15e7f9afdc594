"""How long after a fault the tables went on: the first commit of rows that came after it."""

from __future__ import annotations

from pyiceberg.catalog import Catalog
from pyiceberg.conversions import from_bytes
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.types import TimestamptzType

from lakehouse.tables import load

TABLES = ("bronze_raw", "silver_detection")
ARRIVAL = "ingest_ts"
"""When bronze_ingest took a message in; Silver carries it on."""


def first_commit_ms(catalog: Catalog, database: str, name: str, after_ms: int) -> int | None:
    """When the first commit was made that holds rows which arrived after a moment; None: not yet.

    A commit that was on its way at that moment holds older rows only and does not count.
    """
    table = load(catalog, database, name)
    later = [each for each in table.snapshots() if each.timestamp_ms >= after_ms]
    for snapshot in sorted(later, key=lambda each: each.timestamp_ms):
        newest = _newest_arrival_ms(table, snapshot)
        if newest is not None and newest > after_ms:
            return snapshot.timestamp_ms
    return None


def _newest_arrival_ms(table: Table, snapshot: Snapshot) -> int | None:
    field_id = table.schema().find_field(ARRIVAL).field_id
    found = [
        int(from_bytes(TimestamptzType(), entry.data_file.upper_bounds[field_id]))
        for manifest in snapshot.manifests(table.io)
        if manifest.added_snapshot_id == snapshot.snapshot_id
        for entry in manifest.fetch_manifest_entry(table.io)
        if entry.snapshot_id == snapshot.snapshot_id and entry.data_file.upper_bounds
    ]
    return max(found) // 1000 if found else None
