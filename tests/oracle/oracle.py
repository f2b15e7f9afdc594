"""Runs the oracle (include/sql/oracle) over JSONL, and compares rows with what it says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from lakehouse.proving.reading import read
from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import workbench
from lakehouse.schema import TABLES as DEFINITIONS

TABLES = (
    "silver_detection",
    "gold_people_per_minute",
    "gold_track_summary",
    "gold_zone_dwell",
    "gold_zone_heatmap",
)


def expected(jsonl: Sequence[Path]) -> dict[str, list[dict[str, object]]]:
    """Rows of each table that these files' frames must lead to."""
    with workbench(ProofSettings()) as bench:
        for path in jsonl:
            for line in path.read_bytes().splitlines():
                bench.add(read(line))
        bench.compute_silver()
        bench.compute_gold()
        return {
            name: rows(bench.arrow(f"SELECT {', '.join(_columns(name))} FROM {name}"))
            for name in TABLES
        }


def _columns(table: str) -> list[str]:
    """All columns but the one that no file knows."""
    return [each.name for each in DEFINITIONS[table].columns if each.name != "ingest_ts"]


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
