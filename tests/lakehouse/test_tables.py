"""Making and evolving the tables, on a catalogue in a temporary folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.types import DoubleType, LongType, StringType

from lakehouse import schema, snapshots, tables
from lakehouse.errors import SchemaConflict, TableMissing
from lakehouse.schema import TABLES, Column

DATABASE = "rva"


def redefine(monkeypatch: pytest.MonkeyPatch, name: str, *, columns: tuple[Column, ...]) -> None:
    monkeypatch.setitem(TABLES, name, replace(TABLES[name], columns=columns))


def test_ensure_makes_every_table_as_defined(catalog: Catalog) -> None:
    changes = tables.ensure_tables(catalog, DATABASE)
    assert {change.table for change in changes if change.action == "created"} == set(TABLES)
    for name, definition in TABLES.items():
        table = tables.load(catalog, DATABASE, name)
        assert table.schema().fields == definition.schema.fields
        assert table.schema().identifier_field_ids == definition.schema.identifier_field_ids
        assert table.spec().fields == definition.partition_spec.fields
        assert table.format_version == schema.FORMAT_VERSION
        assert table.properties["write.parquet.compression-codec"] == "zstd"


def test_ensure_twice_changes_nothing(catalog: Catalog) -> None:
    tables.ensure_tables(catalog, DATABASE)
    locations = [tables.load(catalog, DATABASE, name).metadata_location for name in TABLES]
    assert {each.action for each in tables.ensure_tables(catalog, DATABASE)} == {"unchanged"}
    assert locations == [tables.load(catalog, DATABASE, n).metadata_location for n in TABLES]


def test_new_optional_column_is_added_and_old_rows_are_null(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.ensure_tables(catalog, DATABASE)
    _append_minute(catalog)
    old = TABLES["gold_people_per_minute"].columns
    redefine(
        monkeypatch,
        "gold_people_per_minute",
        columns=(*old, Column("staff", LongType(), "people of the shop")),
    )
    changes = {each.table: each for each in tables.ensure_tables(catalog, DATABASE)}
    assert changes["gold_people_per_minute"].action == "evolved"
    assert changes["gold_people_per_minute"].columns == ("staff",)
    rows = tables.load(catalog, DATABASE, "gold_people_per_minute").scan().to_arrow().to_pylist()
    assert [row["staff"] for row in rows] == [None]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda old: (*old, Column("staff", LongType(), "", required=True)), "staff is required"),
        (lambda old: (*old[:-1], replace(old[-1], type=DoubleType())), "unique_people is long"),
        (lambda old: (*old[:-1], replace(old[-1], required=False)), "unique_people is required"),
        (lambda old: old[:-1], "not in the definition: unique_people"),
    ],
    ids=["required column", "other type", "other nullability", "column gone"],
)
def test_conflict_is_refused_and_leaves_every_table_as_it_was(
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    change: object,
    said: str,
) -> None:
    tables.ensure_tables(catalog, DATABASE)
    redefine(
        monkeypatch,
        "bronze_raw",
        columns=(*TABLES["bronze_raw"].columns, Column("added", StringType(), "")),
    )
    old = TABLES["gold_people_per_minute"].columns
    redefine(monkeypatch, "gold_people_per_minute", columns=change(old))  # type: ignore[operator]
    with pytest.raises(SchemaConflict, match=said):
        tables.ensure_tables(catalog, DATABASE)
    names = [f.name for f in tables.load(catalog, DATABASE, "bronze_raw").schema().fields]
    assert "added" not in names


def test_missing_table_says_how_to_make_it(catalog: Catalog) -> None:
    with pytest.raises(TableMissing, match="ensure"):
        tables.load(catalog, DATABASE, "bronze_raw")


def test_rows_are_counted_and_emptied(catalog: Catalog) -> None:
    assert tables.row_count(catalog, DATABASE, "gold_people_per_minute") == 0
    tables.ensure_tables(catalog, DATABASE)
    _append_minute(catalog)
    assert tables.row_count(catalog, DATABASE, "gold_people_per_minute") == 1
    assert tables.empty(catalog, DATABASE, "gold_people_per_minute") == 1
    assert tables.row_count(catalog, DATABASE, "gold_people_per_minute") == 0


def test_committed_checkpoint_walks_past_commits_of_others(catalog: Catalog) -> None:
    tables.ensure_tables(catalog, DATABASE)
    name = "gold_people_per_minute"
    assert snapshots.committed_checkpoint(catalog, DATABASE, name, "job-a") is None
    _append_minute(catalog, {"flink.job-id": "job-a", "flink.max-committed-checkpoint-id": "7"})
    _append_minute(catalog, {"flink.job-id": "job-b", "flink.max-committed-checkpoint-id": "2"})
    _append_minute(catalog)
    assert snapshots.committed_checkpoint(catalog, DATABASE, name, "job-a") == 7
    assert snapshots.committed_checkpoint(catalog, DATABASE, name, "job-b") == 2
    assert snapshots.committed_checkpoint(catalog, DATABASE, name, "job-c") is None


@pytest.mark.parametrize("definition", TABLES.values(), ids=lambda each: each.name)
def test_key_and_partition_are_columns_and_every_column_is_documented(
    definition: schema.TableDefinition,
) -> None:
    names = [column.name for column in definition.columns]
    assert len(names) == len(set(names))
    assert set(definition.key) <= set(names)
    assert definition.partition_by_day_of in names
    assert all(column.doc for column in definition.columns)


def _append_minute(catalog: Catalog, properties: dict[str, str] | None = None) -> None:
    table = tables.load(catalog, DATABASE, "gold_people_per_minute")
    row = {
        "store_id": "store_01",
        "camera_id": "cam_01",
        "ts_minute": datetime(2026, 11, 24, 10, 15, tzinfo=UTC),
        "detections": 3,
        "unique_people": 2,
    }
    arrow = table.schema().as_arrow()
    table.append(pa.Table.from_pylist([row], schema=arrow), snapshot_properties=properties or {})
