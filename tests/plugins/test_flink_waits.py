"""The decisions of the waits, look by look, against a scripted client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import pytest

from flink_rest.client import FlinkClient
from flink_rest.errors import (
    CatalogueUnreachable,
    CheckpointFailed,
    FlinkUnreachable,
    JobEnded,
    JobFailed,
)
from flink_rest.records import (
    CheckpointRequest,
    ClusterOverview,
    JobDetail,
    JobFailure,
    JobStatus,
    Vertex,
)
from flink_rest.waits import CheckpointCommitted, JobFinishes, JobRuns, look_kindly

JOB = "0" * 32


class ScriptedClient:
    """Gives one scripted job detail after the other; the last one stays."""

    def __init__(
        self, *details: JobDetail | Exception, failures: Sequence[JobFailure] = ()
    ) -> None:
        self.details = list(details)
        self.failures_seen: Sequence[JobFailure] = failures
        self.checkpoints: list[CheckpointRequest] = []
        self.asked = 0

    def job(self, _: str) -> JobDetail:
        detail = self.details.pop(0) if len(self.details) > 1 else self.details[0]
        if isinstance(detail, Exception):
            raise detail
        return detail

    def failures(self, _: str) -> Sequence[JobFailure]:
        return self.failures_seen

    def failure(self, _: str) -> str:
        return self.failures_seen[0].cause if self.failures_seen else "none"

    def overview(self) -> ClusterOverview:
        return ClusterOverview("1.20.5", taskmanagers=1, slots_total=8, slots_free=3)

    def request_checkpoint(self, _: str) -> str:
        self.asked += 1
        return f"{self.asked:032x}"

    def checkpoint_request(self, _: str, __: str) -> CheckpointRequest:
        return self.checkpoints.pop(0)

    def __call__(self) -> FlinkClient:
        return cast(FlinkClient, self)


def detail(status: JobStatus, *running: int) -> JobDetail:
    vertices = tuple(Vertex(f"step {n}", parallelism=2, running=r) for n, r in enumerate(running))
    return JobDetail(JOB, "bronze", status, vertices)


def complete(checkpoint_id: int) -> CheckpointRequest:
    return CheckpointRequest(complete=True, checkpoint_id=checkpoint_id, failure=None)


RUNS = detail(JobStatus.RUNNING, 2, 2)


@pytest.mark.parametrize(
    ("seen", "runs"),
    [
        pytest.param(RUNS, True, id="all tasks run"),
        pytest.param(detail(JobStatus.RUNNING, 2, 1), False, id="one task waits for a slot"),
        pytest.param(detail(JobStatus.RUNNING), False, id="no task is known yet"),
        pytest.param(detail(JobStatus.RESTARTING, 2, 2), False, id="restarting"),
    ],
)
def test_job_runs_only_with_all_its_tasks(seen: JobDetail, runs: bool) -> None:
    assert JobRuns(ScriptedClient(seen)(), JOB).look() is runs


@pytest.mark.parametrize(
    "status", [JobStatus.FAILED, JobStatus.CANCELED, JobStatus.FINISHED, JobStatus.SUSPENDED]
)
def test_streaming_job_that_has_ended_is_told_at_once_with_its_cause(status: JobStatus) -> None:
    client = ScriptedClient(detail(status), failures=[JobFailure(1, "java.io.IOException: full")])
    with pytest.raises(JobEnded, match=rf"{status}: java.io.IOException: full") as caught:
        JobRuns(client(), JOB).look()
    assert not caught.value.may_heal


def test_job_that_fails_again_and_again_is_told_before_the_deadline() -> None:
    client = ScriptedClient(detail(JobStatus.RESTARTING, 0))
    wait = JobRuns(client(), JOB)
    assert wait.look() is False
    client.failures_seen = [JobFailure(n, "ZeroDivisionError") for n in (3, 2, 1)]
    with pytest.raises(JobFailed, match="RESTARTING after 3 failures: ZeroDivisionError"):
        wait.look()


def test_failures_of_before_the_wait_do_not_count() -> None:
    old = [JobFailure(n, "TaskManager lost") for n in (5, 4, 3, 2, 1)]
    wait = JobRuns(ScriptedClient(detail(JobStatus.RESTARTING, 0), failures=old)(), JOB)
    assert [wait.look() for _ in range(3)] == [False] * 3


def test_too_late_names_waiting_tasks_free_slots_and_the_last_failure() -> None:
    client = ScriptedClient(
        detail(JobStatus.RUNNING, 2, 0), failures=[JobFailure(1, "NoResourceAvailable")]
    )
    wait = JobRuns(client(), JOB)
    wait.look()
    told = str(wait.too_late(180))
    assert "step 1 0/2" in told
    assert "step 0" not in told
    assert "3 of 8 task slots are free" in told
    assert "NoResourceAvailable" in told


def test_batch_job_that_is_cancelled_is_a_failure() -> None:
    with pytest.raises(JobFailed, match="CANCELED"):
        JobFinishes(ScriptedClient(detail(JobStatus.CANCELED))(), JOB).look()


def test_flink_that_does_not_answer_for_a_while_is_not_yet() -> None:
    told: list[str] = []
    wait = JobRuns(ScriptedClient(FlinkUnreachable("http://x", "refused"), RUNS)(), JOB)
    assert [look_kindly(wait, told.append) for _ in range(2)] == [False, True]
    assert "does not answer" in told[0]


def checkpoint_wait(
    client: ScriptedClient, committed: Callable[[], int | None] | None
) -> CheckpointCommitted:
    wait = CheckpointCommitted(client(), JOB, committed)
    assert wait.look() is False  # asks for the checkpoint
    return wait


def test_committed_checkpoint_needs_no_second_one() -> None:
    client = ScriptedClient(RUNS)
    client.checkpoints = [complete(7)]
    wait = checkpoint_wait(client, lambda: 7)
    assert wait.look() is True
    assert wait.outcome() == {"checkpoint_id": 7, "committed_id": 7, "nothing_new": False}
    assert client.asked == 1


def test_later_commit_counts_as_well() -> None:
    client = ScriptedClient(RUNS)
    client.checkpoints = [complete(7)]
    assert checkpoint_wait(client, lambda: 9).look() is True


def test_checkpoint_without_rows_ends_with_the_second_one_instead_of_hanging() -> None:
    client = ScriptedClient(RUNS)
    client.checkpoints = [complete(7), complete(8)]
    wait = checkpoint_wait(client, lambda: 3)
    assert [wait.look(), wait.look()] == [False, True]
    assert wait.outcome() == {"checkpoint_id": 7, "committed_id": 3, "nothing_new": True}
    assert client.asked == 2


def test_commit_that_shows_late_is_seen_as_a_commit() -> None:
    client = ScriptedClient(RUNS)
    client.checkpoints = [complete(7), complete(8)]
    seen = iter([None, 7])
    wait = checkpoint_wait(client, lambda: next(seen))
    assert [wait.look(), wait.look()] == [False, True]
    assert wait.outcome()["nothing_new"] is False


def test_catalogue_that_does_not_answer_never_passes_for_nothing_new() -> None:
    client = ScriptedClient(RUNS)
    client.checkpoints = [complete(7)] * 5

    def unreachable() -> int | None:
        raise CatalogueUnreachable("d.t", "refused")

    wait = checkpoint_wait(client, unreachable)
    assert [look_kindly(wait, lambda _: None) for _ in range(4)] == [False] * 4
    assert client.asked == 1


def test_failed_checkpoint_is_told_with_its_cause() -> None:
    client = ScriptedClient(RUNS)
    client.checkpoints = [CheckpointRequest(False, None, "Not all tasks are running")]
    with pytest.raises(CheckpointFailed, match="Not all tasks are running"):
        checkpoint_wait(client, None).look()


def test_checkpoint_of_a_job_that_has_ended_is_not_asked_for() -> None:
    client = ScriptedClient(detail(JobStatus.CANCELED))
    with pytest.raises(JobEnded):
        CheckpointCommitted(client(), JOB).look()
    assert client.asked == 0


@pytest.mark.parametrize(
    ("tasks", "runs"),
    [
        ({"RUNNING": 2, "FINISHED": 0}, True),
        ({"RUNNING": 1, "FINISHED": 1}, True),
        ({"RUNNING": 1, "FINISHED": 0, "SCHEDULED": 1}, False),
        ({"RUNNING": 0, "FINISHED": 1, "DEPLOYING": 1}, False),
    ],
    ids=str,
)
def test_source_of_constants_that_has_ended_does_not_keep_a_job_from_running(
    tasks: dict[str, int], runs: bool
) -> None:
    vertices = [
        {"name": "Source: Values", "parallelism": 2, "tasks": tasks},
        {"name": "Writer", "parallelism": 1, "tasks": {"RUNNING": 1}},
    ]
    answer = {"jid": JOB, "name": "gold", "state": "RUNNING", "vertices": vertices}
    assert JobDetail.of(answer).runs_with_all_tasks is runs
