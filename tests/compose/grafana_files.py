"""Grafana's files under test, read once: dashboards, provisioning, and the queries in them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from compose.deployment import ROOT

GRAFANA = ROOT / "grafana"
SQL = ROOT / "include" / "sql" / "dashboards"
ALERTS_SQL = SQL / "alerts"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))


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
    """grafana/embed_sql.py, which is no module of a package."""
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


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    (group,) = provisioned("alerting/rules.yaml")["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found
