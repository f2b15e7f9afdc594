"""Erasure from the first look to the last: every step may be cut off and done again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import RESTError
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.commits import change
from lakehouse.erasure import work
from lakehouse.erasure.errors import ErasureCutOff, ErasureRefused, StillRead
from lakehouse.erasure.files import Stored, read, stored
from lakehouse.erasure.purging import delete, expire_before, named_by
from lakehouse.erasure.rewriting import Rewriting
from lakehouse.erasure.rules import RULES
from lakehouse.erasure.scanning import (
    Scan,
    is_manifest,
    manifest_findings,
    quarantined,
    scan,
    times_of_messages,
)
from lakehouse.erasure.selection import Selection
from lakehouse.erasure.trail import HOUR, Trail
from lakehouse.errors import CommitsCollide, LakehouseError
from lakehouse.maintenance.streams import STREAMS
from lakehouse.schema import BRONZE_RAW, SILVER_DETECTION, SILVER_QUARANTINE, TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.snapshots import snapshot_time
from lakehouse.tables import load

ROUNDS = 3
"""What was on its way from layer to layer may come behind the first."""
SETTLED = timedelta(minutes=10)
"""So long a writer may take from a file's end to its commit: Flink gives up a checkpoint then."""

_JUDGED_BY_THEMSELVES = (BRONZE_RAW.name, SILVER_DETECTION.name)
"""The large tables: what goes of a file follows from the file alone, so each is read once."""

Tell = Callable[[str], None]


@dataclass
class Erasure:
    """One erasure: what is meant, where, and what became known of it on the way."""

    catalog: Catalog
    settings: LakehouseSettings
    selection: Selection
    tell: Tell
    forgotten: tuple[str, ...] = ()
    trail: Trail = field(default_factory=Trail)
    done: list[str] = field(default_factory=list)
    """What was changed, in words."""
    left: list[str] = field(default_factory=list)
    """Files that hold some of it and may yet be committed by others, with the reason."""
    _counted: dict[str, int] = field(default_factory=dict)

    def count(self) -> dict[str, dict[str, int]]:
        """Rows to be erased, of live files and others, by table and file; changes nothing."""
        found = {name: self._look(name) for name in RULES}
        return {name: files for name, files in found.items() if files}

    def check(self, found: Mapping[str, Collection[str]]) -> None:
        """Find out who needs what must go.

        :raises ErasureRefused: somebody does.
        """
        reasons = work.in_the_way(
            self.catalog,
            self.settings,
            work.ask_flink(self.settings),
            found.items(),
            self.forgotten,
        )
        if reasons:
            raise ErasureRefused(reasons)

    def erase(self) -> Scan:
        """Take everything out, the past too, and look for it again.

        :raises StillRead: a job that runs does not move on.
        :raises ErasureCutOff: something failed on the way.
        """
        for number in range(1, ROUNDS + 1):
            self.left.clear()
            made = {name: snapshot for name in RULES if (snapshot := self._take_out(name))}
            for name, snapshot in made.items():
                self._purge(name, snapshot)
            proof = self.prove()
            if not proof.findings or self.left or number == ROUNDS:
                return proof
            self.tell("some of it has come behind: once more")
        raise AssertionError("unreachable")

    def prove(self) -> Scan:
        """Read every object of every table."""
        with self._step("looking for it again"):
            self.tell("reading every file, live or not")
            return scan(self.catalog, self.settings.database, RULES, self.selection)

    def open_windows(self) -> datetime | None:
        """When the last hour ends that streaming Gold may still show with what was erased."""
        newest = self.trail.newest
        if newest is None or not work.ask_flink(self.settings).runs(STREAMS[-1]):
            return None
        hours = {hour for _, _, hour in self.trail.hours | self.trail.dwell_hours}
        return max((each + HOUR for each in hours if each + HOUR > newest), default=None)

    def _look(self, name: str, only: Collection[str] | None = None) -> dict[str, int]:
        """Objects of a table with something to erase, and how much.

        :param only: among these
        """
        if name == SILVER_QUARANTINE.name and self.selection.is_timed:
            ids = quarantined(self.catalog, self.settings.database)
            known = times_of_messages(self.catalog, self.settings.database, ids)
            self.trail.captured_at.update(known)
        table = load(self.catalog, self.settings.database, name)
        objects = frozenset(each.path for each in stored(table))
        found: dict[str, int] = {}
        for path in sorted(objects if only is None else only):
            try:
                if path.endswith(".parquet"):
                    rows = self._count_in(table, name, path)
                elif is_manifest(path):
                    told = manifest_findings(table, name, path, self.selection, objects)
                    rows = sum(each.rows for each in told)
                else:
                    continue
            except FileNotFoundError:
                continue  # a job has taken it away meanwhile
            except (pa.ArrowException, ValueError, EOFError) as error:
                self.tell(f"{name}: {path} cannot be read ({error})")
                continue
            if rows:
                found[path] = rows
        return found

    def _count_in(self, table: Table, name: str, path: str) -> int:
        """Rows of a file that its table's rule erases or changes."""
        if path in self._counted:
            return self._counted[path]
        rows = sum(
            RULES[name](part, self.selection, self.trail).rows
            for part in read(table, path)
            # position deletes hold places only
            if "file_path" not in part.schema.names
        )
        if name in _JUDGED_BY_THEMSELVES:
            self._counted[path] = rows
        return rows

    def _take_out(self, name: str) -> Snapshot | None:
        """Rewrite a table's files, in one commit, and wait for its readers."""
        with self._step(f"taking rows out of {name}"):
            found = self._look(name)
            if not found:
                return None
            rewriting = Rewriting(
                found,
                lambda table, path: self._count_in(table, name, path),
                lambda rows: RULES[name](rows, self.selection, self.trail),
                by_partition=TABLES[name].upserted,
            )
            database = self.settings.database
            try:
                made = change(self.catalog, database, name, rewriting.commit)
            except CommitsCollide:
                rewriting.clear(load(self.catalog, database, name))
                raise
            # after any other error it may have been committed all the same
            rewriting.clear(load(self.catalog, database, name))
            if made is None:
                return None
            self.tell(f"{name}: {rewriting.rows:,} rows taken out of {rewriting.files:,} files")
            self.done.append(f"{rewriting.rows:,} rows out of {name}")
            work.wait_for_readers(
                self.catalog, self.settings, name, snapshot_time(made), self.forgotten, self.tell
            )
            return made

    def _purge(self, name: str, first: Snapshot) -> None:
        """Take away the past of a table, and files of nobody that hold some of it."""
        database = self.settings.database
        with self._step(f"taking away the past of {name}"):
            gone = expire_before(self.catalog, database, name, first)
            table = load(self.catalog, database, name)
            named = named_by(table, table.snapshots())
            nobodys = {each.path: each for each in stored(table) if each.path not in named}
            found = self._look(name, nobodys)
            doomed = list(self._settled(name, [nobodys[path] for path in found]))
            gone += delete(table, doomed)
            self.tell(f"{name}: its past is gone, {gone:,} objects deleted")
            self.done.append(f"the past of {name}")

    def _settled(self, name: str, objects: Iterable[Stored]) -> Iterator[str]:
        """Those that nobody will commit any more; the others are told."""
        objects = list(objects)
        if not objects:
            return
        before = work.settled_before(self.settings, name, datetime.now(UTC)) - SETTLED
        awaited = {
            path
            for stream in STREAMS
            if name in stream.writes and stream.job not in self.forgotten
            for path in work.pending(self.catalog, self.settings, stream, name)
        }
        for each in objects:
            if each.written_at < before and each.path not in awaited:
                yield each.path
            else:
                self.left.append(
                    f"{name}: {each.path} is in no snapshot and was written at "
                    f"{each.written_at:%H:%M:%S}: a writer may yet commit it. Run the same command "
                    f"again {SETTLED.seconds // 60} minutes later"
                )

    @contextmanager
    def _step(self, step: str) -> Iterator[None]:
        try:
            yield
        except (StillRead, ErasureCutOff):
            raise
        except (LakehouseError, RESTError, OSError) as error:
            cause = str(error).partition("\n")[0] or type(error).__name__
            raise ErasureCutOff(self.done, step, cause) from error
