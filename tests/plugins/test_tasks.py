"""The one line that a task writes when it fails."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from store_pipeline import tasks


def context(error: BaseException | None, map_index: int | None = -1) -> Any:
    ti = SimpleNamespace(
        dag_id="d", task_id="t", run_id="manual__1", try_number=2, map_index=map_index
    )
    return {"ti": ti, "exception": error}


@pytest.mark.parametrize(
    ("error", "map_index", "told"),
    [
        (ValueError("no such video"), -1, "d.t of run manual__1 failed on try 2: ValueError: no"),
        (ValueError("a\nb"), 0, "d.t[0] of run manual__1 failed on try 2: ValueError: a. "),
        (RuntimeError(), None, "d.t of run manual__1 failed on try 2: RuntimeError. "),
    ],
)
def test_failure_is_one_line_with_where_why_and_what_to_do(
    caplog: pytest.LogCaptureFixture, error: BaseException, map_index: int | None, told: str
) -> None:
    with caplog.at_level(logging.WARNING, logger=tasks.__name__):
        tasks.tell_failure(context(error, map_index))
        tasks.tell_retry(context(error, map_index))
    failed, tried_again = caplog.records
    assert failed.getMessage().startswith(told)
    assert "When a step fails" in failed.getMessage()
    assert (failed.levelname, tried_again.levelname) == ("ERROR", "WARNING")
    assert tried_again.getMessage().endswith("It will be tried again")
    assert all("\n" not in each.getMessage() for each in caplog.records)
