"""Making and evolving the tables, on a catalogue in a temporary folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.types import DoubleType, LongType

from lakehouse import schema, snapshots, tables
from lakehouse.errors import SchemaConflict, TableMissing
from lakehouse.schema import TABLES, Column

DATABASE = "rva"


MINUTES = "gold_people_per_minute"
CELLS = "gold_zone_heatmap"
STAFF = Column("staff", LongType(), "people of the shop")


def redefine(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> None:
    monkeypatch.setitem(TABLES, name, replace(TABLES[name], **changes))


def columns_of(catalog: Catalog, name: str) -> list[str]:
    return [each.name for each in tables.load(catalog, DATABASE, name).schema().fields]


def with_column(name: str, added: Column) -> tuple[Column, ...]:
    return (*TABLES[name].columns, added)


def changed(table: str, column: str, **changes: Any) -> tuple[Column, ...]:
    return tuple(
        replace(each, **changes) if each.name == column else each for each in TABLES[table].columns
    )


def without(name: str, column: str) -> tuple[Column, ...]:
    return tuple(each for each in TABLES[name].columns if each.name != column)


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
    redefine(monkeypatch, MINUTES, columns=with_column(MINUTES, STAFF))
    changes = {each.table: str(each) for each in tables.ensure_tables(catalog, DATABASE)}
    assert changes.pop(MINUTES) == f"{MINUTES} evolved: staff"
    assert set(changes.values()) == {f"{name} unchanged" for name in changes}
    rows = tables.load(catalog, DATABASE, MINUTES).scan().to_arrow().to_pylist()
    assert [row["staff"] for row in rows] == [None]


def test_column_that_was_defined_in_the_middle_is_added_too(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.ensure_tables(catalog, DATABASE)
    redefine(monkeypatch, MINUTES, columns=(STAFF, *TABLES[MINUTES].columns))
    tables.ensure_tables(catalog, DATABASE)
    assert {str(each) for each in tables.ensure_tables(catalog, DATABASE)} == {
        f"{name} unchanged" for name in TABLES
    }
    assert columns_of(catalog, MINUTES)[-1] == "staff"


def test_two_that_ensure_at_once_add_a_column_once(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.ensure_tables(catalog, DATABASE)
    redefine(monkeypatch, MINUTES, columns=with_column(MINUTES, STAFF))
    load_table = catalog.load_table
    others: list[tables.Change] = []

    def somebody_else_is_quicker(name: tuple[str, str]) -> Table:
        loaded = load_table(name)
        if name == (DATABASE, MINUTES):
            monkeypatch.setattr(catalog, "load_table", load_table)
            others.extend(tables.ensure_tables(catalog, DATABASE))
        return loaded

    monkeypatch.setattr(catalog, "load_table", somebody_else_is_quicker)
    mine = tables.ensure_tables(catalog, DATABASE)
    assert f"{MINUTES} evolved: staff" in map(str, others)
    assert {each.action for each in mine} == {"unchanged"}
    assert columns_of(catalog, MINUTES).count("staff") == 1


def test_older_version_leaves_the_column_of_a_newer_one_and_says_so(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as newer:
        redefine(newer, MINUTES, columns=with_column(MINUTES, STAFF))
        tables.ensure_tables(catalog, DATABASE)
    assert {each.action for each in tables.ensure_tables(catalog, DATABASE)} == {"unchanged"}
    assert "staff" in columns_of(catalog, MINUTES)
    assert caplog.messages == [
        f"table rva.{MINUTES} has columns that this version does not know, left as they are: staff"
    ]


CONFLICTS = {
    "required column": (
        MINUTES,
        {"columns": with_column(MINUTES, replace(STAFF, required=True))},
        "column staff is required and missing",
    ),
    "other type": (
        MINUTES,
        {"columns": changed(MINUTES, "unique_people", type=DoubleType())},
        "column unique_people is long, not double",
    ),
    "wider type": (
        CELLS,
        {"columns": changed(CELLS, "zone_x", type=LongType())},
        "column zone_x is int, not long",
    ),
    "made optional": (
        MINUTES,
        {"columns": changed(MINUTES, "unique_people", required=False)},
        "column unique_people is required, not optional",
    ),
    "made required": (
        "silver_detection",
        {"columns": changed("silver_detection", "track_id", required=True)},
        "column track_id is optional, not required",
    ),
    "required column gone": (
        MINUTES,
        {"columns": without(MINUTES, "unique_people")},
        "required column unique_people is not in the definition",
    ),
    "required column renamed": (
        MINUTES,
        {"columns": changed(MINUTES, "unique_people", name="people")},
        "column people is required and missing .* it has unique_people and lacks people",
    ),
    "optional column renamed": (
        "silver_detection",
        {"columns": changed("silver_detection", "track_id", name="track")},
        "it has track_id and lacks track",
    ),
    "other key": (
        CELLS,
        {"key": ("store_id", "camera_id", "ts_hour")},
        r"its rows are replaced by \(camera_id, store_id, ts_hour, zone_x, zone_y\), "
        r"not by \(camera_id, store_id, ts_hour\)",
    ),
    "key where rows were appended": (
        "silver_detection",
        {"upserted": True},
        r"its rows are replaced by no key, not by \(camera_id, ",
    ),
    "other partition": (
        "silver_detection",
        {"partition_by_day_of": "ingest_ts"},
        r"it is partitioned by day\(capture_ts\), not by day\(ingest_ts\)",
    ),
}


@pytest.mark.parametrize(("name", "change", "said"), CONFLICTS.values(), ids=CONFLICTS)
def test_incompatible_change_is_refused_with_the_reason_before_anything_is_changed(
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    change: dict[str, Any],
    said: str,
) -> None:
    tables.ensure_tables(catalog, DATABASE)
    before = [tables.load(catalog, DATABASE, each).metadata_location for each in TABLES]
    redefine(monkeypatch, "bronze_raw", columns=with_column("bronze_raw", STAFF))
    redefine(monkeypatch, name, **change)
    with pytest.raises(SchemaConflict, match=said) as refused:
        tables.ensure_tables(catalog, DATABASE)
    assert str(refused.value).startswith(f"table rva.{name} cannot be evolved to its definition: ")
    assert "Nothing was changed" in str(refused.value)
    assert before == [tables.load(catalog, DATABASE, each).metadata_location for each in TABLES]


def test_several_conflicts_of_a_table_are_told_at_once(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.ensure_tables(catalog, DATABASE)
    redefine(monkeypatch, MINUTES, columns=changed(MINUTES, "detections", type=DoubleType()))
    redefine(monkeypatch, MINUTES, columns=changed(MINUTES, "unique_people", required=False))
    with pytest.raises(SchemaConflict) as refused:
        tables.ensure_tables(catalog, DATABASE)
    assert [each.partition(" (")[0] for each in refused.value.conflicts] == [
        "column detections is long, not double",
        "column unique_people is required, not optional",
    ]


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
