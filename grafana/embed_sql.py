"""Writes the queries of `include/sql/dashboards` and their limits into dashboards and alert rules.

Run it after editing one. A panel's query, a variable's query and a rule's query name their file by
`refId`. A limit stands in a query's header, or there the file in which it stands; it becomes the
last threshold of the column, and what a rule compares with. `--check` changes nothing and exits 1
when something differs from its files.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
DASHBOARDS_DIR = CHECKOUT / "grafana" / "dashboards"
ALERTING_DIR = CHECKOUT / "grafana" / "provisioning" / "alerting"
SQL_ROOT = CHECKOUT / "include" / "sql"
SQL_DIR = SQL_ROOT / "dashboards"
ALERTS_DIR = SQL_DIR / "alerts"
LIMIT = re.compile(
    r"^-- Limit: :?(?P<column>\w+) "
    r"(?:= (?P<number>[\d.]*\d)|as (?:(?P<name>\w+) )?in (?P<file>\S+\.sql))\.",
    re.MULTILINE,
)
"""`age = 900.`, `age as in checks/x/y.sql.` or `age as late_seconds in checks/x/y.sql.`"""
QUERY_OF_RULE = re.compile(
    r"^(?P<margin> +)refId: (?P<name>\w+)\n(?P=margin)rawSQL: \|-\n(?:(?P=margin) .*\n|\n)+", re.M
)
LIMIT_OF_RULE = re.compile(
    r"(?P<before>expression: (?P<name>\w+)\n +conditions:\n"
    r" +- evaluator: \{type: gt, params: )\[.*\]"
)


class ThresholdMissing(ValueError):
    """A query has a limit for a column, and its panel no place for it."""

    def __init__(self, panel: str, column: str) -> None:
        super().__init__(
            f"panel {panel!r}: give {column} thresholds, the limit is the last of them"
        )


def queries(dashboard: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each query of a dashboard: the object that holds it and the key of its SQL in it."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target, "rawSQL"
    for variable in dashboard["templating"]["list"]:
        yield variable["query"], "query"


def sql_of(name: str, folder: Path = SQL_DIR) -> str:
    """The text of a query file, without the newline at its end.

    :raises FileNotFoundError: no such query
    """
    return (folder / f"{name}.sql").read_text(encoding="utf-8").rstrip("\n")


def limits_of(path: Path) -> dict[str, int | float]:
    """The limits that a query's header gives or refers to, by column."""
    found: dict[str, int | float] = {}
    for match in LIMIT.finditer(path.read_text(encoding="utf-8")):
        column = match["column"]
        if match["number"]:
            found[column] = json.loads(match["number"])
        else:
            found[column] = limits_of(SQL_ROOT / match["file"])[match["name"] or column]
    return found


def thresholds(panel: dict[str, Any], column: str) -> list[dict[str, Any]]:
    """The steps that colour a column of a panel: its own, else the panel's.

    :raises ThresholdMissing: there are none above the base
    """
    config = panel["fieldConfig"]
    steps = config["defaults"].get("thresholds", {}).get("steps", [])
    for override in config["overrides"]:
        if override["matcher"]["options"] == column:
            for each in override["properties"]:
                steps = each["value"]["steps"] if each["id"] == "thresholds" else steps
    if len(steps) < 2:
        raise ThresholdMissing(panel["title"], column)
    return list(steps)


def embed(text: str) -> str:
    """A dashboard's JSON with every query and limit as its file has it."""
    dashboard = json.loads(text)
    for holder, key in queries(dashboard):
        holder[key] = sql_of(holder["refId"])
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            for column, limit in limits_of(SQL_DIR / f"{target['refId']}.sql").items():
                thresholds(panel, column)[-1]["value"] = limit
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def embed_in_rules(text: str) -> str:
    """The rules' YAML with every query and limit as its file has it; comments stay."""

    def query(match: re.Match[str]) -> str:
        margin = match["margin"]
        lines = [f"{margin}refId: {match['name']}", f"{margin}rawSQL: |-"]
        lines += [f"{margin}  {line}" for line in sql_of(match["name"], ALERTS_DIR).splitlines()]
        return "\n".join(lines) + "\n"

    def limit(match: re.Match[str]) -> str:
        (number,) = limits_of(ALERTS_DIR / f"{match['name']}.sql").values()
        return f"{match['before']}[{number}]"

    return LIMIT_OF_RULE.sub(limit, QUERY_OF_RULE.sub(query, text))


def main(arguments: list[str] | None = None) -> int:
    """Embed, or check; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 on a change")
    options = parser.parse_args(arguments)
    stale = 0
    work: list[tuple[Path, Callable[[str], str]]] = [
        *((path, embed) for path in sorted(DASHBOARDS_DIR.glob("*.json"))),
        *((path, embed_in_rules) for path in sorted(ALERTING_DIR.glob("*.yaml"))),
    ]
    for path, write in work:
        before = path.read_text(encoding="utf-8")
        try:
            after = write(before)
        except (FileNotFoundError, KeyError, ValueError) as error:
            print(f"error: {path.relative_to(CHECKOUT)}: {error}", file=sys.stderr)
            return 2
        if before == after:
            continue
        stale += 1
        if options.check:
            print(f"{path.relative_to(CHECKOUT)} differs: run python grafana/embed_sql.py")
        else:
            path.write_text(after, encoding="utf-8")
            print(f"{path.relative_to(CHECKOUT)} written")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
