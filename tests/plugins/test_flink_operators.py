"""What the operators make of answers; the whole runs in DAGs on the real servers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.openlineage.extractors.base import DefaultExtractor
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from flink_tasks import NO_FAILURES, Serve, TaskState, context, detail

from flink_rest.errors import FlinkRestError, FreshStartRefused, JobFailed
from flink_rest.lineage import DatasetName
from flink_rest.operators import FlinkRunJobOperator
from flink_rest.sensors import FlinkJobRunningSensor
from flink_rest.tasks import failing_for_good, ids_of_tries


def batch(**changed: Any) -> FlinkRunJobOperator:
    arguments = {
        "task_id": "t",
        "job_name": "gold_batch",
        "script": "gold_batch.py",
        "batch": True,
        "poll_interval_seconds": 0.01,
    }
    return FlinkRunJobOperator(**arguments | changed)


def test_ids_differ_by_run_task_map_index_and_try() -> None:
    ids = {
        ids_of_tries(context())[0],  # type: ignore[arg-type]
        ids_of_tries(context(2))[0],  # type: ignore[arg-type]
        ids_of_tries(context(map_index=1))[0],  # type: ignore[arg-type]
        ids_of_tries(context(run_id="other"))[0],  # type: ignore[arg-type]
    }
    assert len(ids) == 4
    assert all(len(each) == 32 for each in ids)


def test_second_run_of_one_run_id_as_dags_test_makes_it_has_an_id_of_its_own() -> None:
    first, second = context(), context()
    second["dag_run"].run_after = datetime(2026, 11, 25, tzinfo=UTC)
    assert ids_of_tries(first) != ids_of_tries(second)  # type: ignore[arg-type]


def test_third_try_looks_at_its_own_id_first_and_then_at_those_before() -> None:
    own = [ids_of_tries(context(number))[0] for number in (3, 2, 1)]  # type: ignore[arg-type]
    assert ids_of_tries(context(3)) == own  # type: ignore[arg-type]


def test_retry_waits_for_the_job_of_the_try_before_instead_of_a_second_one(serve: Serve) -> None:
    first = ids_of_tries(context(1))[0]  # type: ignore[arg-type]
    server = serve({f"/jobs/{first}": [detail(first, "RUNNING"), detail(first, "FINISHED")]})
    again = context(2)
    assert batch().execute(again) == first  # type: ignore[arg-type]
    url = f"{server.url}/#/job/running/{first}/overview"
    assert again["ti"].pushed == {"job_id": first, "_link_FlinkJobLink": url}
    assert not [each for each in server.asked if each.startswith("POST")]


def test_job_that_has_finished_since_its_worker_died_is_done(serve: Serve) -> None:
    first = ids_of_tries(context(1))[0]  # type: ignore[arg-type]
    server = serve({f"/jobs/{first}": [detail(first, "FINISHED")]})
    again = context(2, state=TaskState({"job_id": first}))
    assert batch().execute(again) == first  # type: ignore[arg-type]
    assert not [each for each in server.asked if each.startswith("POST")]
    assert again["task_state_store"].get("job_id") is None


def test_task_that_is_cleared_after_it_has_succeeded_does_it_again(serve: Serve) -> None:
    second, first = ids_of_tries(context(2))  # type: ignore[arg-type]
    server = serve(
        {
            f"/jobs/{first}": [detail(first, "FINISHED")],
            f"/jobs/{second}": [(404, {"errors": ["not found"]})] * 2
            + [detail(second, "FINISHED")],
            "/jobs/overview": [(200, {"jobs": []})],
            "/jars/a/run": [(200, {"jobid": second})],
        }
    )
    again = context(2)
    assert batch().execute(again) == second  # type: ignore[arg-type]
    assert server.asked.count("POST /jars/a/run") == 1


def test_job_is_remembered_before_it_is_submitted_until_it_has_finished(serve: Serve) -> None:
    job_id = ids_of_tries(context())[0]  # type: ignore[arg-type]
    serve(
        {
            f"/jobs/{job_id}": [(404, {"errors": ["not found"]})] * 2,
            "/jobs/overview": [(200, {"jobs": []})],
            "/jars/a/run": [(500, {"errors": ["the worker dies here"]})],
        }
    )
    first = context(state=TaskState())
    with pytest.raises(FlinkRestError):
        batch().execute(first)  # type: ignore[arg-type]
    assert first["task_state_store"].get("job_id") == job_id


def test_job_of_an_earlier_try_that_has_failed_is_not_waited_for(serve: Serve) -> None:
    second, first = ids_of_tries(context(2))  # type: ignore[arg-type]
    server = serve(
        {
            f"/jobs/{first}": [detail(first, "FAILED")],
            f"/jobs/{second}": [(404, {"errors": ["not found"]})] * 2
            + [detail(second, "FINISHED")],
            "/jobs/overview": [(200, {"jobs": []})],
            "/jars/a/run": [(200, {"jobid": second})],
        }
    )
    assert batch().execute(context(2)) == second  # type: ignore[arg-type]
    assert "POST /jars/a/run" in server.asked


def test_job_that_its_own_try_cancels_after_all_is_followed_by_another(serve: Serve) -> None:
    second, first = ids_of_tries(context(2))  # type: ignore[arg-type]
    server = serve(
        {
            f"/jobs/{first}": [detail(first, "RUNNING"), detail(first, "CANCELED")],
            f"/jobs/{first}/exceptions": [NO_FAILURES],
            f"/jobs/{second}": [(404, {"errors": ["not found"]})] * 3
            + [detail(second, "FINISHED")],
            "/jobs/overview": [(200, {"jobs": []})],
            "/jars/a/run": [(200, {"jobid": second})],
        }
    )
    again = context(2)
    assert batch().execute(again) == second  # type: ignore[arg-type]
    assert again["ti"].pushed["job_id"] == second
    assert server.asked.count("POST /jars/a/run") == 1


def test_job_of_this_try_that_somebody_cancels_fails_the_task(serve: Serve) -> None:
    job_id = ids_of_tries(context())[0]  # type: ignore[arg-type]
    server = serve(
        {
            f"/jobs/{job_id}": [detail(job_id, "RUNNING"), detail(job_id, "CANCELED")],
            f"/jobs/{job_id}/exceptions": [NO_FAILURES],
        }
    )
    with pytest.raises(JobFailed, match="is CANCELED"):
        batch().execute(context())  # type: ignore[arg-type]
    assert "POST /jars/a/run" not in server.asked


def test_batch_that_takes_too_long_is_cancelled(serve: Serve) -> None:
    job_id = ids_of_tries(context())[0]  # type: ignore[arg-type]
    server = serve(
        {
            f"/jobs/{job_id}": [detail(job_id, "RUNNING")],
            f"/jobs/{job_id}/exceptions": [NO_FAILURES],
        }
    )
    with pytest.raises(FlinkRestError, match="last seen: RUNNING"):
        batch(timeout_seconds=0).execute(context())  # type: ignore[arg-type]
    assert f"PATCH /jobs/{job_id}?mode=cancel" in server.asked


def test_deferred_batch_hands_its_job_to_the_trigger(serve: Serve) -> None:
    job_id = ids_of_tries(context())[0]  # type: ignore[arg-type]
    serve(
        {
            f"/jobs/{job_id}": [detail(job_id, "RUNNING")],
            f"/jobs/{job_id}/exceptions": [NO_FAILURES],
        }
    )
    with pytest.raises(TaskDeferred) as caught:
        batch(deferrable=True).execute(context())  # type: ignore[arg-type]
    arguments = caught.value.trigger.serialize()[1]
    assert (arguments["job_id"], arguments["cancel_on_kill"]) == (job_id, True)


def test_batch_that_is_not_waited_for_is_left_when_it_is_submitted(serve: Serve) -> None:
    job_id = ids_of_tries(context())[0]  # type: ignore[arg-type]
    serve(
        {
            f"/jobs/{job_id}": [(404, {"errors": ["not found"]})] * 3,
            "/jobs/overview": [(200, {"jobs": []})],
            "/jars/a/run": [(200, {"jobid": job_id})],
        }
    )
    state = TaskState()
    left = batch(wait_for_termination=False)
    assert left.execute(context(state=state)) == job_id  # type: ignore[arg-type]
    # cleared, the task submits another
    assert state == {}


def test_killed_streaming_task_leaves_the_job_to_the_cluster(serve: Serve) -> None:
    job = {"jid": "a" * 32, "name": "bronze", "state": "RUNNING", "start-time": 1}
    server = serve({"/jobs/overview": [(200, {"jobs": [job | {"tasks": {"total": 1}}]})]})
    operator = FlinkRunJobOperator(task_id="t", job_name="bronze", script="bronze.py")
    told = context()
    assert operator.execute(told) == "a" * 32  # type: ignore[arg-type]
    assert told["ti"].pushed == {
        "job_id": "a" * 32,
        "_link_FlinkJobLink": f"{server.url}/#/job/running/{'a' * 32}/overview",
        "how": "adopted",
        "restored_from": None,
    }
    operator.on_kill()
    assert not [each for each in server.asked if each.startswith("PATCH")]


def test_job_that_nobody_has_started_is_left_where_the_operator_may_not(serve: Serve) -> None:
    server = serve({"/jobs/overview": [(200, {"jobs": []})]})
    operator = FlinkRunJobOperator(task_id="t", job_name="gold", script="gold.py", start=False)
    assert operator.execute(context()) is None  # type: ignore[arg-type]
    assert not [each for each in server.asked if each.startswith("POST")]


@pytest.mark.parametrize(("leave", "left"), [(True, True), (False, False)])
def test_job_that_somebody_has_cancelled_is_left_where_the_operator_shall(
    serve: Serve, tmp_path: Path, leave: bool, left: bool
) -> None:
    checkpoint = tmp_path / "checkpoints" / "gold" / "x" / "chk-1"
    checkpoint.mkdir(parents=True)
    (checkpoint / "_metadata").write_bytes(b"m")
    cancelled = {"jid": "a" * 32, "name": "gold", "state": "CANCELED", "start-time": 1}
    server = serve(
        {
            "/jobs/overview": [(200, {"jobs": [cancelled | {"tasks": {"total": 1}}]})],
            "/jars/a/run": [(200, {"jobid": "b" * 32})],
        }
    )
    operator = FlinkRunJobOperator(
        task_id="t", job_name="gold", script="gold.py", start=False, leave_ended_by_hand=leave
    )
    assert operator.execute(context()) == (None if left else "b" * 32)  # type: ignore[arg-type]
    assert ("POST /jars/a/run" in server.asked) is not left


@pytest.mark.parametrize(("rebuild", "asked"), [("True", True), ("False", False), (False, False)])
def test_rebuild_is_read_from_a_template(serve: Serve, rebuild: bool | str, asked: bool) -> None:
    job = {"jid": "a" * 32, "name": "bronze", "state": "RUNNING", "start-time": 1}
    serve({"/jobs/overview": [(200, {"jobs": [job | {"tasks": {"total": 1}}]})]})
    operator = FlinkRunJobOperator(
        task_id="t", job_name="bronze", script="bronze.py", rebuild=rebuild
    )
    if not asked:
        assert operator.execute(context()) == "a" * 32  # type: ignore[arg-type]
        return
    with pytest.raises(AirflowFailException, match="before it is started anew"):
        operator.execute(context())  # type: ignore[arg-type]


def test_sensor_fails_for_good_when_the_job_has_ended(serve: Serve) -> None:
    job_id = "b" * 32
    serve(
        {
            f"/jobs/{job_id}": [detail(job_id, "FAILED")],
            f"/jobs/{job_id}/exceptions": [NO_FAILURES],
        }
    )
    sensor = FlinkJobRunningSensor(task_id="t", job_id=job_id, deferrable=True)
    with pytest.raises(AirflowFailException, match="Clear the task that ensures gold_batch"):
        sensor.execute(context())  # type: ignore[arg-type]


def test_sensor_in_poke_mode_tells_which_tasks_do_not_run(serve: Serve) -> None:
    job_id = "b" * 32
    waiting = {"name": "Source", "parallelism": 2, "tasks": {"RUNNING": 1}}
    running = 200, {"jid": job_id, "name": "bronze", "state": "RUNNING", "vertices": [waiting]}
    serve({f"/jobs/{job_id}": [running], f"/jobs/{job_id}/exceptions": [NO_FAILURES]})
    sensor = FlinkJobRunningSensor(task_id="t", job_id=job_id, timeout=0.05, poke_interval=0.01)
    with pytest.raises(FlinkRestError, match=r"\(Source 1/2\); 8 of 8 task slots are free"):
        sensor.execute(context())  # type: ignore[arg-type]


def test_error_that_cannot_heal_is_not_tried_again() -> None:
    with pytest.raises(AirflowFailException, match="12 rows"), failing_for_good():
        raise FreshStartRefused("bronze", {"rva.bronze_raw": 12}, "/checkpoints/bronze", "rebuild")


def test_lineage_names_what_a_job_reads_and_writes_and_at_its_end_the_job(serve: Serve) -> None:
    first = ids_of_tries(context(1))[0]  # type: ignore[arg-type]
    server = serve({f"/jobs/{first}": [detail(first, "RUNNING"), detail(first, "FINISHED")]})
    topic = DatasetName("pulsar://broker:6650", "persistent://a/b/c")
    table = ("trino://trino:8082", "lakehouse.rva.bronze_raw")
    task = batch(reads=[topic], writes=[table])
    begun = DefaultExtractor(task).extract()
    assert [(each.namespace, each.name) for each in begun.inputs] == [topic]
    assert begun.run_facets == {}
    task.execute(context(2))  # type: ignore[arg-type]
    # a failure tells the same
    told = DefaultExtractor(task).extract_on_failure(None)
    assert [(each.namespace, each.name) for each in told.outputs] == [table]
    asked = told.run_facets["externalQuery"]
    assert (asked.externalQueryId, asked.source) == (first, server.url)


def test_job_that_was_left_alone_has_read_and_written_nothing() -> None:
    task = batch(batch=False, reads=[("pulsar://broker:6650", "topic")])
    assert DefaultExtractor(task).extract_on_complete(None) is None


def test_datasets_of_a_job_are_templated() -> None:
    task = batch(reads=[DatasetName("pulsar://broker:6650", "{{ params.topic }}")])
    task.render_template_fields({"params": {"topic": "t"}})
    assert task.reads == [DatasetName("pulsar://broker:6650", "t")]
