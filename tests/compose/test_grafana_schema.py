"""Dashboards and alert rules are what Grafana's own schema says they may be."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from grafana_foundation_sdk.models.alerting import ContactPoint, NotificationPolicy, Query, Rule
from grafana_foundation_sdk.models.dashboard import Dashboard
from grafana_foundation_sdk.models.expr import TypeThreshold

from compose.grafana_files import DASHBOARDS, provisioned, rules
from compose.grafana_schema import problems

ONLY_OF_FILES = ("dashboardUid", "panelId")
"""What a rule's file may have, and the schema, which is that of the API, has in annotations."""


def judged(dashboard: dict[str, Any]) -> list[str]:
    """A dashboard's problems; the properties of overrides count as if they were of all fields."""
    whole = copy.deepcopy(dashboard)
    for variable in whole["templating"]["list"]:
        # shown in Grafana's list of variables, not in its schema
        del variable["definition"]
    found = problems(whole, Dashboard)
    for panel in whole["panels"]:
        for override in panel["fieldConfig"]["overrides"]:
            changed = copy.deepcopy(panel)
            for each in override["properties"]:
                place, _, name = each["id"].rpartition(".")
                defaults = changed["fieldConfig"]["defaults"]
                (defaults.setdefault(place, {}) if place else defaults)[name] = each["value"]
            told = problems({**whole, "panels": [changed]}, Dashboard)
            column = override["matcher"]["options"]
            found += [f"{panel['title']}, {column}: {each}" for each in told]
    return found


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_dashboard_is_known_to_grafana_to_the_last_property(name: str) -> None:
    assert judged(DASHBOARDS[name]) == []


def _panel(dashboard: dict[str, Any]) -> Any:
    return next(each for each in dashboard["panels"] if each["type"] == "table")


def _misspelt(dashboard: dict[str, Any]) -> None:
    _panel(dashboard)["fieldConfig"]["overides"] = []


def _option(dashboard: dict[str, Any]) -> None:
    _panel(dashboard)["options"]["showHeaders"] = True


def _type(dashboard: dict[str, Any]) -> None:
    _panel(dashboard)["gridPos"]["w"] = "12"


def _enumeration(dashboard: dict[str, Any]) -> None:
    _panel(dashboard)["fieldConfig"]["defaults"]["thresholds"] = {"mode": "relative", "steps": []}


def _property(dashboard: dict[str, Any]) -> None:
    override = _panel(dashboard)["fieldConfig"]["overrides"][0]
    override["properties"].append({"id": "custom.cellOption", "value": {"type": "color-text"}})


def _value(dashboard: dict[str, Any]) -> None:
    override = _panel(dashboard)["fieldConfig"]["overrides"][0]
    override["properties"].append({"id": "unit", "value": 3})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(_misspelt, "fieldConfig/overides is unknown", id="a misspelt key"),
        pytest.param(_option, "options/showHeaders is unknown", id="an option of no table"),
        pytest.param(_type, "grid_pos/w is '12', not int", id="a text for a number"),
        pytest.param(_enumeration, "'relative', not one of", id="a mode that there is not"),
        pytest.param(_property, "custom/cellOption is unknown", id="a property of no column"),
        pytest.param(_value, "unit is 3, not str", id="a number for a unit"),
    ],
)
def test_dashboard_that_grafana_would_not_understand_is_told(
    spoil: Callable[[dict[str, Any]], None], told: str
) -> None:
    spoilt = copy.deepcopy(DASHBOARDS["pipeline-health"])
    spoil(spoilt)
    assert [each for each in judged(spoilt) if told in each]


def judged_rule(rule: dict[str, Any]) -> list[str]:
    """A rule's problems. The schema is behind Grafana, which knows KeepLast since 10.4."""
    known = {key: value for key, value in rule.items() if key not in ONLY_OF_FILES}
    known["execErrState"] = "Error" if rule["execErrState"] == "KeepLast" else rule["execErrState"]
    known["data"] = []
    found = problems(known, Rule)
    for query in rule["data"]:
        found += problems({key: query[key] for key in query if key != "model"}, Query)
        if query["datasourceUid"] == "__expr__":
            found += problems(query["model"], TypeThreshold)
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_alert_rule_is_known_to_grafana_to_the_last_property(rule: dict[str, Any]) -> None:
    assert judged_rule(rule) == []


def test_alert_rule_that_grafana_would_not_understand_is_told() -> None:
    spoilt = copy.deepcopy(rules()[0])
    spoilt |= {"noDataState": "Ok", "keepFiring": "5m"}
    spoilt["data"][1]["model"]["conditions"][0]["evaluator"]["type"] = "above"
    assert [each.split(" ")[0] for each in judged_rule(spoilt)] == [
        "/keepFiring",
        "/no_data_state",
        "/conditions/0/evaluator/type_val",
    ]


def test_contact_point_and_policy_are_known_to_grafana() -> None:
    told = provisioned("alerting/notifications.yaml")
    for point in told["contactPoints"]:
        for receiver in point["receivers"]:
            assert problems({**receiver, "name": point["name"]}, ContactPoint) == []
    for policy in told["policies"]:
        known = {key: value for key, value in policy.items() if key != "orgId"}
        assert problems(known, NotificationPolicy) == []
