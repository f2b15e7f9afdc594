"""Checks as their files say them, and what becomes of their answers; Trino runs them elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog import Catalog

from lakehouse.__main__ import main
from lakehouse.errors import ServerUnreachable
from lakehouse.quality import checking
from lakehouse.quality.checking import judge
from lakehouse.quality.checks import KEPT_SINCE, LAYERS, SQL_DIR, Severity, load, read
from lakehouse.quality.errors import ChecksNotRun, ChecksViolated, CheckUnreadable
from lakehouse.quality.record import check_days
from lakehouse.query import Answer, QueryFailed
from lakehouse.retention.horizons import advance
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import ensure_tables
from lakehouse.tables import load as load_table

DATABASE = "rva"
DAY, NEXT_DAY = date(2026, 11, 24), date(2026, 11, 25)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "quality.md"
SETTINGS = LakehouseSettings()
HEADER = """\
-- Check: the door is shut
--   at night.
-- Severity: warn. It is cold outside.
-- Limit: :open_seconds = 30, :open_share = 0.5. Somebody goes out.
-- Source: a door. Values: :day (2026-11-24).
"""
SQL = "SELECT ':no_name', :open_seconds, :day -- :no_value\nFROM doors WHERE :open_share > :day"
TOO_LARGE = QueryFailed(
    "Query exceeded per-node memory limit of 512MB", "EXCEEDED_LOCAL_MEMORY_LIMIT"
)
Answering = Callable[..., list[tuple[str, tuple[object, ...]]]]


def written(folder: Path, text: str = HEADER + SQL, name: str = "bronze/doors.sql") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def counted(violations: object, checked: object = 10, example: object = "door 3") -> Answer:
    return Answer(checking.COLUMNS, ((violations, checked, example),))


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Let Trino answer what is given, in turn and the last one for ever; returns what was asked."""

    def answering(*given: Answer | Exception) -> list[tuple[str, tuple[object, ...]]]:
        asked: list[tuple[str, tuple[object, ...]]] = []
        left = list(given)

        class Trino:
            def ask(self, sql: str, values: tuple[object, ...]) -> Answer:
                asked.append((sql, values))
                answer = left.pop(0) if len(left) > 1 else left[0]
                if isinstance(answer, Exception):
                    raise answer
                return answer

        @contextmanager
        def session(_: LakehouseSettings) -> Iterator[Any]:
            yield Trino()

        monkeypatch.setattr(checking, "session", session)
        return asked

    return answering


def outcomes(*given: Answer | Exception, answering: Answering, layer: str = "silver") -> list[str]:
    answering(*given)
    return [each.outcome.value for each in checking.run(SETTINGS, load([layer]), DAY)]


def test_check_is_what_its_header_says_and_its_values_are_bound(tmp_path: Path) -> None:
    check = read(written(tmp_path))
    assert str(check) == "bronze/doors"
    assert (check.says, check.severity) == ("the door is shut at night", Severity.WARN)
    assert check.limits == {"open_seconds": 30, "open_share": 0.5}
    assert check.sql == f"{HEADER}SELECT ':no_name', ?, ? -- :no_value\nFROM doors WHERE ? > ?"
    assert check.values(DAY) == (30, "2026-11-24", 0.5, "2026-11-24")


@pytest.mark.parametrize(
    ("text", "lack"),
    [
        (HEADER.replace("-- Severity: warn.", "--") + SQL, "no line `-- Severity: …`"),
        (HEADER.replace("-- Check:", "--") + SQL, "no line `-- Check: …`"),
        (HEADER.replace("warn", "warning") + SQL, "fail or warn, not 'warning'"),
        (HEADER.replace("warn", "") + SQL, "fail or warn, not ''"),
        (HEADER + SQL.replace(":open_share", ":share"), "names day, open_seconds, share"),
        (HEADER + SQL.replace(":open_share", "1"), "must name day, open_seconds, open_share"),
        (HEADER + "SELECT 1", "names no value"),
        (HEADER + SQL + " AND door % 4 = :part", "(and may name part and parts)"),
    ],
    ids=["severity", "check", "warning", "empty", "unknown", "unused", "no day", "no parts"],
)
def test_file_that_lacks_something_is_an_error_that_names_it(
    tmp_path: Path, text: str, lack: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CheckUnreadable, match=re.escape(str(path))) as refused:
        load(["bronze"], tmp_path)
    assert lack in str(refused.value)


def test_layer_without_checks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckUnreadable, match="silver"):
        load(["silver"], tmp_path)


def test_every_file_is_a_check_of_its_layer_in_the_way_of_the_data() -> None:
    paths = [path for layer in LAYERS for path in sorted((SQL_DIR / layer).glob("*.sql"))]
    assert [f"{path.parent.name}/{path.stem}" for path in paths] == [str(each) for each in load()]
    assert {path.parent for path in SQL_DIR.glob("*/*")} == {SQL_DIR / layer for layer in LAYERS}


@pytest.mark.parametrize("check", load(), ids=str)
def test_file_says_all_that_is_told_of_sql_here(check: Any) -> None:
    header, sql = check.sql.split("-- Idempotent: reads only.\n")
    for heading in ("Check:", "Severity:", "Grain:", "Key:", "Source:", "Values:"):
        assert heading in header
    for column in checking.COLUMNS:
        assert f" AS {column}" in sql
    assert not {"{", "$", ";"} & set(re.sub(r"'[^']*'", "", sql))


def test_checks_limits_and_severities_stand_in_the_docs() -> None:
    told = re.findall(r"^\| `(\w+/\w+)` \| (\w+) \| ([^|]*) \|", DOCS.read_text(), re.MULTILINE)
    assert told == [
        (
            str(each),
            each.severity.value,
            ", ".join(f"`{name}` {value}" for name, value in each.limits.items()),
        )
        for each in load()
    ]


def test_key_of_every_table_is_checked() -> None:
    """But that of the checks' own record, from which nothing is computed, and of declared ends.

    An end that two have declared at once stands there twice, and moves nothing the second time.
    """
    unchecked = {"data_quality", "gold_replay_end"}
    grouped = {
        (table, tuple(columns.split(", ")))
        for path in SQL_DIR.glob("*/unique_*.sql")
        for table, columns in re.findall(
            r"FROM (\w+)\n\s+WHERE (?:(?!.*FROM).*\n)+?\s+GROUP BY (.+)", path.read_text()
        )
    }
    assert grouped == {
        (name, definition.key) for name, definition in TABLES.items() if name not in unchecked
    }


def test_no_violation_passes_and_violations_are_what_the_severity_says(
    answering: Answering,
) -> None:
    passing = outcomes(counted(0), answering=answering)
    assert set(passing) == {"pass"}
    for layer in LAYERS:
        found = outcomes(counted(2), answering=answering, layer=layer)
        assert found == [each.severity.value for each in load([layer])]


def test_all_are_run_in_order_whatever_becomes_of_the_others(answering: Answering) -> None:
    checks = load(["silver"])
    asked = answering(QueryFailed("no such column"), counted(0), counted(1))
    results = checking.run(SETTINGS, checks, DAY)
    assert [each.check for each in results] == list(checks)
    assert asked == [(each.sql, each.values(DAY)) for each in checks]
    third = checks[2].severity.value
    assert [each.outcome.value for each in results[:3]] == ["error", "pass", third]
    assert "no such column" in (results[0].detail or "")
    assert (results[1].example, results[2].example) == (None, "door 3")


@pytest.mark.parametrize(
    "answer",
    [
        counted(None),
        counted(0, None),
        counted(-1),
        counted(True),
        counted("0"),
        Answer(checking.COLUMNS, ()),
        Answer(checking.COLUMNS, ((0, 1, None), (0, 1, None))),
        Answer(("violations", "checked"), ((0, 1),)),
    ],
    ids=["null", "checked null", "negative", "bool", "text", "no row", "two rows", "columns"],
)
def test_answer_that_counts_nothing_is_an_error_and_no_pass(
    answering: Answering, answer: Answer
) -> None:
    assert set(outcomes(answer, answering=answering)) == {"error"}


def test_check_that_takes_too_much_memory_is_asked_in_parts_and_all_are_counted(
    answering: Answering, tmp_path: Path
) -> None:
    check = read(written(tmp_path, f"{HEADER}{SQL} AND door % :parts = :part"))
    parts = (counted(0), counted(2, 5), counted(3, 7, "door 7"), counted(0, 1, None))
    asked = answering(TOO_LARGE, *parts)
    [result] = checking.run(SETTINGS, [check], DAY)
    assert [values[-2:] for _, values in asked] == [(1, 0), (4, 0), (4, 1), (4, 2), (4, 3)]
    assert (result.outcome.value, result.violations, result.checked) == ("warn", 5, 23)
    assert result.example == "door 7"


def test_check_that_cannot_be_divided_or_not_enough_is_an_error(
    answering: Answering, tmp_path: Path
) -> None:
    divisible = read(written(tmp_path, f"{HEADER}{SQL} AND door % :parts = :part"))
    for check, attempts in ((read(written(tmp_path, name="bronze/whole.sql")), 1), (divisible, 5)):
        asked = answering(TOO_LARGE)
        [result] = checking.run(SETTINGS, [check], DAY)
        assert (result.outcome.value, len(asked)) == ("error", attempts)
        assert "per-node memory limit" in (result.detail or "")


def test_part_that_counts_nothing_is_an_error_whatever_the_others_count(
    answering: Answering, tmp_path: Path
) -> None:
    check = read(written(tmp_path, f"{HEADER}{SQL} AND door % :parts = :part"))
    answering(TOO_LARGE, counted(0), counted(None), counted(0))
    [result] = checking.run(SETTINGS, [check], DAY)
    assert result.outcome.value == "error"


def test_what_could_not_be_run_is_raised_before_what_is_violated(answering: Answering) -> None:
    checks = load(["gold"])
    fails = next(each for each in checks if each.severity is Severity.FAIL)
    warns = next(each for each in checks if each.severity is Severity.WARN)
    answering(counted(2))
    results = checking.run(SETTINGS, [fails, warns], DAY)
    with pytest.raises(ChecksViolated, match=rf"1 checks are violated: {fails} 2026-11-24 fail"):
        judge(results)
    judge(results[1:])
    answering(QueryFailed("line 1: no"))
    with pytest.raises(ChecksNotRun, match=rf"line 1: no.*Violated besides: {fails}"):
        judge([*results, *checking.run(SETTINGS, [warns], DAY)])


def test_results_of_all_days_are_kept_in_one_commit(answering: Answering, catalog: Catalog) -> None:
    ensure_tables(catalog, DATABASE)
    checks = load(["bronze"])
    answering(counted(1), QueryFailed("no"), counted(0))
    results = check_days(catalog, SETTINGS, checks, [DAY, NEXT_DAY], owner="a test")
    table = load_table(catalog, DATABASE, "data_quality")
    assert len(table.snapshots()) == 1
    rows = table.scan().to_arrow().to_pylist()
    assert [(row["day"], row["check_name"], row["outcome"]) for row in rows] == [
        (each.day, each.check.name, each.outcome.value) for each in results
    ]
    assert {(row["layer"], row["owner"]) for row in rows} == {("bronze", "a test")}
    assert len({row["checked_ts"] for row in rows}) == 1
    assert [row["violations"] for row in rows[:3]] == [1, None, 0]
    check_days(catalog, SETTINGS, checks, [DAY], owner="a test")
    assert table.refresh().scan().count() == len(rows) + len(checks)


@pytest.mark.parametrize("check", load(), ids=str)
def test_check_that_compares_tables_looks_at_what_all_of_them_still_have(check: Any) -> None:
    side_by_side = {"gold/unique_keys", "gold/values_in_range"}
    compares = len(check.tables) > 1 and str(check) not in side_by_side
    assert (KEPT_SINCE in check.named) is compares
    assert check.tables <= set(TABLES)
    assert check.tables


def test_first_day_of_a_check_is_that_which_all_its_tables_have(answering: Answering) -> None:
    checks = {str(each): each for each in load(["silver"])}
    arrived, ranges = checks["silver/detections_arrived"], checks["silver/values_in_range"]
    assert arrived.tables == {"bronze_raw", "silver_detection", "silver_quarantine"}
    kept = {"bronze_raw": NEXT_DAY, "silver_detection": DAY, "gold_zone_dwell": date(2027, 1, 1)}
    asked = answering(counted(0))
    told, whole = checking.run(SETTINGS, [arrived, ranges], DAY, kept)
    assert "2026-11-25" in asked[0][1]
    assert told.detail == "not all of the day is left: bronze_raw is kept since 2026-11-25"
    assert (told.outcome.value, whole.detail) == ("pass", None)
    assert str(told).endswith(told.detail)
    assert checking.run(SETTINGS, [arrived], NEXT_DAY, kept)[0].detail is None
    checking.run(SETTINGS, [arrived], DAY)
    assert "" in asked[-1][1]


def test_checks_ask_the_tables_since_when_they_are_whole(
    answering: Answering, catalog: Catalog
) -> None:
    ensure_tables(catalog, DATABASE)
    advance(catalog, DATABASE, "silver_quarantine", NEXT_DAY)
    answering(counted(0))
    found = check_days(catalog, SETTINGS, load(["silver"]), [DAY], owner="a test")
    of_quarantine = {str(each.check) for each in found if each.detail}
    assert of_quarantine == {str(each) for each in load() if "silver_quarantine" in each.tables}
    kept = load_table(catalog, DATABASE, "data_quality").scan().to_arrow().to_pylist()
    assert {row["detail"] for row in kept if row["detail"]} == {
        "not all of the day is left: silver_quarantine is kept since 2026-11-25"
    }


def test_server_that_is_away_says_nothing_about_the_data(
    answering: Answering, catalog: Catalog
) -> None:
    ensure_tables(catalog, DATABASE)
    answering(counted(0), ServerUnreachable("Trino", "http://t:1", "away"))
    with pytest.raises(ServerUnreachable):
        check_days(catalog, SETTINGS, load(["bronze"]), [DAY], owner="a test")
    assert load_table(catalog, DATABASE, "data_quality").snapshots() == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [(counted(0), 0), (counted(3), 1), (QueryFailed("no such table"), 2)],
    ids=["holds", "violated", "not run"],
)
def test_command_prints_what_was_found_and_ends_with_it(
    answering: Answering,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: Answer | Exception,
    code: int,
) -> None:
    ensure_tables(catalog, DATABASE)
    monkeypatch.setattr("lakehouse.quality.command.connect", lambda _: catalog)
    answering(answer)
    assert main(["check", "--day", "2024-11-24", "--layer", "silver"]) == code
    told = capsys.readouterr().out
    assert "silver/unique_detections" in told
    assert "bronze/" not in told
    assert ("door 3" in told) is (code == 1)
    assert ("no such table" in told) is (code == 2)


def test_warning_alone_ends_well(
    answering: Answering, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_tables(catalog, DATABASE)
    monkeypatch.setattr("lakehouse.quality.command.connect", lambda _: catalog)
    answering(counted(3))
    assert {each.severity for each in load(["bronze"])} == {Severity.WARN}
    assert main(["check", "--layer", "bronze"]) == 0


def test_day_that_cannot_be_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "--day", "tomorrow"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
