"""The draw: repeatable, and fair to every fault."""

from __future__ import annotations

import pytest

from faults.catalogue import EVERY_FAULT, Fault, Kind, chosen, draw


def test_every_fault_comes_once_before_any_comes_again() -> None:
    turns = 4
    drawn = [draw(7, number, EVERY_FAULT) for number in range(1, turns * len(EVERY_FAULT) + 1)]
    for turn in range(turns):
        played = drawn[turn * len(EVERY_FAULT) : (turn + 1) * len(EVERY_FAULT)]
        assert sorted(map(str, played)) == sorted(map(str, EVERY_FAULT))
    orders = {tuple(map(str, drawn[t * len(EVERY_FAULT) :][: len(EVERY_FAULT)])) for t in range(4)}
    assert len(orders) == turns


def test_seed_alone_decides() -> None:
    first, second = ([draw(seed, n, EVERY_FAULT) for n in range(1, 30)] for seed in (1, 2))
    assert first == [draw(1, n, EVERY_FAULT) for n in range(1, 30)]
    assert first != second


def test_faults_are_those_that_are_asked_for_in_issue_5() -> None:
    names = {str(each) for each in EVERY_FAULT}
    servers = ("flink-taskmanager", "flink-jobmanager", "pulsar", "minio", "catalog", "trino")
    everyone = (*servers, "simulator", "replay", "airflow-worker")
    assert {f"{kind} {each}" for kind in ("kill", "freeze") for each in everyone} <= names
    assert "fill the disk of minio" in names
    assert {f"cut off {each}" for each in servers} <= names
    assert all(each.seconds == (60, 60) for each in EVERY_FAULT if each.kind is Kind.CUT)


def test_names_choose_faults_and_an_unknown_one_is_named() -> None:
    assert chosen([]) == EVERY_FAULT
    assert chosen(["kill trino"]) == (Fault(Kind.KILL, "trino"),)
    with pytest.raises(ValueError, match="there is no fault 'kill grafana'; choose from: kill "):
        chosen(["kill trino", "kill grafana"])
