"""Writes the queries of `include/sql/dashboards` into the dashboards; run it after editing one.

A panel's query and a variable's query name their file by `refId`. `--check` changes nothing and
exits 1 when a dashboard differs from its files.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
DASHBOARDS_DIR = CHECKOUT / "grafana" / "dashboards"
SQL_DIR = CHECKOUT / "include" / "sql" / "dashboards"


def queries(dashboard: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each query of a dashboard: the object that holds it and the key of its SQL in it."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target, "rawSQL"
    for variable in dashboard["templating"]["list"]:
        yield variable["query"], "query"


def sql_of(name: str) -> str:
    """The text of a query file, without the newline at its end.

    :raises FileNotFoundError: no such query
    """
    return (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8").rstrip("\n")


def embed(text: str) -> str:
    """A dashboard's JSON with every query as its file has it."""
    dashboard = json.loads(text)
    for holder, key in queries(dashboard):
        holder[key] = sql_of(holder["refId"])
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Embed, or check; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 on a change")
    options = parser.parse_args(arguments)
    stale = 0
    for path in sorted(DASHBOARDS_DIR.glob("*.json")):
        before = path.read_text(encoding="utf-8")
        try:
            after = embed(before)
        except (FileNotFoundError, KeyError, json.JSONDecodeError) as error:
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
