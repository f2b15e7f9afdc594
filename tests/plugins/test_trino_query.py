from __future__ import annotations

from pathlib import Path

import pytest

from trino_checks.errors import InvalidIdentifier, ParametersDiffer
from trino_checks.query import bind, bind_each

CHECKS = Path(__file__).resolve().parents[2] / "include" / "sql" / "checks"


def test_values_are_bound_in_the_order_of_their_places_and_never_pasted() -> None:
    hostile = "x'; DROP TABLE rva.bronze_raw; --"
    query = bind(
        "SELECT :b, :a, :b FROM {database}.t",
        database="rva",
        parameters={"a": 1, "b": hostile},
    )
    assert query.sql == "SELECT ?, ?, ? FROM rva.t"
    assert query.values == (hostile, 1, hostile)


@pytest.mark.parametrize(
    "name", ["", "Rva", "rva;", "rva.t", "1rva", "rva t", 'rva"', "a" * 64, "rva\n"]
)
def test_database_that_could_not_stand_unquoted_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdentifier, match="database"):
        bind("SELECT 1 FROM {database}.t", database=name, parameters={})


def test_comments_and_quoted_text_hold_no_names() -> None:
    query = bind(
        "-- values: :day and {database}\nSELECT ':day {database} it''s', :day, \"a:b\";\n",
        database="rva",
        parameters={"day": "2026-11-24"},
    )
    assert query.sql == "SELECT ':day {database} it''s', ?, \"a:b\""


def test_queries_that_share_their_values_take_each_what_it_names() -> None:
    first, second = bind_each(
        ["SELECT :a FROM {database}.t", "SELECT :b, :a FROM {database}.u"],
        database="rva",
        parameters={"a": "'; --", "b": 2},
    )
    assert (first.sql, first.values) == ("SELECT ? FROM rva.t", ("'; --",))
    assert (second.sql, second.values) == ("SELECT ?, ? FROM rva.u", (2, "'; --"))


@pytest.mark.parametrize(
    ("parameters", "told"),
    [({"a": 1}, "missing b; unused none"), ({"a": 1, "b": 2, "c": 3}, "missing none; unused c")],
)
def test_values_that_no_query_names_or_any_misses_are_named(
    parameters: dict[str, int], told: str
) -> None:
    with pytest.raises(ParametersDiffer, match=told):
        bind_each(["SELECT :a", "SELECT :b"], database="rva", parameters=parameters)


def test_missing_and_unused_values_are_both_named() -> None:
    with pytest.raises(ParametersDiffer, match="missing run_id; unused day"):
        bind("SELECT :run_id", database="rva", parameters={"day": "2026-11-24"})


@pytest.mark.parametrize("path", sorted(CHECKS.glob("*.sql")), ids=lambda path: path.stem)
def test_check_names_its_values_in_its_header(path: Path) -> None:
    text = path.read_text()
    header = "\n".join(line for line in text.splitlines() if line.startswith("--"))
    for heading in ("Check:", "Grain:", "Key:", "Source:", "Values:", "Idempotent:"):
        assert heading in header, f"{path.name} has no {heading}"
    named = {word.strip(".,;()") for word in header.split() if word.startswith(":")}
    parameters = {name.removeprefix(":"): "x" for name in named}
    query = bind(text, database="rva", parameters=parameters)
    assert query.values
    assert "{" not in query.sql
