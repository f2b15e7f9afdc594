"""What a real cluster does not do on demand: answers that are lost, jobs of one name, slow ends."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from flink_rest import jobs
from flink_rest.client import EMPTY_JAR, FlinkClient
from flink_rest.errors import (
    EndedByHand,
    FlinkRestError,
    FlinkUnreachable,
    FreshStartRefused,
    JobStillRunning,
    NoJobSubmitted,
    RebuildRefused,
    SavepointFailed,
    SeveralJobsOfOneName,
)
from flink_rest.jobs import (
    EnsuredJob,
    How,
    JobSpec,
    ensure_job,
    is_known,
    submit,
)

SPEC = JobSpec(
    name="bronze", script="/jobs/bronze.py", refuse_fresh_start_when_rows_in=("d.t", "d.u")
)
NO_FAILURES = {"root-exception": None, "exceptionHistory": {"entries": []}}
GOLD = JobSpec(
    name="gold", script="/jobs/gold.py", restart_when_changed={"closed-days": "2026-11-23"}
)


class ScriptedFlink:
    """A JobManager whose job lists follow a script, and whose submissions can be lost."""

    def __init__(self, *job_lists: list[tuple[str, str, str] | tuple[str, str, str, int]]) -> None:
        last = job_lists[-1] if job_lists else []
        self.job_lists = itertools.chain(job_lists, itertools.repeat(last))
        self.answer_is_lost = False
        self.submission_arrives = True
        self.meets_another = 0
        self.attempts = 0
        self.submitted: list[dict[str, Any]] = []
        self.parameters: dict[str, str] = {}
        self.savepoint_failures: list[str] = []
        self.stopped: list[str] = []
        self.requests: list[str] = []
        self.cancelled: list[str] = []
        self.strays: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path:
            case "GET", "/jobs/overview":
                shown = [job(*each) for each in next(self.job_lists)]
                return httpx.Response(200, json={"jobs": shown})
            case "GET", "/jars":
                return httpx.Response(200, json={"files": [{"id": "a", "name": EMPTY_JAR}]})
            case "GET", "/overview":
                overview = {"flink-version": "1", "taskmanagers": 1, "slots-total": 8}
                return httpx.Response(200, json=overview | {"slots-available": 8})
            case "POST", "/jars/a/run":
                return self.run(json.loads(request.content))
        asked = request.url.path.removeprefix("/jobs/")
        job_id, _, about = asked.partition("/")
        if about == "config":
            config = {"execution-config": {"user-config": self.parameters}}
            return httpx.Response(200, json=config)
        if about == "stop":
            body = json.loads(request.content)
            if body["triggerId"] not in self.requests:
                self.requests.append(body["triggerId"])
                self.stopped.append(body["targetDirectory"])
            return httpx.Response(202, json={"request-id": body["triggerId"]})
        if about.removeprefix("savepoints/") in self.requests:
            number = self.requests.index(about.removeprefix("savepoints/"))
            return httpx.Response(200, json=self.savepoint(number))
        if about.startswith("savepoints/"):
            return httpx.Response(404, json={"errors": ["There is no savepoint operation"]})
        if job_id == "a" * 32:
            is_stopped = len(self.stopped) > len(self.savepoint_failures)
            state = "FINISHED" if is_stopped else "RUNNING"
            task = {"name": "t", "parallelism": 1, "tasks": {"RUNNING": 1}}
            if about == "exceptions":
                return httpx.Response(200, json=NO_FAILURES)
            detail = {"jid": asked, "name": "gold", "state": state, "vertices": [task]}
            return httpx.Response(200, json=detail)
        if request.method == "PATCH":
            self.cancelled.append(job_id)
            return httpx.Response(202)
        if job_id in self.cancelled:
            detail = {"jid": asked, "name": "bronze", "state": "CANCELED", "vertices": []}
            return httpx.Response(200, json=detail)
        if job_id in self.strays:
            detail = {"jid": asked, "name": "bronze", "state": "RUNNING", "vertices": []}
            return httpx.Response(200, json=detail)
        if any(each["jobId"] == asked for each in self.submitted):
            detail = {"jid": asked, "name": "bronze", "state": "RUNNING", "vertices": []}
            return httpx.Response(200, json=detail)
        return httpx.Response(404, json={"errors": [f"Job {asked} not found"]})

    def run(self, body: dict[str, Any]) -> httpx.Response:
        self.attempts += 1
        if self.attempts <= self.meets_another:
            error = "RestHandlerException: No jobs included in application."
            return httpx.Response(400, json={"errors": [error]})
        if self.submission_arrives:
            self.submitted.append(body)
        if self.answer_is_lost:
            raise httpx.ReadTimeout("no answer")
        return httpx.Response(200, json={"jobid": body["jobId"]})

    def savepoint(self, number: int) -> dict[str, Any]:
        operation: dict[str, Any] = {"location": f"file:{self.stopped[number]}/savepoint-a-1"}
        if number < len(self.savepoint_failures):
            failure = self.savepoint_failures[number]
            operation = {"failure-cause": {"stack-trace": failure}}
        return {"status": {"id": "COMPLETED"}, "operation": operation}

    def client(self) -> FlinkClient:
        return FlinkClient(
            "http://flink.test",
            backoff_seconds=0,
            transport=httpx.MockTransport(self),
        )


def job(job_id: str, name: str, state: str, started_at_ms: int = 1) -> dict[str, Any]:
    return {
        "jid": job_id * 32,
        "name": name,
        "state": state,
        "start-time": started_at_ms,
        "tasks": {"total": 2},
    }


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LOOK_AGAIN_SECONDS", 0.001)
    monkeypatch.setattr(jobs, "SUBMISSION_SECONDS", 0.001)
    monkeypatch.setattr(jobs, "ENDING_SECONDS", 0.1)
    monkeypatch.setattr(jobs, "LOST_ANSWER_SECONDS", 0.1)


def test_jobs_of_other_names_and_ended_jobs_are_not_adopted(tmp_path: Path) -> None:
    flink = ScriptedFlink(
        [("a", "bronze@test", "RUNNING"), ("b", "bronze", "FAILED"), ("c", "silver", "RUNNING")],
    )
    ensured = ensure_job(flink.client(), SPEC, checkpoint_dir=tmp_path, target_rows=lambda _: 0)
    assert ensured.how is How.STARTED
    assert [each["jobId"] for each in flink.submitted] == [ensured.job_id]


@pytest.mark.parametrize("state", ["RUNNING", "CREATED", "INITIALIZING", "RESTARTING"])
def test_job_that_runs_or_comes_up_is_adopted(tmp_path: Path, state: str) -> None:
    flink = ScriptedFlink([("a", "bronze", state)])
    ensured = ensure_job(flink.client(), SPEC, checkpoint_dir=tmp_path, target_rows=lambda _: 9)
    assert (ensured.job_id, ensured.how) == ("a" * 32, How.ADOPTED)
    assert flink.submitted == []


def test_two_jobs_of_one_name_are_an_error_that_names_both(tmp_path: Path) -> None:
    flink = ScriptedFlink([("a", "bronze", "RUNNING"), ("b", "bronze", "RESTARTING")])
    with pytest.raises(SeveralJobsOfOneName, match=f"{'a' * 32}, {'b' * 32}"):
        ensure_job(flink.client(), SPEC, checkpoint_dir=tmp_path, target_rows=lambda _: 0)


def test_job_that_is_being_cancelled_is_waited_for_not_adopted(tmp_path: Path) -> None:
    flink = ScriptedFlink([("a", "bronze", "CANCELLING")], [("a", "bronze", "CANCELED")])
    ensured = ensure_job(flink.client(), SPEC, checkpoint_dir=tmp_path, target_rows=lambda _: 0)
    assert ensured.how is How.STARTED


def test_job_that_does_not_end_is_told(tmp_path: Path) -> None:
    flink = ScriptedFlink(*[[("a", "bronze", "FAILING")]] * 10_000)
    with pytest.raises(JobStillRunning, match="FAILING"):
        ensure_job(flink.client(), SPEC, checkpoint_dir=tmp_path, target_rows=lambda _: 0)


@pytest.mark.parametrize("table", ["d.t", "d.u"])
def test_fresh_start_onto_rows_of_any_target_is_refused(tmp_path: Path, table: str) -> None:
    flink = ScriptedFlink([])
    with pytest.raises(FreshStartRefused, match=rf"afresh: {table} holds 1,200 rows and"):
        ensure_job(
            flink.client(),
            SPEC,
            checkpoint_dir=tmp_path,
            target_rows=lambda asked: 1200 if asked == table else 0,
        )
    assert flink.submitted == []


def checkpoint_of(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "_metadata").write_bytes(b"m")
    return folder


def test_rebuild_starts_under_its_id_though_there_is_a_checkpoint(tmp_path: Path) -> None:
    checkpoint_of(tmp_path / "bronze" / "old" / "chk-9")
    flink = ScriptedFlink([])
    ensured = ensure_job(
        flink.client(),
        SPEC,
        checkpoint_dir=tmp_path,
        target_rows=lambda _: 0,
        rebuild_as=["b" * 32],
    )
    assert (ensured.job_id, ensured.how) == ("b" * 32, How.STARTED)
    assert flink.submitted[0]["savepointPath"] is None


def test_rebuild_onto_rows_is_refused_and_says_how_to_empty(tmp_path: Path) -> None:
    flink = ScriptedFlink([])
    spec = replace(SPEC, how_to_rebuild="empty d.t by `make x`")
    with pytest.raises(RebuildRefused, match=r"d\.t holds 7 rows, .* First empty d\.t by `make x`"):
        ensure_job(
            flink.client(),
            spec,
            checkpoint_dir=tmp_path,
            target_rows=lambda _: 7,
            rebuild_as=["b" * 32],
        )
    assert flink.submitted == []


def test_second_try_of_a_rebuild_adopts_what_the_first_one_started(tmp_path: Path) -> None:
    flink = ScriptedFlink([("a", "bronze", "RUNNING")])
    ensured = ensure_job(
        flink.client(),
        SPEC,
        checkpoint_dir=tmp_path,
        target_rows=lambda _: 9,
        rebuild_as=["b" * 32, "a" * 32],
    )
    assert ensured == EnsuredJob("a" * 32, How.ADOPTED)


def test_second_try_of_a_rebuild_resumes_from_its_own_checkpoint_only(tmp_path: Path) -> None:
    own = checkpoint_of(tmp_path / "bronze" / ("a" * 32) / "chk-1")
    checkpoint_of(tmp_path / "bronze" / "older" / "chk-9")
    flink = ScriptedFlink([])
    ensured = ensure_job(
        flink.client(),
        SPEC,
        checkpoint_dir=tmp_path,
        target_rows=lambda _: 9,
        rebuild_as=["b" * 32, "a" * 32],
    )
    assert (ensured.how, ensured.restored_from) == (How.RESUMED, str(own))


def test_job_that_shows_what_it_must_is_adopted(tmp_path: Path) -> None:
    flink = ScriptedFlink([("a", "gold", "RUNNING")])
    flink.parameters = {"closed-days": "2026-11-23", "other": "1"}
    ensured = ensure_job(flink.client(), GOLD, checkpoint_dir=tmp_path, target_rows=lambda _: 0)
    assert ensured == EnsuredJob("a" * 32, How.ADOPTED)
    assert flink.stopped == []


@pytest.mark.parametrize("shown", [{}, {"closed-days": "none"}])
def test_job_that_shows_other_facts_goes_on_from_a_savepoint(
    tmp_path: Path, shown: dict[str, str]
) -> None:
    flink = ScriptedFlink([("a", "gold", "RUNNING")])
    flink.parameters = shown
    spec = replace(GOLD, arguments=("--closed-days", "2026-11-23"))
    ensured = ensure_job(flink.client(), spec, checkpoint_dir=tmp_path, target_rows=lambda _: 0)
    savepoints = f"{tmp_path}/gold/savepoints"
    assert ensured.how is How.RESTARTED
    assert flink.stopped == [savepoints]
    assert ensured.restored_from == f"file:{savepoints}/savepoint-a-1"
    [body] = flink.submitted
    assert (body["savepointPath"], body["claimMode"]) == (ensured.restored_from, "CLAIM")
    assert body["programArgsList"][2:] == ["--closed-days", "2026-11-23"]


def test_job_that_cannot_be_stopped_is_told_with_what_to_do(tmp_path: Path) -> None:
    flink = ScriptedFlink([("a", "gold", "RUNNING")])
    flink.savepoint_failures = ["Caused by: java.io.IOException: disk full"]
    with pytest.raises(SavepointFailed, match=r"disk full\. Clear this task .* cancel the job"):
        ensure_job(flink.client(), GOLD, checkpoint_dir=tmp_path, target_rows=lambda _: 0)
    assert flink.submitted == []


@pytest.mark.parametrize(("failures", "stops"), [(1, True), (2, True), (3, False)])
def test_savepoint_that_met_a_task_at_its_end_is_asked_for_again(
    tmp_path: Path, failures: int, stops: bool
) -> None:
    flink = ScriptedFlink([("a", "gold", "RUNNING")])
    flink.savepoint_failures = ["CheckpointException: Task local checkpoint failure."] * failures

    def ensure() -> EnsuredJob:
        return ensure_job(flink.client(), GOLD, checkpoint_dir=tmp_path, target_rows=lambda _: 0)

    if stops:
        assert ensure().how is How.RESTARTED
        assert len(flink.stopped) == failures + 1
    else:
        with pytest.raises(SavepointFailed, match="Task local checkpoint failure"):
            ensure()


def test_job_is_known_that_runs_or_has_left_a_checkpoint(tmp_path: Path) -> None:
    flink = ScriptedFlink([], [("a", "gold", "RUNNING")], [])
    client = flink.client()
    assert not is_known(client, GOLD.name, checkpoint_dir=tmp_path)
    assert is_known(client, GOLD.name, checkpoint_dir=tmp_path)
    checkpoint_of(tmp_path / "gold" / "savepoints" / "savepoint-a-1")
    assert is_known(client, GOLD.name, checkpoint_dir=tmp_path)


@pytest.mark.parametrize(
    ("listed", "by_hand"),
    [
        pytest.param([], False, id="a JobManager that was started again"),
        pytest.param([("a", "gold", "RUNNING")], False, id="runs"),
        pytest.param([("a", "gold", "FAILED")], False, id="failed"),
        pytest.param([("a", "gold", "CANCELED")], True, id="cancelled"),
        pytest.param([("a", "gold", "CANCELLING")], True, id="being cancelled"),
        pytest.param([("a", "gold", "FINISHED")], True, id="stopped with a savepoint"),
        pytest.param([("a", "silver", "CANCELED")], False, id="another job"),
        pytest.param(
            [("a", "gold", "CANCELED", 1), ("b", "gold", "FAILED", 2)],
            False,
            id="resumed after a cancel, then failed",
        ),
        pytest.param(
            [("b", "gold", "CANCELED", 2), ("a", "gold", "FAILED", 1)],
            True,
            id="failed, resumed, then cancelled",
        ),
        pytest.param(
            [("a", "gold", "RUNNING", 1), ("b", "gold", "CANCELED", 2)],
            False,
            id="of two that ran one was cancelled",
        ),
    ],
)
def test_job_is_left_alone_whose_newest_was_cancelled_or_stopped(
    tmp_path: Path, listed: list[tuple[str, str, str]], by_hand: bool
) -> None:
    # one look, so that nothing can happen between two
    flink = ScriptedFlink(listed)
    with (
        pytest.raises(EndedByHand, match="somebody has ended gold")
        if by_hand
        else contextlib.nullcontext()
    ):
        ensure_job(
            flink.client(),
            replace(GOLD, restart_when_changed={}),
            checkpoint_dir=tmp_path,
            target_rows=lambda _: 0,
            leave_ended_by_hand=True,
        )
    runs = any(each[1:3] == ("gold", "RUNNING") for each in listed)
    assert len(flink.submitted) == (0 if by_hand or runs else 1)


def test_two_calls_at_once_make_one_job(tmp_path: Path) -> None:
    flink = ScriptedFlink()
    both_look = threading.Barrier(2)

    def list_jobs(_: int) -> list[tuple[str, str, str]]:
        seen = [("a", "bronze", "RUNNING") for _ in flink.submitted]
        with contextlib.suppress(threading.BrokenBarrierError):
            both_look.wait(timeout=0.5)
        return seen

    # no generator, which two threads may not enter at once
    flink.job_lists = map(list_jobs, itertools.count())

    def ensure(_: int) -> How:
        return ensure_job(
            flink.client(), SPEC, checkpoint_dir=tmp_path / "later", target_rows=lambda _: 0
        ).how

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ensure, range(2))) == [How.ADOPTED, How.STARTED]
    assert len(flink.submitted) == 1


def test_checkpoint_of_another_job_is_not_resumed_from(tmp_path: Path) -> None:
    of_another = tmp_path / "bronze@test" / "x" / "chk-1"
    of_another.mkdir(parents=True)
    (of_another / "_metadata").write_bytes(b"m")
    flink = ScriptedFlink([])
    ensured = ensure_job(flink.client(), SPEC, checkpoint_dir=tmp_path, target_rows=lambda _: 0)
    assert ensured.how is How.STARTED


def test_rebuild_of_a_running_job_is_refused(tmp_path: Path) -> None:
    flink = ScriptedFlink([("a", "bronze", "RUNNING")])
    with pytest.raises(JobStillRunning):
        ensure_job(
            flink.client(),
            SPEC,
            checkpoint_dir=tmp_path,
            target_rows=lambda _: 0,
            rebuild_as=["b" * 32],
        )


def test_lost_answer_of_a_submission_that_arrived_is_no_error(tmp_path: Path) -> None:
    flink = ScriptedFlink()
    flink.answer_is_lost = True
    job_id = submit(flink.client(), SPEC, checkpoint_dir=tmp_path)
    assert [each["jobId"] for each in flink.submitted] == [job_id]


def test_lost_answer_of_a_submission_that_did_not_arrive_is_told(tmp_path: Path) -> None:
    flink = ScriptedFlink()
    flink.answer_is_lost, flink.submission_arrives = True, False
    with pytest.raises(FlinkUnreachable):
        submit(flink.client(), SPEC, checkpoint_dir=tmp_path)


def test_submission_that_met_another_one_is_tried_again_under_the_same_id(tmp_path: Path) -> None:
    flink = ScriptedFlink()
    flink.meets_another = 2
    job_id = submit(flink.client(), SPEC, checkpoint_dir=tmp_path)
    assert flink.attempts == 3
    assert [each["jobId"] for each in flink.submitted] == [job_id]


def test_job_that_another_submission_took_under_its_id_is_cancelled_before_the_next_attempt(
    tmp_path: Path,
) -> None:
    """It would read from the beginning: Flink gave it the other's checkpoint, which is none."""
    before, stray = ("a", "bronze", "RUNNING"), ("b", "bronze", "RUNNING")
    flink = ScriptedFlink([before], [before, stray, ("c", "gold", "RUNNING")])
    flink.strays = ["b" * 32]
    flink.meets_another = 1
    job_id = submit(flink.client(), SPEC, checkpoint_dir=tmp_path)
    assert [each["jobId"] for each in flink.submitted] == [job_id]
    assert flink.cancelled == ["b" * 32]


def test_id_under_which_another_submission_has_come_is_not_taken_for_the_job(
    tmp_path: Path,
) -> None:
    flink = ScriptedFlink([], [("d", "gold", "RUNNING")])
    flink.meets_another = 1
    with pytest.raises(NoJobSubmitted, match="another submission"):
        submit(flink.client(), SPEC, checkpoint_dir=tmp_path, job_id="d" * 32)
    assert (flink.submitted, flink.cancelled) == ([], [])
    flink = ScriptedFlink([], [("d", "bronze", "RUNNING")])
    flink.meets_another = 1
    assert submit(flink.client(), SPEC, checkpoint_dir=tmp_path, job_id="d" * 32) == "d" * 32
    assert (flink.submitted, flink.cancelled) == ([], [])


def test_submissions_of_one_machine_wait_for_each_other(tmp_path: Path) -> None:
    """Two at once get mixed up in Flink: the checkpoint of the one goes to the other."""
    flink = ScriptedFlink()
    with ThreadPoolExecutor() as pool:
        with jobs.one_at_a_time(tmp_path):
            one = pool.submit(submit, flink.client(), SPEC, checkpoint_dir=tmp_path)
            with pytest.raises(TimeoutError):
                one.result(timeout=0.3)
            assert flink.attempts == 0
        assert one.result(timeout=10) == flink.submitted[0]["jobId"]


def test_script_that_never_submits_a_job_is_told_in_the_end(tmp_path: Path) -> None:
    flink = ScriptedFlink()
    flink.meets_another = 1000
    with pytest.raises(NoJobSubmitted, match="either it makes none"):
        submit(flink.client(), SPEC, checkpoint_dir=tmp_path)
    assert flink.attempts == jobs.SUBMISSION_ATTEMPTS


def test_checkpoint_that_goes_while_it_is_resumed_from_gives_way_to_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that was cancelled a moment ago may still take away what a newer one replaces."""
    gone = checkpoint_of(tmp_path / "bronze" / "x" / "chk-34")
    asked: list[str | None] = []

    def submit(*_: object, restore_from: str | None, claim: bool) -> str:
        asked.append(restore_from)
        if restore_from == str(gone):
            shutil.rmtree(gone)
            checkpoint_of(gone.with_name("chk-35"))
            raise FlinkRestError("no such file")
        return "b" * 32

    monkeypatch.setattr(jobs, "_submit", submit)
    flink = ScriptedFlink([], [])
    ensured = ensure_job(flink.client(), SPEC, checkpoint_dir=tmp_path, target_rows=lambda _: 9)
    assert ensured == EnsuredJob("b" * 32, How.RESUMED, str(gone.with_name("chk-35")))
    monkeypatch.setattr(
        jobs, "_submit", lambda *_, **__: (_ for _ in ()).throw(FlinkRestError("full"))
    )
    with pytest.raises(FlinkRestError, match="full"):
        ensure_job(flink.client(), SPEC, checkpoint_dir=tmp_path, target_rows=lambda _: 9)
