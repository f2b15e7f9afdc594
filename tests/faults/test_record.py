"""Rounds on disk: gone on with, never mixed with another run's; a failed one stays in the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from faults.record import OtherRun, Record, by_fault, result, seed_of
from faults.rounds import Round

ASKED = {"seed": 1, "faults": ["kill trino"]}
GOOD = Round(
    number=1,
    fault="kill trino",
    began="2026-11-24T12:00:00+00:00",
    outage_seconds=0.0,
    recovery_seconds={"bronze_raw": 2.0, "silver_detection": 4.0},
    settle_seconds=10.0,
    restarts={"simulator": 1, "replay": 0},
    messages=100,
    seconds=60.0,
)
FAILED = replace(GOOD, number=2, recovery_seconds={}, lost=3, trouble="lost 3")


def test_same_run_goes_on_behind_its_last_round_and_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    assert seed_of(path) is None
    first = Record(path, ASKED, afresh=False)
    assert first.next_number == 1
    for played in (replace(GOOD, number=0, fault="none"), GOOD, FAILED):
        first.add(played)
    again = Record(path, ASKED, afresh=False)
    assert again.rounds == first.rounds
    assert again.next_number == 3
    assert seed_of(path) == 1
    with pytest.raises(OtherRun, match=r"'seed': 1.*, not .*'seed': 2.*--afresh"):
        Record(path, {**ASKED, "seed": 2}, afresh=False)
    assert Record(path, {**ASKED, "seed": 2}, afresh=True).rounds == []


def test_table_has_median_and_worst_and_keeps_what_failed() -> None:
    slow = replace(GOOD, number=3, recovery_seconds={"bronze_raw": 8.0, "silver_detection": 5.0})
    rounds = [GOOD, FAILED, slow, replace(GOOD, number=0, fault="none")]
    calm, killed = by_fault(rounds)
    assert (calm["fault"], calm["rounds"]) == ("none", 1)
    assert (killed["rounds"], killed["lost"], killed["doubled"], killed["failed"]) == (3, 3, 0, 1)
    assert killed["bronze_raw_recovery_seconds"] == {"median": 5.0, "worst": 8.0}
    told = result(rounds, ASKED, {"cores": 2})
    assert (told["rounds"], told["lost"], told["failed"], told["minutes"]) == (3, 3, 1, 4.0)
