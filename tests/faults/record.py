"""Rounds on disk, so that a run goes on where it was interrupted; and what they show together."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from faults.recovery import TABLES
from faults.rounds import Round


class OtherRun(Exception):
    """The rounds on disk are of another run."""


def seed_of(path: Path) -> int | None:
    """The seed of the rounds on disk, or None where there are none."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8") as file:
        seed: int = json.loads(file.readline())["seed"]
    return seed


class Record:
    """A JSONL file: what was asked for, then a line a round."""

    def __init__(self, path: Path, asked: dict[str, Any], *, afresh: bool) -> None:
        self.path = path
        self.rounds: list[Round] = []
        if afresh or not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(asked) + "\n", encoding="utf-8")
            return
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        before = json.loads(first)
        if before != asked:
            raise OtherRun(
                f"{path} has rounds of a run with {before}, not {asked}: ask for the same to go "
                "on with it, or add --afresh to begin anew"
            )
        self.rounds = [Round(**json.loads(line)) for line in lines]

    def add(self, played: Round) -> None:
        """Keep a round."""
        self.rounds.append(played)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(played)) + "\n")

    @property
    def next_number(self) -> int:
        """The first round with a fault that is still to be played."""
        return max((each.number for each in self.rounds if each.fault != "none"), default=0) + 1


def by_fault(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """A row a fault: how often, what was lost or doubled, and how long the tables stood still."""
    grouped: defaultdict[str, list[Round]] = defaultdict(list)
    for each in rounds:
        grouped[each.fault].append(each)
    rows = []
    for fault, played in sorted(grouped.items(), key=lambda item: (item[0] != "none", item[0])):
        row: dict[str, Any] = {
            "fault": fault,
            "rounds": len(played),
            "lost": sum(each.lost for each in played),
            "doubled": sum(each.doubled for each in played),
            "differing": sum(each.differing for each in played),
            "failed": sum(not each.is_good for each in played),
            "longest_outage_seconds": max(each.outage_seconds for each in played),
        }
        for table in TABLES:
            seconds = [each.recovery_seconds[table] for each in played if each.recovery_seconds]
            row[f"{table}_recovery_seconds"] = {
                "median": round(median(seconds), 1) if seconds else None,
                "worst": max(seconds) if seconds else None,
            }
        rows.append(row)
    return rows


def show(rounds: Sequence[Round], console: Console) -> None:
    """Print the table."""
    table = Table(
        title="seconds until the next commit: from the kill, or from the end of an outage"
    )
    for name in ("fault", "rounds", "lost", "doubled", "wrong", "failed"):
        table.add_column(name, justify="left" if name == "fault" else "right", no_wrap=True)
    for name in TABLES:
        table.add_column(f"{name}\nmedian", justify="right", no_wrap=True)
        table.add_column("\nworst", justify="right")
    for row in by_fault(rounds):
        seconds = [row[f"{name}_recovery_seconds"] for name in TABLES]
        table.add_row(
            row["fault"],
            *(str(row[each]) for each in ("rounds", "lost", "doubled", "differing", "failed")),
            *(str(each[which]) for each in seconds for which in ("median", "worst")),
        )
    console.print(table)


def result(
    rounds: Sequence[Round], asked: dict[str, Any], machine: dict[str, Any]
) -> dict[str, Any]:
    """What is written under bench/results."""
    faulty = [each for each in rounds if each.fault != "none"]
    return {
        **asked,
        **machine,
        "rounds": len(faulty),
        "lost": sum(each.lost for each in rounds),
        "doubled": sum(each.doubled for each in rounds),
        "differing": sum(each.differing for each in rounds),
        "failed": sum(not each.is_good for each in rounds),
        "minutes": round(sum(each.seconds for each in rounds) / 60, 1),
        "by_fault": by_fault(rounds),
        "each": [asdict(each) for each in rounds],
    }
