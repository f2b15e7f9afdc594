"""Files of deletes that apply to nothing any more, taken out of a table.

Trino's compaction takes deletes into the data, and takes those files of them out of the table that
it has applied. A stream that upserts writes one for new keys too, which no data file has; such a
file stays, with every commit one more, until its day is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pyiceberg.catalog import Catalog
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFileContent, ManifestContent, ManifestEntry, ManifestFile
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Operation, Summary, update_snapshot_summaries

# PyIceberg has no operation of its own that takes out files of deletes
from pyiceberg.table.update.snapshot import _SnapshotProducer
from pyiceberg.typedef import EMPTY_DICT

from lakehouse.commits import change

_Place = tuple[object, ...]


def take_out_spent(catalog: Catalog, database: str, name: str) -> int:
    """Take files of deletes out of a table that apply to none of its data; returns how many.

    A manifest of which one file still applies stays as it is until that is spent too.

    :raises CommitsCollide: others committed during every attempt.
    """

    def take_out(table: Table) -> int:
        snapshot = table.current_snapshot()
        if snapshot is None or not spent(snapshot.manifests(table.io), table.io):
            return 0
        with table.transaction() as transaction:
            producer = _WithoutSpent(transaction)
            producer.commit()
        return len(producer.taken_out)

    return change(catalog, database, name, take_out)


def spent(manifests: Sequence[ManifestFile], io: FileIO) -> dict[str, list[ManifestEntry]]:
    """Find the manifests of deletes of which no file applies any more, each by its path.

    A file of equality deletes applies to data of its partition with a lower sequence number, one of
    position deletes to data with its own too (Iceberg's specification, "Scan Planning").
    """
    oldest: dict[_Place, int] = {}
    for manifest in manifests:
        if manifest.content is ManifestContent.DATA:
            for entry in manifest.fetch_manifest_entry(io):
                place, number = _place(entry), _sequence_number(entry)
                oldest[place] = min(number, oldest.get(place, number))

    def applies(entry: ManifestEntry) -> bool:
        first = oldest.get(_place(entry))
        if first is None:
            return False
        number = _sequence_number(entry)
        if entry.data_file.content is DataFileContent.EQUALITY_DELETES:
            return first < number
        return first <= number

    found = {}
    for manifest in manifests:
        if manifest.content is ManifestContent.DELETES:
            entries = manifest.fetch_manifest_entry(io)
            if not any(applies(each) for each in entries):
                found[manifest.manifest_path] = entries
    return found


def _place(entry: ManifestEntry) -> _Place:
    of = entry.data_file.partition
    return (entry.data_file.spec_id, *(of[number] for number in range(len(of))))


def _sequence_number(entry: ManifestEntry) -> int:
    # it is none only before its commit
    return cast("int", entry.sequence_number)


class _WithoutSpent(_SnapshotProducer["_WithoutSpent"]):
    """A snapshot with the same rows. At each attempt it looks anew, at what is newest then."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(Operation.REPLACE, transaction, transaction._table.io)
        self.taken_out: list[ManifestEntry] = []

    def _validate_concurrency(self) -> None:
        """Nothing that was found out before is used again."""

    def _deleted_entries(self) -> list[ManifestEntry]:
        return []

    def _existing_manifests(self) -> list[ManifestFile]:
        snapshot = self._transaction.table_metadata.current_snapshot()
        manifests = snapshot.manifests(self._io) if snapshot else []
        out = spent(manifests, self._io)
        self.taken_out = [entry for entries in out.values() for entry in entries]
        return [each for each in manifests if each.manifest_path not in out]

    def _summary(self, snapshot_properties: dict[str, str] = EMPTY_DICT) -> Summary:
        files = [each.data_file for each in self.taken_out]
        equality = [each for each in files if each.content is DataFileContent.EQUALITY_DELETES]
        position = [each for each in files if each.content is DataFileContent.POSITION_DELETES]
        removed = {
            "removed-delete-files": len(files),
            "removed-equality-delete-files": len(equality),
            "removed-equality-deletes": sum(each.record_count for each in equality),
            "removed-position-delete-files": len(position),
            "removed-position-deletes": sum(each.record_count for each in position),
            "removed-files-size": sum(each.file_size_in_bytes for each in files),
        }
        told = {name: str(number) for name, number in removed.items() if number}
        told.update(snapshot_properties)
        before = self._transaction.table_metadata.current_snapshot()
        previous = before.summary.additional_properties if before and before.summary else None
        # it knows no replacing
        totals = update_snapshot_summaries(Summary(Operation.DELETE, **told), previous)
        return Summary(Operation.REPLACE, **totals.additional_properties)
