"""Which days a run of `gold_follows_silver` rebuilds."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from store_pipeline.assets import SILVER
from store_pipeline.rebuilding import ended_days

RUN = SimpleNamespace(run_after=datetime(2026, 11, 25, 0, 30, tzinfo=UTC))


def event(extra: Any) -> Any:
    return SimpleNamespace(extra=extra, source_dag_id="d", source_task_id="t")


def test_ended_days_of_all_updates_are_rebuilt_once_each() -> None:
    events = {
        SILVER: [
            event({"days": ["2026-11-24", "2026-11-25"]}),
            event({"days": ["2026-11-23", "2026-11-24"]}),
            event({"days": []}),
        ]
    }
    assert ended_days(events, RUN) == [{"day": "2026-11-23"}, {"day": "2026-11-24"}]


@pytest.mark.parametrize("events", [None, {}, {SILVER: []}])
def test_run_without_updates_rebuilds_nothing(events: Any) -> None:
    assert ended_days(events, RUN) == []


@pytest.mark.parametrize("extra", [None, {}, {"days": None}, {"days": ["soon"]}, {"days": [7]}])
def test_update_that_names_no_days_is_told_with_its_source(extra: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"by d\.t names no days"):
        ended_days({SILVER: [event(extra)]}, RUN)
