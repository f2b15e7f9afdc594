"""Grafana's alert rules: provisioned, complete, and without SQL or limits of their own."""

from __future__ import annotations

import re
from typing import Any

import pytest

from compose.deployment import compose, services, variables
from compose.grafana_files import (
    ALERTS_SQL,
    DASHBOARDS,
    GRAFANA,
    SOURCE,
    embed_sql,
    provisioned,
    rules,
)

TITLES = {
    "Bronze, Silver or Gold is not running",
    "Freshness over target - Bronze",
    "Freshness over target - Silver",
    "Freshness over target - Gold",
    "Quarantine share",
    "A camera is silent",
}
TEN_CHECKPOINTS = 10
"""Iceberg's sink leaves out commits without rows, all but each tenth."""


@pytest.fixture(params=rules(), ids=lambda rule: rule["uid"])
def rule(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


def query_of(rule: dict[str, Any]) -> dict[str, Any]:
    """The query of a rule; whatever else it has is an expression."""
    (query,) = [each for each in rule["data"] if each["datasourceUid"] != "__expr__"]
    found: dict[str, Any] = query
    return found


def limit_of(rule: dict[str, Any]) -> float:
    """What the rule's condition compares with."""
    (condition,) = [each for each in rule["data"] if each["refId"] == rule["condition"]]
    (only,) = condition["model"]["conditions"]
    (number,) = only["evaluator"]["params"]
    found: float = number
    return found


def test_the_rules_are_there_under_their_names_and_in_the_folder_of_the_dashboards() -> None:
    (group,) = provisioned("alerting/rules.yaml")["groups"]
    assert {each["title"] for each in group["rules"]} == TITLES
    assert len({each["uid"] for each in group["rules"]}) == len(TITLES)
    (provider,) = provisioned("dashboards/rva.yaml")["providers"]
    assert group["folder"] == provider["folder"]


def test_rule_asks_the_provisioned_source_and_is_decided_by_its_query(rule: dict[str, Any]) -> None:
    query = query_of(rule)
    assert query["datasourceUid"] == SOURCE["uid"]
    assert query["model"]["datasource"] == {"type": SOURCE["type"], "uid": SOURCE["uid"]}
    assert query["model"]["format"] == 1, "a table, which Grafana reads as one number a row"
    (condition,) = [each for each in rule["data"] if each["refId"] == rule["condition"]]
    assert condition["model"]["type"] == "threshold"
    assert condition["model"]["expression"] == query["refId"]
    for each in rule["data"]:
        assert each["model"]["refId"] == each["refId"]
        assert each["relativeTimeRange"]["from"] > each["relativeTimeRange"]["to"] == 0


def test_query_and_limit_are_those_of_its_file(rule: dict[str, Any]) -> None:
    query = query_of(rule)
    path = ALERTS_SQL / f"{query['refId']}.sql"
    assert query["model"]["rawSQL"] == path.read_text(encoding="utf-8").rstrip("\n"), (
        "run python grafana/embed_sql.py"
    )
    ((column, limit),) = embed_sql().limits_of(path).items()
    assert limit_of(rule) == limit > 0
    # the one column that is a number
    assert re.search(rf"AS {column}\n(FROM|$)", query["model"]["rawSQL"] + "\n")


def test_every_query_of_the_folder_is_a_rule() -> None:
    asked = {query_of(each)["refId"] for each in rules()}
    assert asked == {path.stem for path in ALERTS_SQL.glob("*.sql")}


def test_freshness_is_judged_by_the_limits_of_the_checks() -> None:
    checks = GRAFANA.parent / "include" / "sql" / "checks"
    for layer in ("bronze", "silver", "gold"):
        header = (checks / layer / "freshness.sql").read_text(encoding="utf-8")
        (limit,) = re.findall(r"^-- Limit: :late_seconds = (\d+)", header, re.MULTILINE)
        (one,) = [each for each in rules() if each["uid"] == f"rva-freshness-{layer}"]
        assert limit_of(one) == int(limit)


def test_job_that_runs_without_messages_is_not_told_to_be_stopped() -> None:
    (one,) = [each for each in rules() if each["uid"] == "rva-stream-stopped"]
    environment = compose()["x-rva-environment"]
    interval = int(environment["RVA_CHECKPOINT_INTERVAL_SECONDS"])
    assert limit_of(one) > TEN_CHECKPOINTS * interval


def test_rule_says_what_happened_what_to_do_and_where_to_look(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert f".Values.{query_of(rule)['refId']}.Value" in notes["summary"]
    assert notes["description"].endswith((".", "?"))
    assert len(notes["description"].split()) > 20
    # Grafana would fill in a variable of its environment
    assert "$" not in "".join([rule["title"], *notes.values(), *rule["labels"].values()])
    for label in re.findall(r"\.Labels\.(\w+)", notes["summary"]):
        assert re.search(rf"\b{label}\b", query_of(rule)["model"]["rawSQL"])
    dashboard = DASHBOARDS["pipeline-health"]
    assert rule["dashboardUid"] == notes["__dashboardUid__"] == dashboard["uid"]
    assert str(rule["panelId"]) == notes["__panelId__"]
    (panel,) = [each for each in dashboard["panels"] if each["id"] == rule["panelId"]]
    assert panel["type"] != "stat", "a panel that shows it by table, camera or time"


def test_a_fault_of_trino_is_told_by_one_rule_and_no_data_by_none() -> None:
    assert [each["uid"] for each in rules() if each["execErrState"] == "Error"] == [
        "rva-stream-stopped"
    ]
    assert {each["execErrState"] for each in rules()} == {"Error", "KeepLast"}
    assert {each["noDataState"] for each in rules()} == {"OK"}
    assert all(re.fullmatch(r"\d+m", each["for"]) for each in rules())


def test_alerts_reach_a_contact_point_that_needs_no_secret() -> None:
    told = provisioned("alerting/notifications.yaml")
    (point,) = told["contactPoints"]
    (policy,) = told["policies"]
    assert policy["receiver"] == point["name"]
    (receiver,) = point["receivers"]
    assert receiver["type"] == "email"
    name = receiver["settings"]["addresses"].strip("${}")
    environment = services()["grafana"]["environment"]
    assert "@" in variables(environment[name])[name]


def test_the_provisioning_is_mounted_where_grafana_reads_it() -> None:
    mounts = dict(mount.split(":")[:2] for mount in services()["grafana"]["volumes"])
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert {path.name for path in (GRAFANA / "provisioning").iterdir()} == {
        "alerting",
        "dashboards",
        "datasources",
    }
