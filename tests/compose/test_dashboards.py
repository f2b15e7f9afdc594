"""Grafana's dashboards: provisioned, complete, and without SQL of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from compose.deployment import services
from compose.grafana_files import (
    ALERTS_SQL,
    DASHBOARDS,
    FILES,
    SOURCE,
    SQL,
    embed_sql,
    load,
    provisioned,
    queries,
)

TITLES = {
    "RVA - People Overview",
    "RVA - Zone Dwell & Heatmap",
    "RVA - Track Summary",
    "RVA - Data Quality",
    "RVA - Pipeline Health",
}
GRID_COLUMNS = 24
MACROS = {"__timeFrom", "__timeTo"}
VARIABLES = {"store", "camera"}
METADATA = re.compile(r'lakehouse\.rva\."\w+\$snapshots"')
"""A table of Trino; Grafana leaves what looks like a variable, and is none, as it is."""


@pytest.fixture(params=sorted(DASHBOARDS))
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DASHBOARDS[request.param]


def test_the_dashboards_are_there_under_their_names() -> None:
    assert {each["title"] for each in DASHBOARDS.values()} == TITLES
    assert len({each["uid"] for each in DASHBOARDS.values()}) == len(TITLES)


def test_data_source_is_trino_under_the_name_of_the_design() -> None:
    assert (SOURCE["name"], SOURCE["type"]) == ("Trino Lakehouse", "trino-datasource")
    assert SOURCE["url"] == services()["airflow"]["environment"]["RVA_TRINO_URL"]


def test_every_query_goes_to_the_provisioned_source(dashboard: dict[str, Any]) -> None:
    wanted = {"type": SOURCE["type"], "uid": SOURCE["uid"]}
    for panel in dashboard["panels"]:
        assert panel["datasource"] == wanted, panel["title"]
        assert [target["datasource"] for target in panel["targets"]] == [wanted], panel["title"]
    for variable in dashboard["templating"]["list"]:
        assert variable["datasource"] == wanted, variable["name"]


def test_every_query_is_its_file_to_the_letter(dashboard: dict[str, Any]) -> None:
    for name, sql in queries(dashboard):
        assert sql == (SQL / f"{name}.sql").read_text(encoding="utf-8").rstrip("\n"), (
            f"{name}: run python grafana/embed_sql.py"
        )


def test_every_file_is_shown_by_a_dashboard() -> None:
    shown = {name for each in DASHBOARDS.values() for name, _ in queries(each)}
    assert shown == {path.stem for path in SQL.glob("*.sql")}


# those of the store page (page/) are not Grafana's: tests/plugins/test_store_page.py
GRAFANA_S = sorted([*SQL.glob("*.sql"), *(SQL / "alerts").glob("*.sql")])


@pytest.mark.parametrize("path", GRAFANA_S, ids=lambda path: path.stem)
def test_every_query_says_what_it_gives_and_asks_only_what_grafana_knows(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = " ".join(line for line in lines if line.startswith("--"))
    sql = "\n".join(line for line in lines if not line.startswith("--"))
    named = {"UNNEST", *re.findall(r"(\w+) AS \(\n", sql)}
    sql = METADATA.sub("lakehouse.rva.metadata", sql)
    assert re.search(r"Grain: .*Source: .*Reads only\.", comment), path.name
    # Grafana fills in comments too, where a value with a newline would become SQL
    assert "$" not in comment, path.name
    # a rule knows no variables
    known = MACROS if path.parent == ALERTS_SQL else MACROS | VARIABLES
    assert set(re.findall(r"\$(\w+)", sql)) <= known
    assert ";" not in sql, "Trino takes one statement without a semicolon"
    for table in re.findall(r"(?:FROM|JOIN) ([\w.]+)", sql):
        assert table.startswith("lakehouse.rva.") or table in named, table


def test_store_and_camera_can_be_chosen_in_every_dashboard(dashboard: dict[str, Any]) -> None:
    variables = {each["name"]: each for each in dashboard["templating"]["list"]}
    assert set(variables) == VARIABLES
    for variable in variables.values():
        assert variable["multi"]
        assert variable["includeAll"]
        # what the queries compare with; Grafana puts it in as it is
        assert variable["allValue"] == "'__all'"


def test_panels_are_described_and_do_not_overlap(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= GRID_COLUMNS
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_panel_has_a_unit_and_limits_that_are_those_of_its_query(
    dashboard: dict[str, Any],
) -> None:
    module = embed_sql()
    for panel in dashboard["panels"]:
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        (target,) = panel["targets"]
        for column, limit in module.limits_of(SQL / f"{target['refId']}.sql").items():
            assert module.thresholds(panel, column)[-1]["value"] == limit, panel["title"]


def test_a_threshold_that_is_no_limit_says_from_which_count_on_something_is_wrong() -> None:
    """A number in a dashboard that stands in no file is 1."""
    module = embed_sql()
    for dashboard in DASHBOARDS.values():
        for panel in dashboard["panels"]:
            (target,) = panel["targets"]
            limits = module.limits_of(SQL / f"{target['refId']}.sql")
            for override in panel["fieldConfig"]["overrides"]:
                for each in override["properties"]:
                    if each["id"] == "thresholds" and override["matcher"]["options"] not in limits:
                        assert [step["value"] for step in each["value"]["steps"]] == [None, 1]


def test_what_is_late_silent_or_refused_is_coloured_by_a_limit() -> None:
    module = embed_sql()
    panels = DASHBOARDS["pipeline-health"]["panels"]
    limited = {
        (panel["id"], column)
        for panel in panels
        for column in module.limits_of(SQL / f"{panel['targets'][0]['refId']}.sql")
    }
    assert limited == {
        (1, "quarantine_share"),
        (2, "seconds_since_commit"),
        (4, "to_bronze_seconds"),
        (4, "silver_to_gold_seconds"),
        (5, "to_bronze_seconds"),
        (6, "silent_seconds"),
        (8, "quarantine_share"),
    }


def test_overrides_name_columns_that_their_query_gives(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        (target,) = panel["targets"]
        for override in panel["fieldConfig"]["overrides"]:
            column = override["matcher"]["options"]
            assert re.search(rf"\b{column}\b", target["rawSQL"]), f"{panel['title']}: {column}"


def test_time_series_are_ordered_by_a_column_named_time(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        (target,) = panel["targets"]
        assert target["format"] == (0 if panel["type"] == "timeseries" else 1), panel["title"]
        if panel["type"] == "timeseries":
            assert " AS time,\n" in target["rawSQL"]
            assert "ORDER BY time" in target["rawSQL"]


def test_heat_map_shows_a_grid_of_ten_by_ten() -> None:
    panels = DASHBOARDS["zone-dwell-heatmap"]["panels"]
    grids = [panel for panel in panels if panel["targets"][0]["refId"].endswith("_grid")]
    assert len(grids) == 2
    for panel in grids:
        assert panel["type"] == "table"
        assert panel["fieldConfig"]["defaults"]["custom"]["cellOptions"]["type"] == (
            "color-background"
        )
        sql = panel["targets"][0]["rawSQL"]
        assert re.findall(r" AS (x\d)", sql) == [f"x{x}" for x in range(10)]
        assert "SEQUENCE(0, 9)" in sql


def test_provisioning_reads_the_folder_that_compose_mounts() -> None:
    (provider,) = provisioned("dashboards/rva.yaml")["providers"]
    mounts = dict(mount.split(":")[:2] for mount in services()["grafana"]["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    home = services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).name in {path.name for path in FILES}


def test_embedding_changes_only_the_sql_and_check_finds_what_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = embed_sql()
    whole = FILES[0].read_text(encoding="utf-8")
    assert module.embed(whole) == whole
    stale = json.loads(whole)
    stale["panels"][0]["targets"][0]["rawSQL"] = "SELECT 1"
    copy = tmp_path / "grafana" / "dashboards" / FILES[0].name
    copy.parent.mkdir(parents=True)
    copy.write_text(json.dumps(stale), encoding="utf-8")
    monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    monkeypatch.setattr(module, "DASHBOARDS_DIR", copy.parent)
    monkeypatch.setattr(module, "ALERTING_DIR", tmp_path)
    assert module.main(["--check"]) == 1
    assert "differs" in capsys.readouterr().out
    assert module.main([]) == 0
    assert copy.read_text(encoding="utf-8") == whole
    assert module.main(["--check"]) == 0


def test_embedding_a_query_without_a_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = embed_sql()
    broken = load(FILES[0])
    broken["panels"][0]["targets"][0]["refId"] = "no_such_query"
    copy = tmp_path / "broken.json"
    copy.write_text(json.dumps(broken), encoding="utf-8")
    monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    monkeypatch.setattr(module, "DASHBOARDS_DIR", tmp_path)
    assert module.main([]) == 2
    assert "no_such_query" in capsys.readouterr().err


def test_embedding_in_rules_puts_back_query_and_limit_and_keeps_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = embed_sql()
    whole = (module.ALERTING_DIR / "rules.yaml").read_text(encoding="utf-8")
    assert module.embed_in_rules(whole) == whole
    stale = whole.replace("params: [900]", "params: [901]").replace(
        "  GROUP BY layer", "  GROUP BY"
    )
    copy = tmp_path / "grafana" / "alerting" / "rules.yaml"
    copy.parent.mkdir(parents=True)
    copy.write_text(stale, encoding="utf-8")
    monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    monkeypatch.setattr(module, "DASHBOARDS_DIR", tmp_path)
    monkeypatch.setattr(module, "ALERTING_DIR", copy.parent)
    assert module.main(["--check"]) == 1
    assert copy.read_text(encoding="utf-8") == stale
    assert "rules.yaml differs" in capsys.readouterr().out
    assert module.main([]) == 0
    assert copy.read_text(encoding="utf-8") == whole
    assert "# no data: nobody" in whole


def test_limit_follows_the_check_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = embed_sql()
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "fresh.sql").write_text("-- Limit: :late_seconds = 7. Why.\nSELECT 1\n")
    query = tmp_path / "query.sql"
    query.write_text(
        "-- Limit: share = 0.5. Why.\n-- Limit: age as late_seconds in checks/fresh.sql.\n"
        "-- Limit: late_seconds as in checks/fresh.sql.\nSELECT 1\n"
    )
    monkeypatch.setattr(module, "SQL_ROOT", tmp_path)
    assert module.limits_of(query) == {"share": 0.5, "age": 7, "late_seconds": 7}


def test_limit_of_a_column_without_thresholds_is_refused() -> None:
    module = embed_sql()
    broken = load(module.DASHBOARDS_DIR / "pipeline-health.json")
    panel = next(each for each in broken["panels"] if each["id"] == 6)
    panel["fieldConfig"]["overrides"] = []
    with pytest.raises(module.ThresholdMissing, match=r"Silent cameras.*silent_seconds"):
        module.embed(json.dumps(broken))
