"""The DuckDB file in which a proof is computed: messages in, expected tables out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import pyarrow as pa

from lakehouse.proving.errors import ProofFailed
from lakehouse.proving.let_go import LetGo
from lakehouse.proving.reading import Reading
from lakehouse.proving.settings import ProofSettings

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "oracle"
SILVER = ("silver_detection", "silver_quarantine")
GOLD = (
    "person_detection",
    "gold_people_per_minute",
    "gold_track_summary",
    "gold_zone_dwell",
    "gold_zone_heatmap",
)
"""The SQL texts of what the tables must hold, in the order in which they build on each other."""
_TIME = pa.timestamp("us")
_MESSAGE = pa.schema(
    [
        ("number", pa.int64()),
        ("message_id", pa.binary()),
        ("ingest_ts", _TIME),
        ("in_scope", pa.bool_()),
        ("reason", pa.string()),
        ("store_id", pa.string()),
        ("camera_id", pa.string()),
        ("stream_id", pa.string()),
        ("run_id", pa.string()),
        ("frame_index", pa.int64()),
        ("capture_ts", pa.timestamp("ms")),
        ("image_width", pa.int32()),
        ("image_height", pa.int32()),
        ("payload", pa.string()),
    ]
)
_DETECTION = pa.schema(
    [
        ("number", pa.int64()),
        ("place", pa.int32()),
        ("det_id", pa.string()),
        ("class_name", pa.string()),
        *((name, pa.float64()) for name in ("x1", "y1", "x2", "y2", "conf")),
        ("track_id", pa.int64()),
    ]
)
_REJECTED = pa.schema(
    [
        ("number", pa.int64()),
        ("place", pa.int32()),
        ("reason", pa.string()),
        ("payload", pa.string()),
    ]
)


def text(name: str, **values: str) -> str:
    """The SQL of `include/sql/oracle/<name>.sql`; every `${value}` in it must be given."""
    return Template((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")).substitute(values)


class Workbench:
    """One proof's database; made by `workbench`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._read = 0
        self._messages: list[tuple[Any, ...]] = []
        self._detections: list[tuple[Any, ...]] = []
        self._rejected: list[tuple[Any, ...]] = []

    def add(
        self,
        reading: Reading,
        *,
        message_id: bytes | None = None,
        ingest_ts: datetime | None = None,
        in_scope: bool = True,
        with_detections: bool = True,
    ) -> None:
        """Take in one message; `flush` writes what was taken in."""
        number = self._read = self._read + 1
        self._messages.append(
            (
                number,
                message_id,
                ingest_ts,
                in_scope,
                reading.reason,
                reading.store_id,
                reading.camera_id,
                reading.stream_id,
                reading.run_id,
                reading.frame_index,
                reading.capture_ms,
                reading.width,
                reading.height,
                reading.kept,
            )
        )
        if with_detections:
            self._detections += [
                (
                    number,
                    d.place,
                    d.det_id,
                    d.class_name,
                    d.x1,
                    d.y1,
                    d.x2,
                    d.y2,
                    d.conf,
                    d.track_id,
                )
                for d in reading.detections
            ]
            self._rejected += [(number, r.place, r.reason, r.text) for r in reading.rejected]

    def flush(self, messages: str = "message") -> None:
        """Write what was taken in; `messages` names the table of the messages themselves."""
        for table, schema, rows in (
            (messages, _MESSAGE, self._messages),
            ("detection_read", _DETECTION, self._detections),
            ("detection_rejected", _REJECTED, self._rejected),
        ):
            if rows:
                columns = [
                    pa.array(values, each.type)
                    for values, each in zip(zip(*rows, strict=True), schema, strict=True)
                ]
                self.insert(table, pa.RecordBatch.from_arrays(columns, schema=schema))
            rows.clear()

    def insert(self, table: str, batch: pa.RecordBatch) -> None:
        """Append a batch's rows to a table with the same columns in the same order."""
        self._connection.register("batch", pa.Table.from_batches([batch]))
        self._connection.execute(f"INSERT INTO {table} SELECT * FROM batch")  # noqa: S608 - our name
        self._connection.unregister("batch")

    def run(self, name: str, **values: str) -> None:
        """Run `include/sql/oracle/<name>.sql` with each `${value}` filled in: names of ours."""
        self._connection.execute(text(name, **values))

    def compute_silver(self) -> None:
        """Make Silver and its quarantine as the messages that were read say that they must be."""
        self.flush()
        for name in SILVER:
            self.run(name)

    def compute_gold(self) -> None:
        """Make Gold from expected Silver; late events are told by the table `pace`."""
        for name in GOLD:
            self.run(name)

    def let_go(self, let_go: LetGo) -> None:
        """Say what the layers have let go; before Silver is computed."""
        for name, since in (
            ("bronze_since", let_go.bronze_since),
            ("quarantine_since", let_go.quarantine_since),
            ("silver_since", let_go.silver_since),
        ):
            self.execute(f"SET VARIABLE {name} = CAST(? AS TIMESTAMP)", [since])
        self.execute("SET VARIABLE gold_since = CAST(? AS DATE)", [let_go.gold_since])

    def execute(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run one statement."""
        self._connection.execute(sql, list(values))

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a small answer."""
        return self._connection.execute(sql, list(values)).fetchall()

    def records(self, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """All rows of a small answer, by the names of its columns."""
        answer = self._connection.execute(sql, list(values))
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def count(self, relation: str) -> int:
        """How many rows a table or view has."""
        return int(self._connection.table(relation).count("*").fetchall()[0][0])

    def columns(self, relation: str) -> list[str]:
        """The names of a table's or view's columns, in their order."""
        return list(self._connection.table(relation).columns)

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The one value of an answer."""
        return self.rows(sql, values)[0][0]

    def arrow(self, sql: str) -> pa.Table:
        """All rows of an answer as an Arrow table."""
        return self._connection.sql(sql).to_arrow_table()


@contextmanager
def workbench(settings: ProofSettings) -> Iterator[Workbench]:
    """Make an empty workbench in the temporary folder, and remove it afterwards.

    :raises ProofFailed: DuckDB cannot go on.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="rva-prove-") as folder:
            connection = duckdb.connect(
                f"{folder}/proof.duckdb",
                config={
                    "memory_limit": f"{settings.memory_mib}MiB",
                    "temp_directory": f"{folder}/spilled",
                    "threads": settings.threads,
                    "preserve_insertion_order": False,
                    "autoinstall_known_extensions": False,
                },
            )
            try:
                for name, seconds in (
                    ("visit_gap", settings.visit_gap_seconds),
                    ("track_gap", settings.track_gap_seconds),
                    ("lateness", settings.lateness_seconds),
                ):
                    connection.execute(f"SET VARIABLE {name} = to_seconds({seconds})")
                bench = Workbench(connection)
                bench.run("messages")
                bench.let_go(LetGo())
                yield bench
            finally:
                connection.close()
    except duckdb.Error as error:
        raise ProofFailed(str(error).partition("\n")[0]) from error
