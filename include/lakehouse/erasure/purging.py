"""The past of a table, and what nobody will ever commit: taken away with its files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update.snapshot import ExpireSnapshots, ManageSnapshots
from pyiceberg.table.update.statistics import UpdateStatistics

from lakehouse.commits import change

_THREADS = 8


def expire_before(catalog: Catalog, database: str, name: str, first: Snapshot) -> int:
    """Let all snapshots before one expire, with what points to them, and delete their files.

    What a living snapshot names too stays. Returns how many objects were deleted.

    :raises CommitsCollide: others committed during every attempt.
    """
    doomed = change(catalog, database, name, lambda table: _expire(table, first))
    return delete(catalog.load_table((database, name)), doomed)


def delete(table: Table, paths: Collection[str]) -> int:
    """Delete objects; one that is gone already is none. Returns how many were asked for."""

    def one(path: str) -> None:
        try:
            table.io.delete(path)
        except FileNotFoundError:
            return

    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(one, paths))
    return len(paths)


def named_by(table: Table, snapshots: Iterable[Snapshot]) -> set[str]:
    """Every object that snapshots are made of: manifest lists, manifests, data, delete files."""
    snapshots = list(snapshots)
    with ThreadPoolExecutor(_THREADS) as threads:
        manifests = {
            each
            for found in threads.map(lambda snapshot: snapshot.manifests(table.io), snapshots)
            for each in found
        }
        files = {
            entry.data_file.file_path
            for found in threads.map(
                lambda manifest: manifest.fetch_manifest_entry(table.io, discard_deleted=False),
                manifests,
            )
            for entry in found
        }
    lists = {each.manifest_list for each in snapshots if each.manifest_list is not None}
    return lists | {each.manifest_path for each in manifests} | files


def _expire(table: Table, first: Snapshot) -> set[str]:
    """Expire in one commit; returns what only expired snapshots name."""
    oldest = first.sequence_number or 0
    gone = [each for each in table.snapshots() if (each.sequence_number or 0) < oldest]
    living = [each for each in table.snapshots() if each not in gone]
    ids = {each.snapshot_id for each in gone}
    statistics = [each for each in table.metadata.statistics if each.snapshot_id in ids]
    if not gone:
        return set()
    doomed = named_by(table, gone) - named_by(table, living)
    with table.transaction() as transaction:
        refs = ManageSnapshots(transaction)
        for name, ref in table.refs().items():
            if ref.snapshot_id not in ids or name == MAIN_BRANCH:
                continue
            if ref.snapshot_ref_type == SnapshotRefType.TAG:
                refs.remove_tag(name)
            else:
                refs.remove_branch(name)
        refs.commit()
        for each in statistics:
            UpdateStatistics(transaction).remove_statistics(each.snapshot_id).commit()
        ExpireSnapshots(transaction).by_ids(sorted(ids)).commit()
    return doomed | {each.statistics_path for each in statistics}
