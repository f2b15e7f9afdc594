"""The proof: every object under every table's location is read, and what tells is named."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.manifest import ManifestEntryStatus
from pyiceberg.table import Table

from lakehouse.erasure.files import read, stored
from lakehouse.erasure.recognising import candidates, entry_tells, tells_of
from lakehouse.erasure.selection import Selection
from lakehouse.erasure.work import entries_of
from lakehouse.tables import load

_LIST_OF_MANIFESTS = "snap-"
"""How the names of those begin; they know partitions, which are days, and nothing of a row."""


@dataclass(frozen=True)
class Finding:
    """An object that still tells of what was to be erased, or that cannot be read (`rows` 0)."""

    table: str
    path: str
    rows: int
    why: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.table}: {self.path}: {self.why}"


@dataclass
class Scan:
    """What was looked at and what was found."""

    findings: list[Finding] = field(default_factory=list)
    data_files: int = 0
    manifests: int = 0
    others: int = 0
    """Metadata and lists of manifests, which hold no values of rows, by their names."""
    rows: int = 0

    def __str__(self) -> str:
        """For people."""
        return (
            f"{self.rows:,} rows of {self.data_files:,} data and delete files and "
            f"{self.manifests:,} manifests read, live or not; {self.others:,} other objects"
        )


def scan(catalog: Catalog, database: str, names: Iterable[str], selection: Selection) -> Scan:
    """Read all that lies under the locations of tables, whichever snapshot names it or none."""
    done = Scan()
    captured_at = (
        times_of_messages(catalog, database, quarantined(catalog, database))
        if selection.is_timed
        else {}
    )
    for name in names:
        table = load(catalog, database, name)
        objects = frozenset(each.path for each in stored(table))
        for path in sorted(objects):
            try:
                if path.endswith(".parquet"):
                    _scan_data(done, table, name, path, selection, captured_at)
                elif is_manifest(path):
                    done.manifests += 1
                    done.findings += manifest_findings(table, name, path, selection, objects)
                else:
                    done.others += 1
            except FileNotFoundError:
                continue  # a job has taken it away meanwhile
            except (pa.ArrowException, ValueError, EOFError) as error:
                done.findings.append(Finding(name, path, 0, f"cannot be read ({error})"))
    return done


def is_manifest(path: str) -> bool:
    """Whether an object is a manifest, to go by its name."""
    file = path.rpartition("/")[2]
    return file.endswith(".avro") and not file.startswith(_LIST_OF_MANIFESTS)


def manifest_findings(
    table: Table, name: str, path: str, selection: Selection, objects: frozenset[str]
) -> list[Finding]:
    """Entries of files that are gone whose bounds name the selection; those that are there speak
    for themselves."""
    told = sum(
        (entry.status == ManifestEntryStatus.DELETED or entry.data_file.file_path not in objects)
        and entry_tells(entry.data_file, table.schema(), selection)
        for entry in entries_of(table.io, path)
    )
    why = f"{told:,} entries of files that are gone have bounds that name it"
    return [Finding(name, path, told, why)] if told else []


def quarantined(catalog: Catalog, database: str) -> set[bytes]:
    """Message ids of everything in quarantine, live or not."""
    return {
        each
        for rows in _everything(catalog, database, "silver_quarantine", ("message_id",))
        for each in rows["message_id"].to_pylist()
        if each is not None
    }


def times_of_messages(
    catalog: Catalog, database: str, wanted: Collection[bytes]
) -> dict[bytes, datetime]:
    """When messages were captured, or else published, as Bronze knows it, live or not."""
    found: dict[bytes, datetime] = {}
    columns = ("message_id", "capture_ts", "publish_ts")
    if not wanted:
        return found
    for rows in _everything(catalog, database, "bronze_raw", columns):
        for row in rows.to_pylist():
            if row["message_id"] in wanted:
                when = _captured(row["capture_ts"]) or row["publish_ts"]
                if when is not None:
                    found[row["message_id"]] = when
    return found


def _captured(text: str | None) -> datetime | None:
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _everything(
    catalog: Catalog, database: str, name: str, columns: tuple[str, ...]
) -> Iterator[pa.Table]:
    table = load(catalog, database, name)
    for each in stored(table):
        if each.path.endswith(".parquet"):
            try:
                for rows in read(table, each.path, columns):
                    if set(columns) <= set(rows.schema.names):
                        yield rows
            except FileNotFoundError:
                continue


def _scan_data(
    done: Scan,
    table: Table,
    name: str,
    path: str,
    selection: Selection,
    captured_at: dict[bytes, datetime],
) -> None:
    found = 0
    for rows in read(table, path):
        done.rows += rows.num_rows
        found += sum(tells_of(row, selection, captured_at) for row in candidates(rows, selection))
    done.data_files += 1
    if found:
        done.findings.append(Finding(name, path, found, f"{found:,} rows of it"))
