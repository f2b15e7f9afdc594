"""Runs the oracle's SQL over JSONL and hands back each table's rows, to compare."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

_SQL = Path(__file__).with_name("definitions.sql")
TABLES = (
    "silver_detection",
    "gold_people_per_minute",
    "gold_track_summary",
    "gold_zone_dwell",
    "gold_zone_heatmap",
)
_COLUMNS = {
    "source": "STRUCT(store_id VARCHAR, camera_id VARCHAR, stream_id VARCHAR)",
    "run_id": "VARCHAR",
    "frame_index": "BIGINT",
    "capture_ts": "TIMESTAMP",
    "image_size": "STRUCT(width INTEGER, height INTEGER)",
    "detections": (
        'STRUCT(det_id VARCHAR, "class" VARCHAR, conf DOUBLE, track_id BIGINT, '
        "bbox STRUCT(x1 DOUBLE, y1 DOUBLE, x2 DOUBLE, y2 DOUBLE))[]"
    ),
}


def expected(jsonl: Sequence[Path]) -> dict[str, list[dict[str, object]]]:
    """Rows of each table that these files' frames must lead to; valid lines only."""
    database = duckdb.connect()
    database.read_json(
        [str(path) for path in jsonl], format="newline_delimited", columns=_COLUMNS
    ).create_view("line")
    database.execute(
        """
        CREATE VIEW messages AS
        SELECT source.store_id, source.camera_id, source.stream_id,
               coalesce(run_id, source.stream_id) AS run_id,
               frame_index, capture_ts, image_size.width, image_size.height, detections
        FROM line
        """
    )
    database.execute(_SQL.read_text(encoding="utf-8"))
    return {name: rows(database.table(name).arrow()) for name in TABLES}


def rows(table: pa.Table | pa.RecordBatchReader) -> list[dict[str, object]]:
    """Rows as dictionaries, timestamps as aware datetimes in UTC."""
    if isinstance(table, pa.RecordBatchReader):
        table = table.read_all()
    schema = pa.schema(
        [
            field.with_type(pa.timestamp("us", tz="UTC"))
            if pa.types.is_timestamp(field.type)
            else field
            for field in table.schema
        ]
    )
    return list(table.cast(schema).to_pylist())


def assert_same_rows(
    table: str,
    actual: Iterable[dict[str, object]],
    wanted: Iterable[dict[str, object]],
    key: Sequence[str],
) -> None:
    """Fail with the missing, surplus, doubled and differing keys; doubles agree to 1e-9."""
    wanted_rows = list(wanted)
    columns = list(wanted_rows[0]) if wanted_rows else []
    actual_by_key = _by_key(table, actual, key)
    wanted_by_key = _by_key(table, wanted_rows, key)
    missing = sorted(map(str, wanted_by_key.keys() - actual_by_key.keys()))
    surplus = sorted(map(str, actual_by_key.keys() - wanted_by_key.keys()))
    assert not missing, f"{table}: {len(missing)} rows missing, e.g. {missing[:3]}"
    assert not surplus, f"{table}: {len(surplus)} rows too many, e.g. {surplus[:3]}"
    for identity, wanted_row in wanted_by_key.items():
        for column in columns:
            one, other = actual_by_key[identity][column], wanted_row[column]
            if isinstance(one, float) and isinstance(other, float):
                same = math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
            else:
                same = one == other
            assert same, f"{table} {identity}: {column} is {one!r}, not {other!r}"


def _by_key(
    table: str, found: Iterable[dict[str, object]], key: Sequence[str]
) -> dict[tuple[object, ...], dict[str, object]]:
    by_key: dict[tuple[object, ...], dict[str, object]] = {}
    for row in found:
        identity = tuple(row[column] for column in key)
        assert identity not in by_key, f"{table}: {identity} stands there twice"
        by_key[identity] = row
    return by_key
