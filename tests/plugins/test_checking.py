"""The DAGs' checks of quality: for which days they run, what is tried again, what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from lakehouse import catalog
from lakehouse.quality import record
from lakehouse.quality.checking import Outcome, Result
from lakehouse.quality.checks import Check
from lakehouse.quality.errors import ChecksNotRun
from store_pipeline import checking
from trino_checks import answers

RUN = SimpleNamespace(dag_id="retail_video_analytics", run_id="manual 1")
Finding = Callable[..., list[tuple[list[str], list[date], str]]]


@pytest.fixture
def finding(monkeypatch: pytest.MonkeyPatch) -> Finding:
    """Let the first check of each day come out as given, the others pass; returns what was run."""

    def finding(outcome: Outcome) -> list[tuple[list[str], list[date], str]]:
        asked: list[tuple[list[str], list[date], str]] = []

        def check_days(
            _: object, __: object, checks: Sequence[Check], days: Sequence[date], *, owner: str
        ) -> list[Result]:
            asked.append((sorted({each.layer for each in checks}), list(days), owner))
            first, *others = checks
            return [
                Result(each, day, outcome if each is first else Outcome.PASS, 0.1, 0, 1)
                for day in days
                for each in (first, *others)
            ]

        monkeypatch.setattr(catalog, "connect", lambda _: None)
        monkeypatch.setattr(record, "check_days", check_days)
        return asked

    return finding


def test_each_day_is_checked_once_and_the_run_is_named(finding: Finding) -> None:
    asked = finding(Outcome.WARN)
    days = [["2026-11-25"], ["2026-11-24", "2026-11-25"]]
    told = checking.check("silver", days, dag_run=RUN)
    wanted = [date(2026, 11, 24), date(2026, 11, 25)]
    assert asked == [(["silver"], wanted, "retail_video_analytics manual 1")]
    assert told == {"pass": 10, "warn": 2, "fail": 0, "error": 0}


def test_violation_fails_for_good_and_what_was_not_run_is_tried_again(finding: Finding) -> None:
    finding(Outcome.FAIL)
    with pytest.raises(AirflowFailException, match="silver/detections_arrived 2026-11-24 fail"):
        checking.check("silver", [["2026-11-24"]], dag_run=RUN)
    finding(Outcome.ERROR)
    with pytest.raises(ChecksNotRun):
        checking.check("silver", [["2026-11-24"]], dag_run=RUN)


def test_days_received_are_asked_for_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    days = {"r1": ["2026-11-25", "2026-11-24"], "r2": ["2026-11-25", "2026-11-26"]}

    def ask(conn_id: str, check: str, query: Any) -> tuple[list[str], list[list[str]]]:
        asked.append((conn_id, check, query.values))
        return ["day"], [[day] for day in days[query.values[-1]]]

    monkeypatch.setattr(answers, "ask", ask)
    summaries = [
        {"store_id": "store_01", "camera_id": f"cam_{run}", "run_id": run, "frames": 7}
        for run in days
    ]
    assert checking.days_received(summaries) == ["2026-11-24", "2026-11-25", "2026-11-26"]
    assert asked == [("trino", "days_received", ("store_01", f"cam_{run}", run)) for run in days]
