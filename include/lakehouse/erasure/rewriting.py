"""Files of one table written anew without what is erased, and exchanged in one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa
from pyiceberg.manifest import DataFile, DataFileContent, ManifestEntry
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.erasure.files import live_entries, live_rows, write
from lakehouse.erasure.purging import delete
from lakehouse.erasure.replacing import replace
from lakehouse.erasure.rules import Erased


class Rewriting:
    """Files of one table written anew, once, however often the commit must be tried."""

    def __init__(
        self,
        found: Mapping[str, int],
        count: Callable[[Table, str], int],
        rule: Callable[[pa.Table], Erased],
        *,
        by_partition: bool,
    ) -> None:
        """Make ready.

        :param found: how much of the files that were looked at is to be erased
        :param count: tells it of a file that was not
        :param by_partition: rows are upserted, so that delete files hold keys of rows
        """
        self.rows = 0
        """Erased or changed by the commit."""
        self.files = 0
        """That the commit exchanged."""
        self._found = dict(found)
        self._count = count
        self._rule = rule
        self._by_partition = by_partition
        self._written: dict[frozenset[str], tuple[DataFile | None, int]] = {}
        self._committed: set[str] = set()

    def commit(self, table: Table) -> Snapshot | None:
        """Exchange the files in one commit; None where the table has no snapshot."""
        if table.current_snapshot() is None:
            return None
        entries = live_entries(table, table.current_snapshot())
        for entry in entries:
            path = entry.data_file.file_path
            if path not in self._found:
                self._found[path] = self._count(table, path)
        gone: list[DataFile] = []
        new: list[DataFile] = []
        rows = 0
        for old, deletes in self._groups(entries):
            made, erased = self._rewrite(table, old, deletes)
            gone += [each.data_file for each in old]
            new += [] if made is None else [made]
            rows += erased
        snapshot = replace(table, gone, new, rows)
        self._committed = {each.file_path for each in new}
        self.rows, self.files = rows, len(gone)
        return snapshot

    def clear(self, table: Table) -> None:
        """Delete what was written and not committed."""
        paths = {made.file_path for made, _ in self._written.values() if made is not None}
        delete(table, paths - self._committed)

    def _groups(
        self, entries: list[ManifestEntry]
    ) -> Iterator[tuple[list[ManifestEntry], list[ManifestEntry]]]:
        """What goes together, and the delete files to apply: of upserted tables all of a partition,
        since their delete files hold keys; of others a file alone."""
        partitions: dict[object, list[ManifestEntry]] = {}
        for entry in entries:
            key = tuple(entry.data_file.partition[i] for i in range(len(entry.data_file.partition)))
            partitions.setdefault((entry.data_file.spec_id, key), []).append(entry)
        for group in partitions.values():
            hit = [each for each in group if self._found[each.data_file.file_path]]
            deletes = [each for each in group if each.data_file.content != DataFileContent.DATA]
            if hit and self._by_partition:
                yield group, deletes
            elif hit:
                yield from (([each], deletes) for each in hit)

    def _rewrite(
        self, table: Table, old: list[ManifestEntry], deletes: list[ManifestEntry]
    ) -> tuple[DataFile | None, int]:
        key = frozenset(each.data_file.file_path for each in (*old, *deletes))
        if key not in self._written:
            data = [each for each in old if each.data_file.content == DataFileContent.DATA]
            data.sort(key=lambda each: each.sequence_number or 0)
            erased = 0

            def left() -> Iterator[pa.Table]:
                nonlocal erased
                for entry in data:
                    for rows in live_rows(table, entry, deletes):
                        judged = self._rule(rows)
                        erased += judged.rows
                        yield judged.left

            made = write(table, old[0].data_file, left())
            self._written[key] = made, erased
        return self._written[key]
