from __future__ import annotations

import asyncio
import inspect
import json
import time
from contextlib import closing
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string
from flink_tasks import DISK_FULL, NO_FAILURES, checkpoints, detail
from scripted_http import serving

from flink_rest.client import FlinkClient
from flink_rest.kinds import WaitFor, make_wait
from flink_rest.pulsar import PulsarAdmin
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
        "facts": {},
        "cancel_on_kill": True,
    }
    return FlinkWaitTrigger(**arguments | changed)


def first_event(trigger: FlinkWaitTrigger) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        async for event in trigger.run():
            payload: dict[str, Any] = event.payload
            return payload
        raise AssertionError("no event")

    return asyncio.run(run())


FACTS: dict[WaitFor, dict[str, Any]] = {
    WaitFor.JOB_RUNS: {},
    WaitFor.JOB_FINISHES: {},
    WaitFor.CHECKPOINT_COMMITTED: {"table": "rva.bronze_raw"},
    WaitFor.JOB_REACHES: {"statuses": ["RUNNING", "FINISHED"]},
    WaitFor.JOB_ENDS: {},
    WaitFor.JOB_STOPS: {"directory": "/s", "request_ids": ["1" * 32], "earlier_ids": []},
    WaitFor.CHECKPOINT_AFTER: {"after": "2026-11-24T10:15:00+00:00"},
    WaitFor.TABLE_COMMITTED: {"table": "rva.bronze_raw", "checkpoint_id": 7, "since": None},
    WaitFor.BACKLOG_DRAINED: {
        "topic": "persistent://retail/metadata/events",
        "subscription": "bronze",
        "pulsar_admin_conn_id": "pulsar_admin",
    },
}


@pytest.mark.parametrize("wait_for", WaitFor)
def test_serialized_trigger_is_made_again_the_same_from_json(wait_for: WaitFor) -> None:
    classpath, arguments = trigger(wait_for=wait_for, facts=FACTS[wait_for]).serialize()
    again = import_string(classpath)(**json.loads(json.dumps(arguments)))
    assert again.serialize() == (classpath, arguments)
    assert (arguments["wait_for"], arguments["facts"]) == (str(wait_for), FACTS[wait_for])
    assert set(arguments) == {*inspect.signature(FlinkWaitTrigger).parameters}


@pytest.mark.parametrize("wait_for", WaitFor)
def test_what_a_trigger_carries_makes_its_wait(wait_for: WaitFor) -> None:
    with FlinkClient() as client, closing(PulsarAdmin()) as pulsar:
        wait = make_wait(client, wait_for, JOB, FACTS[wait_for], pulsar=pulsar)
        assert "did not happen within 5 s" in str(wait.too_late(5))


def test_unknown_wait_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="job_runs, job_finishes, checkpoint_committed"):
        trigger(wait_for="job_sleeps")


def test_event_comes_when_the_job_has_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        f"/jobs/{JOB}": [detail(JOB, "RUNNING"), detail(JOB, "RUNNING"), detail(JOB, "FINISHED")],
        f"/jobs/{JOB}/exceptions": [NO_FAILURES],
    }
    with serving(answers) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        event = first_event(trigger())
    assert event == {"done": True, "job_id": JOB, "outcome": {"status": "FINISHED"}}


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "SUSPENDED"])
def test_job_that_ends_otherwise_is_told_with_its_root_cause(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    answers = {f"/jobs/{JOB}": [detail(JOB, state)], f"/jobs/{JOB}/exceptions": [DISK_FULL]}
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
    answers = {f"/jobs/{JOB}": [detail(JOB, "RUNNING")], f"/jobs/{JOB}/exceptions": [NO_FAILURES]}
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


def test_trigger_that_is_started_again_finds_the_stop_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = FACTS[WaitFor.JOB_STOPS]
    complete = {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s/1"}}
    answers = {
        f"/jobs/{JOB}": [detail(JOB, "RUNNING"), detail(JOB, "FINISHED")],
        f"/jobs/{JOB}/savepoints/{facts['request_ids'][0]}": [(200, complete)],
    }
    with serving(answers) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        event = first_event(trigger(wait_for="job_stops", facts=facts))
        assert not [each for each in server.asked if each.startswith("POST")]
    assert event == {"done": True, "job_id": JOB, "outcome": {"savepoint": "file:/s/1"}}


def test_cancel_in_the_triggerer_ends_with_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({f"/jobs/{JOB}": [detail(JOB, "CANCELLING"), detail(JOB, "CANCELED")]}) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        event = first_event(trigger(wait_for="job_ends"))
    assert event == {"done": True, "job_id": JOB, "outcome": {"status": "CANCELED"}}


def test_backlog_is_asked_of_the_broker_behind_its_own_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = "/admin/v2/persistent/retail/metadata/events/stats"
    left = [{"subscriptions": {"bronze": {"msgBacklog": n}}} for n in (2, 0)]
    flink = {f"/jobs/{JOB}": [detail(JOB, "RUNNING")], f"/jobs/{JOB}/exceptions": [NO_FAILURES]}
    with serving(flink) as server, serving({path: [(200, each) for each in left]}) as broker:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        monkeypatch.setenv("AIRFLOW_CONN_PULSAR_ADMIN", broker.url)
        wait_for = WaitFor.BACKLOG_DRAINED
        event = first_event(trigger(wait_for=wait_for, facts=FACTS[wait_for]))
    assert event == {"done": True, "job_id": JOB}


def test_missing_connection_to_the_broker_is_told_and_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FLINK", "http://127.0.0.1:1")
    monkeypatch.delenv("AIRFLOW_CONN_PULSAR_ADMIN", raising=False)
    wait_for = WaitFor.BACKLOG_DRAINED
    event = first_event(trigger(wait_for=wait_for, facts=FACTS[wait_for]))
    assert "AIRFLOW_CONN_PULSAR_ADMIN" in event["error"]
    assert event["may_heal"] is False


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "SUSPENDED", "FINISHED"])
@pytest.mark.parametrize("wait_for", ["job_runs", "job_reaches", "checkpoint_after", "job_stops"])
def test_end_that_was_not_waited_for_is_told_for_good_with_its_root_cause(
    monkeypatch: pytest.MonkeyPatch, wait_for: str, state: str
) -> None:
    facts = FACTS[WaitFor(wait_for)]
    if wait_for == "job_reaches":
        facts = {"statuses": ["RUNNING"]}
    answers = {
        f"/jobs/{JOB}": [detail(JOB, state)],
        f"/jobs/{JOB}/exceptions": [DISK_FULL],
        f"/jobs/{JOB}/checkpoints": [checkpoints()],
    }
    with serving(answers) as server:
        monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
        event = first_event(trigger(wait_for=wait_for, facts=facts))
    assert f"is {state}: java.io.IOException: full" in event["error"]
    assert (event["done"], event["may_heal"]) == (False, False)
