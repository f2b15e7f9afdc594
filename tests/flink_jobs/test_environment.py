"""What every job of a kind is set up with."""

from __future__ import annotations

import pytest

from flink_jobs import environment, sql
from flink_jobs.settings import Connections, JobSettings


@pytest.mark.parametrize(("streaming", "merged_beside"), [(False, "false"), (True, "true")])
def test_batch_merges_its_sorts_in_the_tasks_own_thread(
    monkeypatch: pytest.MonkeyPatch, streaming: bool, merged_beside: str
) -> None:
    """Else Flink mixes up rows of a day that is larger than its memory (ADR 022)."""
    in_memory = "CREATE CATALOG lakehouse WITH ('type' = 'generic_in_memory')"
    monkeypatch.setattr(sql, "catalog", lambda _: in_memory)
    job = JobSettings(job="gold_batch", connections=Connections())
    config = environment.create(job, streaming=streaming).get_config()
    assert config.get("table.exec.sort.async-merge-enabled", "true") == merged_beside
