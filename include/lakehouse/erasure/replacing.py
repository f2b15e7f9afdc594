"""One commit that exchanges files, and leaves nothing in the manifests of those that went."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pyiceberg.manifest import (
    DataFile,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table import Table, TableProperties, Transaction
from pyiceberg.table.snapshots import Operation, Snapshot
from pyiceberg.table.update.snapshot import _SnapshotProducer

from lakehouse.snapshots import FLINK_CHECKPOINT_ID, FLINK_JOB_ID, FLINK_OPERATOR_ID, history

ERASED = "rva.erased"
"""Property of a commit's summary: rows that it erased or changed."""
ERASED_AT = "rva.erased-at"
"""Property of a table: when rows were last erased (ISO 8601, UTC)."""
_END_OF_BATCH = 2**63 - 1


def replace(table: Table, gone: Iterable[DataFile], new: Iterable[DataFile], rows: int) -> Snapshot:
    """Commit once, on the snapshot that the table was loaded at; returns the new one.

    It is an `overwrite`, which Flink's streaming source passes over. It says on behalf of the
    job that has committed to the table last up to which checkpoint it has: a job that goes on
    from its checkpoint looks for that, and the snapshot where it stood may then expire.

    :raises CommitFailedException: another commit came in between.
    """
    table.metadata.properties[TableProperties.COMMIT_NUM_RETRIES] = "0"
    summary = {ERASED: str(rows), **_flink_position(table)}
    with table.transaction() as transaction:
        producer = _Replacing(transaction, table, summary)
        for each in gone:
            producer.delete_data_file(each)
        for each in new:
            producer.append_data_file(each)
        producer.commit()
        transaction.set_properties({ERASED_AT: datetime.now(UTC).isoformat(timespec="seconds")})
    made = table.current_snapshot()
    if made is None:
        raise AssertionError("the commit has made no snapshot")
    return made


def erased_at(table: Table) -> datetime | None:
    """When rows of a table were last erased, UTC; None: never."""
    told = table.properties.get(ERASED_AT)
    return None if told is None else datetime.fromisoformat(told)


def _flink_position(table: Table) -> dict[str, str]:
    """What the newest commit of a streaming job says of the job; a batch commits at its end."""
    for facts in history(table):
        snapshot = table.snapshot_by_id(facts.snapshot_id)
        if facts.flink_checkpoint_id in (None, _END_OF_BATCH) or snapshot is None:
            continue
        told = {} if snapshot.summary is None else snapshot.summary.additional_properties
        names = (FLINK_JOB_ID, FLINK_OPERATOR_ID, FLINK_CHECKPOINT_ID)
        return {name: told[name] for name in names if name in told}
    return {}


class _Replacing(_SnapshotProducer["_Replacing"]):
    """An overwrite that can take out delete files too, which PyIceberg's own cannot.

    Entries of files that are gone, this commit's and earlier ones', are left out of the manifests:
    their bounds would name what was erased.
    """

    def __init__(self, transaction: Transaction, table: Table, summary: dict[str, str]) -> None:
        super().__init__(
            Operation.OVERWRITE,
            transaction,
            table.io,
            commit_uuid=uuid.uuid4(),
            snapshot_properties=summary,
        )

    def _deleted_entries(self) -> list[ManifestEntry]:
        return []

    def _existing_manifests(self) -> list[ManifestFile]:
        snapshot = self._transaction.table_metadata.current_snapshot()
        manifests = [] if snapshot is None else snapshot.manifests(self._io)
        kept = (self._kept(each) for each in manifests)
        return [each for each in kept if each is not None]

    def _kept(self, manifest: ManifestFile) -> ManifestFile | None:
        """The manifest, if all its files stay; else one of those that do; None: none does."""
        entries = manifest.fetch_manifest_entry(self._io, discard_deleted=False)
        left = [
            each
            for each in entries
            if each.status != ManifestEntryStatus.DELETED
            and each.data_file not in self._deleted_data_files
        ]
        if len(left) == len(entries):
            return manifest
        if not left:
            return None
        with self._writer(manifest) as writer:
            for each in left:
                writer.add_entry(
                    ManifestEntry.from_args(
                        status=ManifestEntryStatus.EXISTING,
                        snapshot_id=each.snapshot_id,
                        sequence_number=each.sequence_number,
                        file_sequence_number=each.file_sequence_number,
                        data_file=each.data_file,
                    )
                )
        return writer.to_manifest_file()

    def _writer(self, manifest: ManifestFile) -> ManifestWriterV2:
        kind = _DeletesWriter if manifest.content == ManifestContent.DELETES else ManifestWriterV2
        return kind(
            self.spec(manifest.partition_spec_id),
            self.schema(),
            self.new_manifest_output(),
            self._snapshot_id,
            self._compression,
        )


class _DeletesWriter(ManifestWriterV2):
    """A manifest of delete files."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, Any]:
        return {**super()._meta, "content": "deletes"}
