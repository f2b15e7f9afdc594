"""Jobs that are stopped with a savepoint, or cancelled: once, whatever dies meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from flink_tasks import (
    DISK_FULL,
    NO_FAILURES,
    NOT_FOUND,
    Serve,
    TaskState,
    checkpoints,
    context,
    detail,
    listed,
)
from scripted_http import Answer, ScriptedServer

from flink_rest.errors import DeadlinePassed, FlinkRestError, SavepointFailed
from flink_rest.operators import FlinkCancelJobOperator, FlinkStopWithSavepointOperator
from flink_rest.records import JobStatus
from flink_rest.stopping import ATTEMPTS, request_ids
from flink_rest.tasks import ids_of_tries

JOB, OTHER = "a" * 32, "b" * 32
IN_PROGRESS: Answer = 200, {"status": {"id": "IN_PROGRESS"}, "operation": None}
OF_STOP = {"checkpoint_type": "SYNC_SAVEPOINT", "external_path": "file:/s/savepoint-a-1"}


def complete(location: str = "file:/s/savepoint-a-1") -> Answer:
    return 200, {"status": {"id": "COMPLETED"}, "operation": {"location": location}}


def failed(cause: str) -> Answer:
    operation = {"failure-cause": {"class": "x", "stack-trace": f"a.B: x\nCaused by: {cause}"}}
    return 200, {"status": {"id": "COMPLETED"}, "operation": operation}


def stop(**changed: Any) -> FlinkStopWithSavepointOperator:
    arguments: dict[str, Any] = {"task_id": "t", "poll_interval_seconds": 0.01}
    if "job_name" not in changed:
        arguments["job_id"] = JOB
    return FlinkStopWithSavepointOperator(**arguments | changed)


def cancel(**changed: Any) -> FlinkCancelJobOperator:
    arguments: dict[str, Any] = {"task_id": "t", "poll_interval_seconds": 0.01}
    if "job_name" not in changed:
        arguments["job_id"] = JOB
    return FlinkCancelJobOperator(**arguments | changed)


def asked_under(try_number: int) -> list[str]:
    """The ids under which a try of the task asks, the first one first."""
    return request_ids(ids_of_tries(context(try_number))[0])  # type: ignore[arg-type]


def request(try_number: int = 1, number: int = 0, *, job_id: str = JOB) -> str:
    return f"/jobs/{job_id}/savepoints/{asked_under(try_number)[number]}"


def stoppable(*after: Answer, job_id: str = JOB, try_number: int = 1) -> dict[str, list[Answer]]:
    """A job that runs and, asked to, stops; `after` is how the request stands then."""
    return {
        f"/jobs/{job_id}": [detail(job_id, "RUNNING")] * 3 + [detail(job_id, "FINISHED")],
        f"/jobs/{job_id}/exceptions": [NO_FAILURES],
        f"/jobs/{job_id}/stop": [(202, {"request-id": "c" * 32})],
        request(try_number, job_id=job_id): [NOT_FOUND, *after],
    }


def stops(server: ScriptedServer) -> int:
    return len([each for each in server.asked if each.endswith("/stop")])


def test_job_is_stopped_and_the_savepoint_told(serve: Serve, tmp_path: Path) -> None:
    server = serve(stoppable(IN_PROGRESS, complete()))
    told = context()
    assert stop().execute(told) == "file:/s/savepoint-a-1"
    assert told["ti"].pushed["job_id"] == JOB
    assert server.sent == [
        {
            "targetDirectory": f"{tmp_path}/checkpoints/gold_batch/savepoints",
            "drain": False,
            "triggerId": asked_under(1)[0],
        }
    ]


def test_savepoint_is_made_where_one_is_told_to(serve: Serve) -> None:
    server = serve(stoppable(complete()))
    stop(directory="s3://elsewhere").execute(context())
    assert server.sent[0]["targetDirectory"] == "s3://elsewhere"


def test_try_after_a_workers_death_finds_the_request_of_the_one_before(serve: Serve) -> None:
    answers = stoppable() | {request(1): [IN_PROGRESS, IN_PROGRESS, complete()]}
    server = serve(answers)
    assert stop().execute(context(2)) == "file:/s/savepoint-a-1"
    assert stops(server) == 0


def test_same_try_that_goes_on_elsewhere_does_not_ask_again(serve: Serve) -> None:
    server = serve(stoppable() | {request(1): [IN_PROGRESS, complete()]})
    stop().execute(context(1))
    assert stops(server) == 0


def test_request_whose_answer_was_lost_is_repeated_under_the_same_id(serve: Serve) -> None:
    answers = stoppable(NOT_FOUND, complete())
    server = serve(answers)
    stop().execute(context())
    assert stops(server) == 2
    assert {each["triggerId"] for each in server.sent} == {asked_under(1)[0]}


def test_try_long_after_the_stop_gives_the_savepoint_of_the_ended_job(serve: Serve) -> None:
    server = serve(
        {
            f"/jobs/{JOB}": [detail(JOB, "FINISHED")],
            f"/jobs/{JOB}/exceptions": [NO_FAILURES],
            f"/jobs/{JOB}/checkpoints": [checkpoints(savepoint=OF_STOP)],
        }
    )
    assert stop().execute(context(2)) == "file:/s/savepoint-a-1"
    assert stops(server) == 0


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "SUSPENDED", "FINISHED"])
def test_job_that_has_ended_otherwise_fails_at_once_with_its_root_cause(
    serve: Serve, state: str
) -> None:
    an_ordinary_one = OF_STOP | {"checkpoint_type": "SAVEPOINT"}
    server = serve(
        {
            f"/jobs/{JOB}": [detail(JOB, state)],
            f"/jobs/{JOB}/checkpoints": [checkpoints(savepoint=an_ordinary_one)],
            f"/jobs/{JOB}/exceptions": [DISK_FULL],
        }
    )
    with pytest.raises(AirflowFailException, match=rf"is {state}: java.io.IOException: full"):
        stop().execute(context())
    assert stops(server) == 0


def test_try_after_a_failed_one_asks_anew(serve: Serve) -> None:
    answers = stoppable(complete(), try_number=2) | {request(1): [failed("disk full")]}
    server = serve(answers)
    assert stop().execute(context(2)) == "file:/s/savepoint-a-1"
    assert server.sent[0]["triggerId"] == asked_under(2)[0]


def test_savepoint_that_fails_is_told_with_its_cause_and_may_be_tried_again(serve: Serve) -> None:
    serve(stoppable(failed("java.io.IOException: disk full")))
    with pytest.raises(SavepointFailed, match=r"gold_batch .* java.io.IOException: disk full"):
        stop().execute(context())
    assert SavepointFailed.may_heal


def test_savepoint_that_met_a_task_at_its_end_is_asked_for_under_the_next_id(serve: Serve) -> None:
    ending = failed("CheckpointException: Task local checkpoint failure.")
    server = serve(stoppable(ending) | {request(number=1): [NOT_FOUND, complete()]})
    assert stop().execute(context()) == "file:/s/savepoint-a-1"
    assert [each["triggerId"] for each in server.sent] == asked_under(1)[:2]


def test_savepoint_that_always_meets_such_a_task_is_given_up(serve: Serve) -> None:
    ending = failed("CheckpointException: Task local checkpoint failure.")
    serve(stoppable() | {request(number=number): [ending] for number in range(ATTEMPTS)})
    with pytest.raises(SavepointFailed, match="Task local checkpoint failure"):
        stop().execute(context())


def test_job_that_comes_up_is_asked_only_when_all_its_tasks_run(serve: Serve) -> None:
    coming_up = [detail(JOB, "CREATED")] * 4
    server = serve(stoppable(NOT_FOUND) | {f"/jobs/{JOB}": coming_up})
    with pytest.raises(DeadlinePassed, match="last seen: CREATED, waiting tasks: Source 0/1"):
        stop(timeout_seconds=0.05).execute(context())
    assert stops(server) == 0


def test_stop_that_takes_too_long_tells_what_is_missing(serve: Serve) -> None:
    serve(stoppable(complete()) | {f"/jobs/{JOB}": [detail(JOB, "RUNNING")]})
    with pytest.raises(DeadlinePassed, match=r"last seen: savepoint file:/s/.*, job not ended"):
        stop(timeout_seconds=0.05).execute(context())


def test_forgotten_job_whose_savepoint_is_complete_is_stopped(serve: Serve) -> None:
    answers = stoppable(complete())
    serve(answers | {f"/jobs/{JOB}": [detail(JOB, "RUNNING")] * 3 + [NOT_FOUND]})
    assert stop().execute(context()) == "file:/s/savepoint-a-1"


def test_unknown_job_is_told_so(serve: Serve) -> None:
    serve({})
    with pytest.raises(FlinkRestError, match=f"Flink knows no job {JOB}"):
        stop().execute(context())


def test_server_error_is_told_with_its_cause(serve: Serve) -> None:
    serve(stoppable() | {f"/jobs/{JOB}/stop": [(500, {"errors": ["Caused by: a.B: no"]})]})
    with pytest.raises(FlinkRestError, match=r"POST .*/stop with 500: a\.B: no"):
        stop().execute(context())


def test_deferred_stop_is_asked_for_by_the_worker_and_waited_for_by_the_trigger(
    serve: Serve,
) -> None:
    server = serve(stoppable(IN_PROGRESS))
    with pytest.raises(TaskDeferred) as caught:
        stop(deferrable=True).execute(context(2))
    arguments = caught.value.trigger.serialize()[1]
    assert arguments["wait_for"] == "job_stops"
    assert arguments["cancel_on_kill"] is False
    assert arguments["facts"]["request_ids"] == asked_under(2)
    assert arguments["facts"]["earlier_ids"] == asked_under(1)
    assert stops(server) == 1
    event = {"done": True, "job_id": JOB, "outcome": {"savepoint": "file:/s/1"}}
    assert stop().execute_complete(context(), event) == "file:/s/1"


def test_deferred_stop_that_is_done_at_once_is_not_deferred(serve: Serve) -> None:
    serve(stoppable() | {request(1): [complete()], f"/jobs/{JOB}": [detail(JOB, "FINISHED")]})
    assert stop(deferrable=True).execute(context()) == "file:/s/savepoint-a-1"


def test_what_the_trigger_found_fails_the_task(serve: Serve) -> None:
    serve({})
    with pytest.raises(AirflowFailException, match="full"):
        stop().execute_complete(
            context(), {"done": False, "job_id": JOB, "error": "full", "may_heal": False}
        )


def test_killed_stop_leaves_flink_to_complete_it(serve: Serve) -> None:
    server = serve(stoppable())
    stop().on_kill()
    assert server.asked == []


@pytest.mark.parametrize("other", ["FINISHED", "CANCELLING"])
def test_name_means_the_job_that_runs_and_not_one_that_has_ended_or_is_ending(
    serve: Serve, other: str
) -> None:
    jobs = [(OTHER, "gold", other, 2), (JOB, "gold", "RUNNING", 1)]
    serve(stoppable(complete()) | {"/jobs/overview": [listed(*jobs)]})
    told = context()
    stop(job_name="gold").execute(told)
    assert told["ti"].pushed["job_id"] == JOB


def test_name_means_the_newest_that_has_ended_where_none_runs(serve: Serve) -> None:
    jobs = [(JOB, "gold", "FINISHED", 2), (OTHER, "gold", "FAILED", 1)]
    serve(
        {
            "/jobs/overview": [listed(*jobs)],
            f"/jobs/{JOB}": [detail(JOB, "FINISHED")],
            f"/jobs/{JOB}/exceptions": [NO_FAILURES],
            f"/jobs/{JOB}/checkpoints": [checkpoints(savepoint=OF_STOP)],
        }
    )
    assert stop(job_name="gold").execute(context()) == "file:/s/savepoint-a-1"


def test_job_of_a_name_that_was_started_after_the_stop_is_left_by_the_next_try(
    serve: Serve,
) -> None:
    state = TaskState(job_id=JOB)
    server = serve(
        {
            "/jobs/overview": [listed((OTHER, "gold", "RUNNING", 2))],
            f"/jobs/{JOB}": [detail(JOB, "FINISHED")],
            f"/jobs/{JOB}/exceptions": [NO_FAILURES],
            f"/jobs/{JOB}/checkpoints": [checkpoints(savepoint=OF_STOP)],
        }
    )
    assert stop(job_name="gold").execute(context(2, state=state)) == "file:/s/savepoint-a-1"
    assert stops(server) == 0
    assert state == {}


@pytest.mark.parametrize("before", ["FAILED", "CANCELED", None])
def test_job_of_an_earlier_try_that_cannot_be_stopped_any_more_gives_way(
    serve: Serve, before: str | None
) -> None:
    state = TaskState(job_id=OTHER)
    serve(
        stoppable(complete(), try_number=2)
        | {
            "/jobs/overview": [listed((JOB, "gold", "RUNNING", 2))],
            f"/jobs/{OTHER}": [detail(OTHER, before) if before else NOT_FOUND],
        }
    )
    told = context(2, state=state)
    stop(job_name="gold").execute(told)
    assert told["ti"].pushed["job_id"] == JOB


def test_which_job_a_name_meant_is_kept_until_the_task_has_succeeded(serve: Serve) -> None:
    state = TaskState()
    serve(
        stoppable(failed("disk full")) | {"/jobs/overview": [listed((JOB, "gold", "RUNNING", 1))]}
    )
    with pytest.raises(SavepointFailed):
        stop(job_name="gold").execute(context(state=state))
    assert state == {"job_id": JOB}


def test_two_jobs_of_a_name_are_told(serve: Serve) -> None:
    jobs = [(OTHER, "gold", "RUNNING", 2), (JOB, "gold", "RUNNING", 1)]
    serve({"/jobs/overview": [listed(*jobs)]})
    with pytest.raises(AirflowFailException, match=f"2 jobs named gold .*{OTHER}, {JOB}"):
        stop(job_name="gold").execute(context())


def test_name_that_no_job_has_is_told_with_those_that_there_are(serve: Serve) -> None:
    serve({"/jobs/overview": [listed((OTHER, "silver", "RUNNING", 1))]})
    with pytest.raises(AirflowFailException, match=r"no job named gold \(it knows: silver\)"):
        stop(job_name="gold").execute(context())


@pytest.mark.parametrize("operator", [FlinkStopWithSavepointOperator, FlinkCancelJobOperator])
@pytest.mark.parametrize("given", [{}, {"job_id": JOB, "job_name": "gold"}])
def test_either_an_id_or_a_name_is_given(operator: type, given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either job_id or job_name"):
        operator(task_id="t", **given)


@pytest.mark.parametrize("job_id", [None, "None", "", "../jars"])
def test_id_that_a_template_made_of_nothing_fails_for_good(
    serve: Serve, job_id: str | None
) -> None:
    server = serve({})
    for operator in (stop(), cancel()):
        operator.job_id = job_id
        with pytest.raises(AirflowFailException, match="not a Flink id"):
            operator.execute(context())
    assert server.asked == []


def test_job_is_cancelled_once_and_waited_for(serve: Serve) -> None:
    states = ["RUNNING", "CANCELLING", "CANCELLING", "CANCELED"]
    server = serve({f"/jobs/{JOB}": [detail(JOB, state) for state in states]})
    # the fake gives each request of the path its next answer, the PATCH too
    assert cancel().execute(context()) == "CANCELED"
    assert server.asked.count(f"PATCH /jobs/{JOB}?mode=cancel") == 1


@pytest.mark.parametrize("state", sorted(each for each in JobStatus if each.is_terminal))
def test_job_that_has_ended_is_not_cancelled(serve: Serve, state: str) -> None:
    server = serve({f"/jobs/{JOB}": [detail(JOB, state)]})
    assert cancel().execute(context()) == state
    assert not [each for each in server.asked if each.startswith("PATCH")]


def test_unknown_job_is_nothing_to_cancel(serve: Serve) -> None:
    serve({"/jobs/overview": [listed()]})
    assert cancel().execute(context()) is None
    assert cancel(job_name="gold").execute(context()) is None


def test_cancel_of_a_name_takes_the_one_that_runs_and_keeps_to_it(serve: Serve) -> None:
    state = TaskState(job_id=JOB)
    jobs = listed((OTHER, "gold", "RUNNING", 2), (JOB, "gold", "CANCELED", 1))
    server = serve(
        {
            "/jobs/overview": [jobs],
            f"/jobs/{OTHER}": [detail(OTHER, "RUNNING")] * 2 + [detail(OTHER, "CANCELED")],
            f"/jobs/{JOB}": [detail(JOB, "CANCELED")],
        }
    )
    assert cancel(job_name="gold").execute(context(2, state=state)) == "CANCELED"
    assert not [each for each in server.asked if OTHER in each]
    # cleared after its success, it means the one that runs by then
    cancel(job_name="gold").execute(context(3, state=state))
    assert f"PATCH /jobs/{OTHER}?mode=cancel" in server.asked


def test_cancel_that_takes_too_long_names_the_state(serve: Serve) -> None:
    serve({f"/jobs/{JOB}": [detail(JOB, "CANCELLING")]})
    with pytest.raises(DeadlinePassed, match="last seen: CANCELLING"):
        cancel(timeout_seconds=0.05).execute(context())


def test_deferred_cancel_is_asked_for_by_the_worker(serve: Serve) -> None:
    server = serve({f"/jobs/{JOB}": [detail(JOB, "RUNNING")]})
    with pytest.raises(TaskDeferred) as caught:
        cancel(deferrable=True).execute(context())
    arguments = caught.value.trigger.serialize()[1]
    assert (arguments["wait_for"], arguments["cancel_on_kill"]) == ("job_ends", False)
    assert f"PATCH /jobs/{JOB}?mode=cancel" in server.asked
    event = {"done": True, "job_id": JOB, "outcome": {"status": "CANCELED"}}
    assert cancel().execute_complete(context(), event) == "CANCELED"


def test_killed_cancel_goes_on_in_flink(serve: Serve) -> None:
    server = serve({})
    cancel().on_kill()
    assert server.asked == []
