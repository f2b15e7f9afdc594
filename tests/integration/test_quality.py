"""Each check on the real Trino: it finds its own violation, exactly, and none in clean data.

Every case has a day of its own with the same clean rows, of which it spoils some. No job runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from integration.conftest import ROOT, Deployment
from integration.quality_rows import DAY, Rows, bronze_row, clean, moved
from lakehouse import query, tables
from lakehouse.quality import checking
from lakehouse.quality.checking import Outcome
from lakehouse.quality.checks import LAYERS, Check, load
from lakehouse.quality.errors import ChecksNotRun, ChecksViolated
from lakehouse.quality.record import check_days
from lakehouse.settings import LakehouseSettings

pytestmark = pytest.mark.integration

NOBODYS_DAY = date(2024, 4, 1)
PARTS = 4


@dataclass(frozen=True)
class Case:
    """What is spoilt, and how many violations each check must find; the others find none."""

    name: str
    spoil: Callable[[Rows], object]
    found: dict[str, int] = field(default_factory=dict)

    @property
    def layers(self) -> list[str]:
        """Those that it is about; all where nothing is to be found."""
        about = {check.partition("/")[0] for check in self.found}
        return [layer for layer in LAYERS if layer in about or not about]


def change(rows: Rows, table: str, number: int, **values: Any) -> None:
    rows[table][number] |= values


def one_more(rows: Rows, table: str, column: str) -> None:
    rows[table][0][column] += 1


def again(rows: Rows, table: str) -> None:
    rows[table].append(dict(rows[table][0]))


def without(rows: Rows, table: str, column: str, value: str) -> None:
    """The first row that has the value is gone."""
    del rows[table][[row[column] for row in rows[table]].index(value)]


def read_late(rows: Rows) -> None:
    row = rows["bronze_raw"][4]
    row["publish_ts"] = row["ingest_ts"] - timedelta(seconds=301)


def let_go(rows: Rows, *, told: int) -> None:
    """Three frames are missing; the line after them says how many the camera has let go."""
    del rows["bronze_raw"][7:10]
    message = json.loads(rows["bronze_raw"][7]["payload"]) | {"dropped_frames": told}
    change(rows, "bronze_raw", 7, payload=json.dumps(message).encode())


def every_third(rows: Rows) -> None:
    """As --fps-limit leaves them out, unevenly."""
    kept = [row for row in rows["bronze_raw"] if row["run_id"] != "store_01-cam_01-1"]
    limited = [row for row in rows["bronze_raw"] if row["run_id"] == "store_01-cam_01-1"]
    rows["bronze_raw"] = kept + [row for row in limited if row["frame_index"] % 8 in (0, 3, 5)]


def silver_behind(rows: Rows) -> None:
    """A frame has been received ten minutes after all that Silver has."""
    sent = [row for row in rows["bronze_raw"] if b"handbag" in row["payload"]][-1]
    message = json.loads(sent["payload"]) | {"frame_index": sent["frame_index"] + 1}
    waits = bronze_row(json.dumps(message).encode(), sent["message_id"] + b" waits")
    newest = max(row["ingest_ts"] for row in rows["bronze_raw"])
    rows["bronze_raw"].append(waits | {"ingest_ts": newest + timedelta(minutes=10)})


def gold_behind(rows: Rows) -> None:
    """The stream has shown the first minute only, and no batch has been there."""
    rows["gold_backfill"].clear()
    minutes = rows["gold_people_per_minute"]
    minutes.sort(key=lambda row: row["ts_minute"])
    del minutes[1:]


def left_out(rows: Rows, detections: int) -> None:
    """By the stream, of some 150."""
    rows["gold_late_events"].append(
        {
            "store_id": "store_01",
            "camera_id": "cam_01",
            "ts_hour": rows["gold_zone_heatmap"][0]["ts_hour"],
            "gold_table": "gold_people_per_minute",
            "detections": detections,
            "max_late_seconds": 61.5,
        }
    )


IMPOSSIBLE = {
    "a box past its image": {"x2": 1281.0},
    "a box above its image": {"y1": -1.0},
    "a confidence above one": {"conf": 1.5},
    "a confidence that is no number": {"conf": float("nan")},
    "a zone outside the grid": {"zone_x": 10},
}
IMPOSSIBLE_GOLD = {
    "gold_people_per_minute": {"unique_people": 1_000},
    "gold_track_summary": {"avg_x": -1.0},
    "gold_zone_dwell": {"zone_y": 10},
    "gold_zone_heatmap": {"unique_tracks": 1_000},
}
CASES = (
    Case("clean rows", lambda _: None),
    Case("a day that no batch has rebuilt", lambda rows: rows["gold_backfill"].clear()),
    Case("few late events", lambda rows: left_out(rows, 1)),
    Case("frames that the camera let go", lambda rows: let_go(rows, told=3)),
    Case("frames beyond a limit of frames a second", every_third),
    Case("a message read late", read_late, {"bronze/freshness": 1}),
    Case(
        "a frame missing",
        lambda rows: without(rows, "bronze_raw", "frame_index", 7),
        {"bronze/frame_gaps": 1},
    ),
    Case(
        "more frames missing than the camera let go",
        lambda rows: let_go(rows, told=2),
        {"bronze/frame_gaps": 1},
    ),
    Case("a message twice", lambda rows: again(rows, "bronze_raw"), {"bronze/unique_messages": 1}),
    Case("Silver behind", silver_behind, {"silver/freshness": 1, "silver/detections_arrived": 1}),
    *(
        Case(
            name,
            lambda rows, values=values: change(rows, "silver_detection", 2, **values),
            {"silver/values_in_range": 1},
        )
        for name, values in IMPOSSIBLE.items()
    ),
    Case(
        "a detection twice",
        lambda rows: again(rows, "silver_detection"),
        {"silver/unique_detections": 1},
    ),
    Case(
        "quarantined twice",
        lambda rows: again(rows, "silver_quarantine"),
        {"silver/unique_quarantine": 1},
    ),
    Case(
        "a bad message lost",
        lambda rows: without(rows, "silver_quarantine", "reason", "message_not_json"),
        {"silver/messages_accounted_for": 1},
    ),
    Case(
        "a bad detection lost",
        lambda rows: without(rows, "silver_quarantine", "reason", "detection_out_of_range"),
        {"silver/detections_arrived": 1},
    ),
    Case(
        "a detection lost",
        lambda rows: without(rows, "silver_detection", "class_name", "handbag"),
        {"silver/detections_arrived": 1},
    ),
    Case("Gold behind", gold_behind, {"gold/freshness": 1}),
    Case("many late events", lambda rows: left_out(rows, 5), {"gold/late_events": 5}),
    Case(
        "a hit too many in Gold",
        lambda rows: one_more(rows, "gold_zone_heatmap", "hits"),
        {"gold/rebuilt_day_equals_silver": 1},
    ),
    Case(
        "a detection too many in Gold",
        lambda rows: one_more(rows, "gold_people_per_minute", "detections"),
        {"gold/rebuilt_day_equals_silver": 1},
    ),
    Case(
        "gold_people_per_minute twice",
        lambda rows: again(rows, "gold_people_per_minute"),
        {"gold/unique_keys": 1, "gold/rebuilt_day_equals_silver": 1},
    ),
    *(
        Case(
            f"{table} twice",
            lambda rows, table=table: again(rows, table),
            {"gold/unique_keys": 1},
        )
        for table in ("gold_track_summary", "gold_zone_dwell", "gold_backfill")
    ),
    *(
        Case(
            f"what cannot be in {table}",
            lambda rows, table=table, values=values: change(rows, table, 0, **values),
            {"gold/values_in_range": 1},
        )
        for table, values in IMPOSSIBLE_GOLD.items()
    ),
)
DAYS = {case.name: DAY + timedelta(days=number) for number, case in enumerate(CASES)}


def spoilt_rows(folder: Path) -> Rows:
    """The rows of all cases, each on its day."""
    rows = clean(folder)
    together: Rows = {table: [] for table in rows}
    for case in CASES:
        of_case = moved(rows, DAYS[case.name])
        case.spoil(of_case)
        for table, found in of_case.items():
            together[table] += found
    return together


@pytest.fixture(scope="module")
def filled(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    for name, rows in spoilt_rows(tmp_path_factory.mktemp("rows")).items():
        table = tables.load(deployment.catalog, deployment.database, name)
        table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    return deployment


@pytest.fixture
def settings(deployment: Deployment) -> LakehouseSettings:
    return LakehouseSettings.from_env(deployment.variables)


def test_every_check_has_a_case_in_which_it_finds_something() -> None:
    assert {str(check) for check in load()} == {check for case in CASES for check in case.found}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_check_finds_its_violations_and_no_other_check_finds_any(
    filled: Deployment, settings: LakehouseSettings, case: Case
) -> None:
    results = checking.run(settings, load(case.layers), DAYS[case.name])
    assert [str(each) for each in results if each.outcome is Outcome.ERROR] == []
    assert {str(each.check): each.violations for each in results if each.violations} == case.found
    for each in results:
        assert bool(each.example) == bool(each.violations), each
        assert each.outcome == (each.check.severity if each.violations else Outcome.PASS)


def test_clean_rows_are_looked_at_by_every_check(
    filled: Deployment, settings: LakehouseSettings
) -> None:
    results = checking.run(settings, load(), DAYS["clean rows"])
    assert [str(each.check) for each in results if not each.checked] == []


@pytest.mark.parametrize("check", [each for each in load() if each.is_divisible], ids=str)
def test_parts_of_a_day_find_what_the_whole_finds(
    filled: Deployment, settings: LakehouseSettings, check: Check
) -> None:
    """In the days in which it finds something, and in a clean one."""
    for case in CASES:
        if case.found and str(check) not in case.found:
            continue
        with query.session(settings) as trino:
            whole = trino.ask(check.sql, check.values(DAYS[case.name]))
            parts = [
                trino.ask(check.sql, check.values(DAYS[case.name], part=part, parts=PARTS))
                for part in range(PARTS)
            ]
        [(violations, checked, _)] = whole.rows
        assert sum(each.rows[0][0] for each in parts) == violations
        assert sum(each.rows[0][1] for each in parts) == checked


def test_day_without_rows_passes(filled: Deployment, settings: LakehouseSettings) -> None:
    results = checking.run(settings, load(), NOBODYS_DAY)
    assert {(each.outcome, each.violations, each.checked) for each in results} == {
        (Outcome.PASS, 0, 0)
    }


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT no_such_column AS violations, 1 AS checked, :day AS example", "no_such_column"),
        ("SELECT NULL AS violations, 1 AS checked, :day AS example", "it must give"),
        ("SELECT 0 AS violations, 1 AS checked, :day AS example WHERE false", "it must give"),
        ("SELECT 1 / 0 AS violations, 1 AS checked, :day AS example", "Division by zero"),
    ],
    ids=["refused", "null", "no row", "fails at work"],
)
def test_check_that_cannot_be_run_is_an_error_is_kept_and_is_no_pass(
    deployment: Deployment, settings: LakehouseSettings, tmp_path: Path, sql: str, told: str
) -> None:
    path = tmp_path / "bronze" / "broken.sql"
    path.parent.mkdir()
    path.write_text(f"-- Check: it works.\n-- Severity: warn.\n{sql}\n")
    [broken] = load(["bronze"], tmp_path)
    after = load(["bronze"])[0]
    owner = f"a test of {tmp_path.name}"
    results = check_days(deployment.catalog, settings, [broken, after], [NOBODYS_DAY], owner=owner)
    assert [each.outcome for each in results] == [Outcome.ERROR, Outcome.PASS]
    with pytest.raises(ChecksNotRun, match=told):
        checking.judge(results)
    kept = deployment.query(
        "SELECT check_name, outcome, violations, strpos(detail, ?) > 0 FROM data_quality "
        "WHERE owner = ? ORDER BY check_name DESC LIMIT 2",
        [told, owner],
    )
    assert sorted(kept, key=str) == sorted(
        [["broken", "error", None, True], [after.name, "pass", 0, None]], key=str
    )


def check_by_command(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lakehouse", "check", *arguments],
        cwd=ROOT,
        env=deployment.variables,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("name", "code", "outcome"),
    [("clean rows", 0, "pass"), ("a frame missing", 0, "warn"), ("a detection twice", 1, "fail")],
)
def test_command_prints_and_keeps_what_was_found_and_ends_with_it(
    filled: Deployment, name: str, code: int, outcome: str
) -> None:
    day = DAYS[name]
    ended = check_by_command(filled, "--day", day.isoformat())
    assert (ended.returncode, ended.stderr) == (code, ""), ended.stdout
    assert outcome in ended.stdout
    kept = filled.query(
        "SELECT layer || '/' || check_name, outcome FROM data_quality "
        "WHERE owner = 'command' AND day = CAST(? AS date)",
        [day.isoformat()],
    )
    assert sorted(each[0] for each in kept) == sorted(str(check) for check in load())  # type: ignore[type-var]
    assert outcome in {each[1] for each in kept}


def test_violation_that_may_not_be_is_raised_and_one_that_may_is_not(
    filled: Deployment, settings: LakehouseSettings
) -> None:
    days = [DAYS["a frame missing"], DAYS["a detection twice"]]
    warned, violated = (checking.run(settings, load(), day) for day in days)
    checking.judge(warned)
    with pytest.raises(ChecksViolated, match="silver/unique_detections"):
        checking.judge([*warned, *violated])
