"""Grafana's dashboards: provisioned, complete, and without SQL of their own."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from compose.deployment import ROOT, services

GRAFANA = ROOT / "grafana"
SQL = ROOT / "include" / "sql" / "dashboards"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
TITLES = {
    "RVA - People Overview",
    "RVA - Zone Dwell & Heatmap",
    "RVA - Track Summary",
    "RVA - Data Quality",
}
GRID_COLUMNS = 24
MACROS = {"__timeFrom", "__timeTo"}
VARIABLES = {"store", "camera"}


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


DASHBOARDS = {path.stem: load(path) for path in FILES}


def provisioned(name: str) -> dict[str, Any]:
    path = GRAFANA / "provisioning" / name
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


SOURCE = provisioned("datasources/trino.yaml")["datasources"][0]


def embed_sql() -> ModuleType:
    spec = importlib.util.spec_from_file_location("embed_sql", GRAFANA / "embed_sql.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def queries(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and SQL of every query: the panels', then the variables'."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["refId"], target["rawSQL"]
    for variable in dashboard["templating"]["list"]:
        yield variable["query"]["refId"], variable["query"]["query"]


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


@pytest.mark.parametrize("path", sorted(SQL.glob("*.sql")), ids=lambda path: path.stem)
def test_every_query_says_what_it_gives_and_asks_only_what_grafana_knows(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = " ".join(line for line in lines if line.startswith("--"))
    sql = "\n".join(line for line in lines if not line.startswith("--"))
    assert re.search(r"Grain: .*Source: .*Reads only\.", comment), path.name
    # Grafana fills in comments too, where a value with a newline would become SQL
    assert "$" not in comment, path.name
    assert set(re.findall(r"\$(\w+)", sql)) <= MACROS | VARIABLES
    assert ";" not in sql, "Trino takes one statement without a semicolon"
    for table in re.findall(r"(?:FROM|JOIN) ([\w.]+)", sql):
        assert table.startswith("lakehouse.rva.") or table in {"UNNEST", "minutes", "tracks"}, table


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
