"""A lakehouse in a folder, filled as the jobs would: Silver by their parser, Gold by the oracle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan
from silver_items import items

from frame_contract import Frame, encode
from integration import walkers
from lakehouse.closing import close_days
from lakehouse.identity import Identity
from lakehouse.proving.actual import GoldReader
from lakehouse.proving.prove import Proof, prove
from lakehouse.proving.reading import read
from lakehouse.proving.scope import Scope
from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import workbench
from lakehouse.schema import DAILY_GOLD, TABLES, TableDefinition
from lakehouse.tables import ensure_tables, load

DATABASE = "rva"
SETTINGS = ProofSettings(memory_mib=200, batch_rows=50)
EVENING = walkers.MIDNIGHT - timedelta(seconds=20)
DAY, NEXT_DAY = date(2026, 11, 24), date(2026, 11, 25)
LATER = datetime(2026, 12, 24, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 25, 8, tzinfo=UTC)


def walk(camera: str = "cam_01", seconds: int = 40, **options: Any) -> list[Frame]:
    """Frames of one run across midnight."""
    return walkers.frames(camera, **{"start": EVENING, "seconds": seconds, "seed": 1} | options)


@dataclass(frozen=True)
class Found:
    """A proof, every key that differs (what is null left out), and what of Gold is left out."""

    proof: Proof
    differences: list[dict[str, Any]]
    left_out: dict[str, dict[str, int]]

    @property
    def first_broken(self) -> Identity | None:
        return self.proof.first_broken

    @property
    def broken(self) -> list[str]:
        return [each.left_is for each in self.proof.identities if not each.holds]

    @property
    def numbers(self) -> dict[str, tuple[int, int]]:
        return {each.left_is: (each.left, each.right) for each in self.proof.identities}


@dataclass
class SmallLakehouse:
    """Tables in a folder; `receive`, `settle`, then break something and `prove`."""

    catalog: Catalog
    payloads: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        ensure_tables(self.catalog, DATABASE)

    def append(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        loaded = load(self.catalog, DATABASE, table)
        loaded.append(pa.Table.from_pylist(list(rows), schema=loaded.schema().as_arrow()))

    def receive(
        self,
        payloads: Sequence[bytes],
        *,
        received_at: datetime = RECEIVED,
        a_millisecond: int = 1,
    ) -> None:
        """Put messages into Bronze in their order, so many a millisecond, with ids of their own."""
        first = len(self.payloads)
        self.append(
            "bronze_raw",
            [
                {
                    "payload": payload,
                    "message_id": b"id-%06d" % number,
                    "ingest_ts": received_at + timedelta(milliseconds=number // a_millisecond),
                }
                for number, payload in enumerate(payloads, start=first)
            ],
        )
        self.payloads += payloads

    def settle(self, *, closed: Sequence[date] = ()) -> None:
        """Fill Silver and quarantine from Bronze by the jobs' parser, Gold by the oracle."""
        seen: set[tuple[bytes, str]] = set()
        rows: dict[str, list[dict[str, Any]]] = {"silver_detection": [], "silver_quarantine": []}
        for message in self.rows("bronze_raw"):
            for item in items(message["payload"], message["message_id"], message["ingest_ts"]):
                if item.key not in seen:
                    seen.add(item.key)
                    rows[item.table].append(item.row)
        for table, found in rows.items():
            self.append(table, found)
        with workbench(SETTINGS) as bench:
            for payload in self.payloads:
                bench.add(read(payload))
            bench.compute_silver()
            bench.compute_gold()
            for table in DAILY_GOLD:
                names = ", ".join(column.name for column in TABLES[table].columns)
                found = bench.arrow(f"SELECT {names} FROM {table}").to_pylist()
                self.append(table, found)
        if closed:
            close_days(self.catalog, DATABASE, closed, now=LATER)

    def rows(self, table: str) -> list[dict[str, Any]]:
        found = load(self.catalog, DATABASE, table).scan().to_arrow().to_pylist()
        key = TABLES[table].key
        return sorted(found, key=lambda row: [str(row[name]) for name in key])

    def replace(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """Leave these rows in the table and no others."""
        if self.rows(table):
            load(self.catalog, DATABASE, table).delete()
        self.append(table, rows)

    def prove(self, scope: Scope | None = None, files: Sequence[Path] = ()) -> Found:
        with workbench(SETTINGS) as bench:
            proof = prove(
                bench, self.catalog, DATABASE, self.read_gold, scope or Scope(), files, SETTINGS
            )
            differences = [
                {name: value for name, value in row.items() if value not in (None, "")}
                for row in bench.arrow("FROM difference").to_pylist()
            ]
            left_out = {
                table: dict(bench.rows(f"SELECT why, count(*) FROM left_out_{table} GROUP BY why"))
                for table in DAILY_GOLD
            }
        return Found(proof, differences, left_out)

    @property
    def read_gold(self) -> GoldReader:
        """Gold by PyIceberg, which reads tables that nothing was upserted into."""

        def by_pyiceberg(
            definition: TableDefinition, read_from: datetime, read_until: datetime
        ) -> Iterator[pa.RecordBatch]:
            time = definition.partition_by_day_of
            scan = load(self.catalog, DATABASE, definition.name).scan(
                And(
                    GreaterThanOrEqual(time, read_from.isoformat()),
                    LessThan(time, read_until.isoformat()),
                )
            )
            names = [column.name for column in definition.columns]
            yield from scan.to_arrow().select(names).to_batches()

        return by_pyiceberg


def lines(frames: Sequence[Frame]) -> list[bytes]:
    """Each frame as it is sent."""
    return [encode(frame) for frame in frames]
