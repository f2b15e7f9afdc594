from __future__ import annotations

import asyncio
import inspect
import time
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string
from scripted_http import Answer, serving

from flink_rest.triggers import FlinkWaitTrigger

JOB = "0" * 32


def trigger(**changed: Any) -> FlinkWaitTrigger:
    arguments: dict[str, Any] = {
        "flink_conn_id": "flink",
        "job_id": JOB,
        "wait_for": "job_finishes",
        "deadline": time.time() + 30,
        "timeout_seconds": 30.0,
        "poll_interval_seconds": 0.01,
        "table": None,
        "cancel_on_kill": True,
    }
    return FlinkWaitTrigger(**arguments | changed)


def detail(state: str) -> Answer:
    tasks = {"RUNNING": 1 if state == "RUNNING" else 0}
    vertex = {"name": "Source", "parallelism": 1, "tasks": tasks}
    return 200, {"jid": JOB, "name": "gold_batch", "state": state, "vertices": [vertex]}


NO_FAILURES: Answer = 200, {"root-exception": None, "exceptionHistory": {"entries": []}}
ONE_FAILURE: Answer = (
    200,
    {
        "root-exception": None,
        "exceptionHistory": {
            "entries": [
                {"timestamp": 1, "stacktrace": "a.B: x\nCaused by: java.io.IOException: full"}
            ]
        },
    },
)


def first_event(trigger: FlinkWaitTrigger) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        async for event in trigger.run():
            payload: dict[str, Any] = event.payload
            return payload
        raise AssertionError("no event")

    return asyncio.run(run())


@pytest.mark.parametrize("wait_for", ["job_runs", "job_finishes", "checkpoint_committed"])
def test_serialized_trigger_is_made_again_the_same(wait_for: str) -> None:
    classpath, arguments = trigger(wait_for=wait_for, table="rva.bronze_raw").serialize()
    again = import_string(classpath)(**arguments)
    assert again.serialize() == (classpath, arguments)
    assert (arguments["wait_for"], arguments["table"]) == (wait_for, "rva.bronze_raw")
    assert set(arguments) == {*inspect.signature(FlinkWaitTrigger).parameters}


def test_unknown_wait_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="job_runs, job_finishes, checkpoint_committed"):
        trigger(wait_for="job_sleeps")


def test_event_comes_when_the_job_has_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        f"/jobs/{JOB}": [detail("RUNNING"), detail("RUNNING"), detail("FINISHED")],
        f"/jobs/{JOB}/exceptions": [NO_FAILURES],
    }
    with serving(answers) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        assert first_event(trigger()) == {"done": True, "job_id": JOB}


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "SUSPENDED"])
def test_job_that_ends_otherwise_is_told_with_its_root_cause(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    answers = {f"/jobs/{JOB}": [detail(state)], f"/jobs/{JOB}/exceptions": [ONE_FAILURE]}
    with serving(answers) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        event = first_event(trigger())
    assert event["done"] is False
    assert event["error"].endswith(f"is {state}: java.io.IOException: full")


def test_job_that_the_jobmanager_has_forgotten_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        event = first_event(trigger())
    assert f"Flink knows no job {JOB}" in event["error"]


def test_deadline_is_absolute_and_names_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {f"/jobs/{JOB}": [detail("RUNNING")], f"/jobs/{JOB}/exceptions": [NO_FAILURES]}
    with serving(answers) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        event = first_event(trigger(deadline=time.time() - 1, timeout_seconds=600.0))
    assert event["error"] == f"job {JOB} FINISHED did not happen within 600 s; last seen: RUNNING"


def test_flink_that_is_down_is_looked_at_until_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving({}) as server:
        nobody_listens_here = server.url
    monkeypatch.setenv("AIRFLOW_CONN_FLINK", nobody_listens_here)
    event = first_event(trigger(deadline=time.time() - 1))
    assert event["error"].endswith("last seen: nothing")


def test_missing_connection_is_told_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_FLINK", raising=False)
    event = first_event(trigger(flink_conn_id="flink"))
    assert "AIRFLOW_CONN_FLINK" in event["error"]
    assert event["may_heal"] is False


@pytest.mark.parametrize("cancel_on_kill", [True, False])
def test_killed_task_cancels_the_job_only_when_the_job_is_its_own(
    monkeypatch: pytest.MonkeyPatch, cancel_on_kill: bool
) -> None:
    with serving({f"/jobs/{JOB}": [(202, {})]}) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        asyncio.run(trigger(cancel_on_kill=cancel_on_kill).on_kill())
        cancelled = f"PATCH /jobs/{JOB}?mode=cancel" in server.asked
    assert cancelled is cancel_on_kill
