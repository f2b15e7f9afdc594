"""A column that `schema.py` declares is written, repaired and proven, or a test says where not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.types import DoubleType, LongType, StringType
from small_lakehouse import SETTINGS, SmallLakehouse, lines, walk

from lakehouse import tables
from lakehouse.audit.bronze_rows import bronze_row
from lakehouse.backfill.drift import same_value
from lakehouse.maintenance.streams import STREAMS
from lakehouse.proving.comparing import COMPARED, Compared, compare
from lakehouse.proving.workbench import workbench
from lakehouse.schema import BRONZE_RAW, TABLES, Column
from replay.retained import RetainedMessage

SQL = Path(__file__).resolve().parents[2] / "include" / "sql"
LAYERS = ("bronze", "silver", "gold")
WRITTEN_BY_JOBS = sorted(name for stream in STREAMS for name in stream.writes)
LEFT_TO_OTHERS = {"silver_quarantine": {"replayed_ts"}}
"""Columns that no job fills: null, until somebody else writes them."""


def query_of(table: str) -> Path:
    """The one text with which the jobs fill a table."""
    [path] = (path for layer in LAYERS for path in SQL.glob(f"{layer}/{table}.sql"))
    return path


def named(query: str) -> list[str]:
    """What a query calls its columns: the last word of each item of its SELECT."""
    items = re.sub(r"--.*", "", query).partition("SELECT\n")[2].partition("\nFROM")[0]
    names, depth, word = [], 0, ""
    for part in re.findall(r"\w+|\S", items):
        depth += (part in "([") - (part in ")]")
        if part == "," and depth == 0:
            names.append(word)
        word = part
    return [*names, word]


def test_names_are_those_of_the_outer_select() -> None:
    query = "-- of x, y\nSELECT\n  a,\n  f(b, c[1, 2]) AS d,\n  CASE\n  END AS e\nFROM (SELECT f)"
    assert named(query) == ["a", "d", "e"]


@pytest.mark.parametrize("table", WRITTEN_BY_JOBS)
def test_jobs_fill_every_column_that_is_declared_and_no_other(table: str) -> None:
    path = query_of(table)
    where = path.relative_to(SQL.parents[1])
    filled, declared = named(path.read_text()), [each.name for each in TABLES[table].columns]
    assert len(filled) == len(set(filled)), f"{where} names a column twice"
    unfilled = set(declared) - set(filled) - LEFT_TO_OTHERS.get(table, set())
    assert not unfilled, (
        f"{where} does not fill {', '.join(sorted(unfilled))} of include/lakehouse/schema.py: add "
        "`… AS <column>` to its SELECT, or name the column in LEFT_TO_OTHERS"
    )
    undeclared = set(filled) - set(declared)
    assert not undeclared, (
        f"{where} fills {', '.join(sorted(undeclared))}, which include/lakehouse/schema.py does "
        f"not declare for {table}: add the column there"
    )


def test_repair_fills_every_column_of_bronze() -> None:
    message = RetainedMessage(b"\x08\x07\x10\x01\x30\x00", b"", {}, 0)
    repaired = set(bronze_row(message, datetime.now(UTC)))
    unlike = repaired ^ {each.name for each in BRONZE_RAW.columns}
    assert not unlike, (
        f"include/lakehouse/audit/bronze_rows.py and schema.py differ in {', '.join(unlike)}: "
        "`audit --repair` must write what bronze_ingest writes"
    )


@pytest.mark.parametrize("table", COMPARED, ids=lambda each: each.name)
def test_oracle_computes_every_column_that_is_proven(table: Compared) -> None:
    with workbench(SETTINGS) as bench:
        bench.compute_silver()
        bench.compute_gold()
        computed = bench.columns(table.name)
    missing = {*table.key, *table.exact, *table.doubles} - set(computed)
    assert not missing, (
        f"include/sql/oracle/{table.name}.sql does not compute {', '.join(sorted(missing))}, which "
        "include/lakehouse/schema.py declares: `prove` needs it to compare the column"
    )


def test_null_of_a_row_from_before_the_column_came_is_let_pass_and_a_wrong_value_is_not() -> None:
    table = Compared(
        "t", ("store_id",), ("old", "text"), ("number",), frozenset({"text", "number"})
    )
    expected = [
        ("as it must be", "o", "t", 1.0),
        ("none", "o", None, None),
        ("from before", "o", "t", 1.0),
        ("wrong", "o", "t", 1.0),
        ("of nothing", "o", None, None),
    ]
    shown = [
        *expected[:2],
        ("from before", "o", None, None),
        ("wrong", None, "u", 2.0),
        ("of nothing", "o", "u", 2.0),
    ]
    with workbench(SETTINGS) as bench:
        bench.run("difference")
        for name, rows in (("expected_t", expected), ("shown_t", shown)):
            bench.execute(
                f"CREATE TABLE {name} (store_id VARCHAR, old VARCHAR, text VARCHAR, number DOUBLE)"
            )
            for row in rows:
                bench.execute(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", row)
        assert compare(bench, table).differing == 2
        assert bench.rows("SELECT store_id, columns FROM difference ORDER BY ALL") == [
            ("of nothing", "text number"),
            ("wrong", "old text number"),
        ]


def test_tables_that_a_newer_version_has_evolved_are_proven(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SmallLakehouse(catalog)
    small.receive([*lines(walk()), b"no JSON"])
    with monkeypatch.context() as newer:
        for name, definition in TABLES.items():
            columns = (*definition.columns, Column("added", StringType(), "of a newer version"))
            newer.setitem(TABLES, name, replace(definition, columns=columns))
        assert {each.action for each in tables.ensure_tables(catalog, "rva")} == {"evolved"}
    small.receive(lines(walk("cam_02", seed=2)))
    small.settle()
    found = small.prove()
    assert found.first_broken is None
    assert found.numbers["rows of silver_detection"][0]


@pytest.mark.parametrize(
    ("published", "rebuilt", "is_same"),
    [
        ("1", "1", True),
        ("1", "2", False),
        ("NULL", "NULL", True),
        ("NULL", "1", False),
        ("1", "NULL", False),
    ],
)
@pytest.mark.parametrize("kind", [LongType(), DoubleType()], ids=str)
def test_drift_takes_a_value_that_was_null_for_a_change(
    kind: LongType | DoubleType, published: str, rebuilt: str, is_same: bool
) -> None:
    same = same_value(Column("added", kind, ""))
    asked = f"SELECT {same} FROM (SELECT {published} AS added) p, (SELECT {rebuilt} AS added) r"
    assert duckdb.sql(asked).fetchall() == [(is_same,)]
