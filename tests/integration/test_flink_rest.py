"""The client, its ensure logic, operators and sensors on the running Flink, with a tiny job."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from flink_rest.client import FlinkClient
from flink_rest.errors import (
    CheckpointDoesNotFit,
    EndedByHand,
    FlinkUnreachable,
    FreshStartRefused,
    JobEnded,
    JobFailed,
    JobNotFound,
    JobScriptFailed,
    JobScriptMissing,
    NoFreeSlots,
    PythonDriverMissing,
    RebuildRefused,
    SavepointFailed,
    SeveralJobsOfOneName,
)
from flink_rest.jobs import EnsuredJob, How, JobSpec, ensure_job, submit
from flink_rest.records import JobStatus
from flink_rest.settings import FlinkSettings
from flink_rest.stopping import JobStops, request_ids
from flink_rest.waits import CheckpointCommitted, JobFinishes, JobRuns, Wait
from integration.conftest import Deployment, wait_until, when_slots_are_free
from integration.publishing import numbered, publish
from lakehouse.checkpoints import newest_checkpoint
from local_stack.fetch import flink_python_jar
from local_stack.settings import StackSettings

pytestmark = pytest.mark.integration

JOBS = Path(__file__).parent / "jobs"
SECONDS = 300.0
BY_ZERO = r"after \d+ failures: .*java\.lang\.ArithmeticException: / by zero"


def wait_for(wait: Wait) -> None:
    give_up_at = time.monotonic() + SECONDS
    while not wait.look():
        if time.monotonic() > give_up_at:
            raise wait.too_late(SECONDS)
        time.sleep(0.3)


@pytest.fixture(scope="module")
def settings(stack: dict[str, str]) -> FlinkSettings:
    return FlinkSettings.from_env({**os.environ, **stack})


@pytest.fixture(scope="module")
def flink(stack: dict[str, str], settings: FlinkSettings) -> Iterator[FlinkClient]:
    with FlinkClient(stack["RVA_FLINK_URL"], python_jar=settings.python_jar) as client:
        yield client


@pytest.fixture
def spec(flink: FlinkClient, settings: FlinkSettings) -> Iterator[JobSpec]:
    """A job of its own name, cancelled and forgotten afterwards."""
    name = f"flink_rest_test_{uuid.uuid4().hex[:8]}"
    checkpoints = settings.checkpoint_dir / name
    yield JobSpec(
        name=name,
        script=str(JOBS / "datagen_to_blackhole.py"),
        arguments=("--name", name, "--checkpoint-dir", str(checkpoints)),
        refuse_fresh_start_when_rows_in=("test.target",),
    )
    for job in flink.jobs():
        if job.name == name and not job.status.is_terminal:
            cancel(flink, job.job_id)
    shutil.rmtree(checkpoints, ignore_errors=True)


def cancel(flink: FlinkClient, job_id: str) -> None:
    flink.cancel(job_id)
    give_up_at = time.monotonic() + SECONDS
    while not flink.job(job_id).status.is_terminal:
        assert time.monotonic() < give_up_at, "the job does not end"
        time.sleep(0.3)


@pytest.fixture
def ensure(flink: FlinkClient, settings: FlinkSettings, spec: JobSpec) -> Callable[..., EnsuredJob]:
    def ensure(
        rows: int = 0, *, rebuild_as: Sequence[str] = (), leave_ended_by_hand: bool = False
    ) -> EnsuredJob:
        return when_slots_are_free(
            spec.name,
            lambda: ensure_job(
                flink,
                spec,
                checkpoint_dir=settings.checkpoint_dir,
                target_rows=lambda _: rows,
                rebuild_as=rebuild_as,
                leave_ended_by_hand=leave_ended_by_hand,
            ),
        )

    return ensure


@pytest.fixture
def submit_job(flink: FlinkClient, settings: FlinkSettings) -> Callable[[JobSpec], str]:
    def submit_job(spec: JobSpec) -> str:
        return when_slots_are_free(
            spec.name, lambda: submit(flink, spec, checkpoint_dir=settings.checkpoint_dir)
        )

    return submit_job


def complete_checkpoint(flink: FlinkClient, job_id: str) -> None:
    wait_for(JobRuns(flink, job_id))
    wait_for(CheckpointCommitted(flink, job_id))


def test_job_is_started_then_adopted(ensure: Callable[..., EnsuredJob]) -> None:
    first = ensure()
    assert (first.how, first.restored_from) == (How.STARTED, None)
    assert ensure(rows=5) == EnsuredJob(first.job_id, How.ADOPTED)


def test_cancelled_job_is_resumed_from_its_newest_checkpoint(
    flink: FlinkClient,
    settings: FlinkSettings,
    spec: JobSpec,
    ensure: Callable[..., EnsuredJob],
) -> None:
    first = ensure()
    complete_checkpoint(flink, first.job_id)
    flink.cancel(first.job_id)
    second = ensure(rows=5)  # waits for the end of the one that is being cancelled
    assert second.how is How.RESUMED
    assert second.job_id != first.job_id
    assert second.restored_from is not None
    assert first.job_id in second.restored_from
    wait_for(JobRuns(flink, second.job_id))
    assert newest_checkpoint(settings.checkpoint_dir / spec.name) is not None


def waits_for(folder: Path) -> bool:
    """Whether this process, and not a neighbour's, waits for a lock on a folder."""
    waiter = re.compile(rf"-> FLOCK .* {os.getpid()} \S+:{folder.stat().st_ino} ")
    locks = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    return any(waiter.search(line) for line in locks)


def test_job_that_is_cancelled_while_its_keeper_waits_for_the_lock_is_left_alone(
    flink: FlinkClient,
    settings: FlinkSettings,
    spec: JobSpec,
    ensure: Callable[..., EnsuredJob],
) -> None:
    job_id = ensure().job_id
    complete_checkpoint(flink, job_id)
    assert ensure(leave_ended_by_hand=True) == EnsuredJob(job_id, How.ADOPTED)
    held = os.open(settings.checkpoint_dir, os.O_RDONLY)
    with ThreadPoolExecutor(1) as pool:
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            kept = pool.submit(ensure, rows=5, leave_ended_by_hand=True)
            wait_until("the keeper waits for the lock", lambda: waits_for(settings.checkpoint_dir))
            cancel(flink, job_id)
        finally:
            os.close(held)
        with pytest.raises(EndedByHand, match=rf"{spec.name} \(job {job_id}, CANCELED\)"):
            kept.result(SECONDS)
    assert [job.job_id for job in flink.jobs() if job.name == spec.name] == [job_id]


def test_job_that_was_stopped_is_resumed_from_its_savepoint(
    flink: FlinkClient,
    settings: FlinkSettings,
    spec: JobSpec,
    ensure: Callable[..., EnsuredJob],
) -> None:
    first = ensure()
    wait_for(JobRuns(flink, first.job_id))
    directory = settings.checkpoint_dir / spec.name / "savepoints"
    request = flink.request_stop_with_savepoint(first.job_id, str(directory))
    give_up_at = time.monotonic() + SECONDS
    while not (savepoint := flink.savepoint_request(first.job_id, request)).complete:
        assert savepoint.failure is None
        assert time.monotonic() < give_up_at
        time.sleep(0.3)
    assert savepoint.location is not None
    second = ensure(rows=5)
    assert second.how is How.RESUMED
    assert second.restored_from == savepoint.location.removeprefix("file:")


def test_gold_streaming_learns_a_closed_day_from_a_savepoint_and_runs_once(
    flink: FlinkClient, settings: FlinkSettings, deployment: Deployment
) -> None:
    spec = deployment.spec("gold_streaming")

    def ensure(arguments: tuple[str, ...], shown: str) -> EnsuredJob:
        wanted = replace(
            spec,
            arguments=spec.arguments + arguments,
            restart_when_changed={"closed-days": shown},
        )
        ensured = when_slots_are_free(
            wanted.name,
            lambda: ensure_job(
                flink, wanted, checkpoint_dir=settings.checkpoint_dir, target_rows=lambda _: 0
            ),
        )
        wait_for(JobRuns(flink, ensured.job_id))
        return ensured

    first = ensure((), "none")
    assert first.how is How.STARTED
    assert flink.parameters(first.job_id)["closed-days"] == "none"
    # a source that comes to its end would fail a savepoint that is asked for just then
    sources = [each.name for each in flink.job(first.job_id).vertices if "Source" in each.name]
    assert all("arriving_" in each for each in sources)
    assert len(sources) == 2
    assert ensure((), "none") == EnsuredJob(first.job_id, How.ADOPTED)
    assert flink.parameters(first.job_id)["lateness-seconds"] == "5"
    days = ("--closed-days", "2026-11-22,2026-11-23", "--lateness-seconds", "60")
    closing = days, "2026-11-22;2026-11-23"
    second = ensure(*closing)
    assert second.how is How.RESTARTED
    assert second.restored_from is not None
    assert f"/{spec.name}/savepoints/savepoint-" in second.restored_from
    assert flink.job(first.job_id).status is JobStatus.FINISHED
    assert flink.parameters(second.job_id)["closed-days"] == "2026-11-22;2026-11-23"
    assert flink.parameters(second.job_id)["lateness-seconds"] == "60"
    assert ensure(*closing) == EnsuredJob(second.job_id, How.ADOPTED)
    running = [
        job.job_id for job in flink.jobs() if job.name == spec.name and not job.status.is_terminal
    ]
    assert running == [second.job_id]
    # its savepoint is the new job's own, which drops it when it has a checkpoint behind it
    savepoint = Path(second.restored_from.removeprefix("file:"))
    give_up_at = time.monotonic() + SECONDS
    while savepoint.exists():
        assert time.monotonic() < give_up_at, "the savepoint stays"
        time.sleep(0.3)
    assert newest_checkpoint(settings.checkpoint_dir / spec.name) is not None


def test_fresh_start_onto_rows_is_refused_until_a_rebuild_is_asked_for(
    ensure: Callable[..., EnsuredJob], spec: JobSpec
) -> None:
    with pytest.raises(FreshStartRefused, match=rf"{spec.name} .* test\.target holds 5 rows"):
        ensure(rows=5)
    job_id = uuid.uuid4().hex
    with pytest.raises(RebuildRefused):
        ensure(rows=5, rebuild_as=[job_id])
    assert ensure(rebuild_as=[job_id]) == EnsuredJob(job_id, How.STARTED)
    assert ensure(rows=5, rebuild_as=[uuid.uuid4().hex, job_id]).how is How.ADOPTED


def test_changed_job_is_started_afresh_only_when_that_doubles_nothing(
    flink: FlinkClient, settings: FlinkSettings, spec: JobSpec, submit_job: Callable[[JobSpec], str]
) -> None:
    before = submit_job(replace(spec, arguments=(*spec.arguments, "--aggregate")))
    complete_checkpoint(flink, before)
    cancel(flink, before)
    with pytest.raises(CheckpointDoesNotFit, match="Cannot map checkpoint/savepoint state"):
        ensure_job(flink, spec, checkpoint_dir=settings.checkpoint_dir, target_rows=lambda _: 5)
    upserting = replace(spec, refuse_fresh_start_when_rows_in=())
    ensured = when_slots_are_free(
        spec.name,
        lambda: ensure_job(
            flink, upserting, checkpoint_dir=settings.checkpoint_dir, target_rows=lambda _: 5
        ),
    )
    assert (ensured.how, ensured.restored_from) == (How.STARTED, None)


def test_second_job_of_one_name_is_told_with_both_ids(
    flink: FlinkClient,
    spec: JobSpec,
    ensure: Callable[..., EnsuredJob],
    submit_job: Callable[[JobSpec], str],
) -> None:
    ids = [ensure().job_id, submit_job(spec)]
    with pytest.raises(SeveralJobsOfOneName) as caught:
        ensure()
    assert sorted(caught.value.job_ids) == sorted(ids)


@pytest.mark.parametrize("machines", [1, pytest.param(2, marks=pytest.mark.alone)])
def test_two_submissions_at_once_both_arrive(
    flink: FlinkClient, settings: FlinkSettings, spec: JobSpec, tmp_path: Path, machines: int
) -> None:
    """Of one machine they wait for each other; of two they meet, and try again."""
    names = [f"{spec.name}_{machines}_{number}" for number in range(2)]
    # of one machine they wait for those of the tests beside, too
    folders = [settings.checkpoint_dir] * 2
    if machines == 2:
        folders = [tmp_path / "0", tmp_path / "1"]
        for folder in folders:
            folder.mkdir()

    def submit_one(name: str, folder: Path) -> str:
        one = replace(spec, name=name, arguments=("--name", name, "--rows", "50"))
        return when_slots_are_free(name, lambda: submit(flink, one, checkpoint_dir=folder))

    with ThreadPoolExecutor() as pool:
        ids = list(pool.map(submit_one, names, folders))
    assert [flink.job(job_id).name for job_id in ids] == names
    for job_id in ids:
        wait_for(JobFinishes(flink, job_id))
    of_names = [job for job in flink.jobs() if job.name in names]
    assert {job.job_id for job in of_names if job.status is JobStatus.FINISHED} == set(ids)
    assert len(of_names) == 2 or machines > 1


def test_script_that_raises_gives_its_traceback(
    flink: FlinkClient, spec: JobSpec, submit_job: Callable[[JobSpec], str]
) -> None:
    with pytest.raises(JobScriptFailed) as caught:
        submit_job(replace(spec, script=str(JOBS / "raises.py"), arguments=()))
    told = str(caught.value)
    assert "ValueError: the answer is not 42" in told
    assert 'raises.py", line' in told
    assert "SECRET" not in told.upper()
    assert "java:" not in told


def test_script_that_does_not_exist_is_told_so(
    flink: FlinkClient, spec: JobSpec, submit_job: Callable[[JobSpec], str]
) -> None:
    with pytest.raises(JobScriptMissing, match=r"none\.py"):
        submit_job(replace(spec, script=str(JOBS / "none.py")))


def test_flink_without_flink_python_says_what_it_needs(
    spec: JobSpec, submit_job: Callable[[JobSpec], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # ours has it: we ask for a class that ours has not
    monkeypatch.setattr("flink_rest.client.PYTHON_DRIVER", "org.apache.flink.client.python.None")
    with pytest.raises(PythonDriverMissing, match=r"copy flink-python-1\.20\.5\.jar"):
        submit_job(spec)


def test_job_carries_no_jar_of_33_mb(ensure: Callable[..., EnsuredJob]) -> None:
    job_id = ensure().job_id
    blobs = StackSettings.load().stack_dir / "flink" / "blobs"
    carried = [path.stat().st_size for path in blobs.rglob(f"job_{job_id}/blob_*")]
    assert carried
    assert max(carried) < 50_000


def test_flink_python_that_is_uploaded_runs_a_job_too(
    stack: dict[str, str], settings: FlinkSettings, spec: JobSpec
) -> None:
    bounded = replace(spec, arguments=("--name", spec.name, "--rows", "50"))
    with FlinkClient(stack["RVA_FLINK_URL"], python_jar=flink_python_jar()) as client:
        job_id = when_slots_are_free(
            bounded.name, lambda: submit(client, bounded, checkpoint_dir=settings.checkpoint_dir)
        )
        wait_for(JobFinishes(client, job_id))


def test_bounded_job_finishes(
    flink: FlinkClient, spec: JobSpec, submit_job: Callable[[JobSpec], str]
) -> None:
    job_id = submit_job(replace(spec, arguments=("--name", spec.name, "--rows", "50")))
    wait_for(JobFinishes(flink, job_id))
    assert flink.job(job_id).status is JobStatus.FINISHED


def test_job_that_fails_at_run_time_is_told_with_its_root_cause_though_flink_restarts_it(
    flink: FlinkClient, spec: JobSpec, submit_job: Callable[[JobSpec], str]
) -> None:
    arguments = ("--name", spec.name, "--divide-by-zero")
    job_id = submit_job(replace(spec, arguments=arguments))
    with pytest.raises(JobFailed, match=BY_ZERO):
        wait_for(JobFinishes(flink, job_id))


def test_job_that_was_cancelled_will_not_run(
    flink: FlinkClient, ensure: Callable[..., EnsuredJob]
) -> None:
    job_id = ensure().job_id
    cancel(flink, job_id)
    with pytest.raises(JobEnded, match="CANCELED"):
        wait_for(JobRuns(flink, job_id))
    flink.cancel(job_id)  # a second time does no harm


def test_checkpoint_of_a_running_job_is_named(
    flink: FlinkClient, ensure: Callable[..., EnsuredJob]
) -> None:
    job_id = ensure().job_id
    wait_for(JobRuns(flink, job_id))
    wait = CheckpointCommitted(flink, job_id)
    wait_for(wait)
    history = flink.checkpoints(job_id)
    assert wait.checkpoint_id is not None
    assert history.latest_completed_id is not None
    assert history.latest_completed_id >= wait.checkpoint_id


def test_unknown_job_is_told_what_to_do(flink: FlinkClient) -> None:
    with pytest.raises(JobNotFound, match="resumes from the newest checkpoint"):
        flink.job("f" * 32)


def test_more_slots_than_there_are_is_told_before_anything_is_submitted(
    flink: FlinkClient, settings: FlinkSettings, spec: JobSpec
) -> None:
    with pytest.raises(NoFreeSlots, match=f"{spec.name} needs 1000 task slots"):
        ensure_job(
            flink,
            replace(spec, slots=1000),
            checkpoint_dir=settings.checkpoint_dir,
            target_rows=lambda _: 0,
        )
    assert spec.name not in {job.name for job in flink.jobs()}


def test_jobmanager_that_is_down_is_told_with_its_address() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with (
            FlinkClient(url, backoff_seconds=0.01) as client,
            pytest.raises(FlinkUnreachable, match=f"{url} does not answer"),
        ):
            client.overview()


class Tasks(SimpleNamespace):
    """Operators, sensors and hooks, which import Airflow."""

    operators: ModuleType
    sensors: ModuleType
    hooks: ModuleType
    exceptions: ModuleType


@pytest.fixture
def tasks(
    stack: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Tasks:
    """Tasks behind the Connections of the stack, with an Airflow home that is nobody's."""
    if "AIRFLOW_HOME" not in os.environ:
        os.environ["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))
    for name, value in stack.items():
        monkeypatch.setenv(name, value)
    for conn_id, variable in (("flink", "RVA_FLINK_URL"), ("pulsar_admin", "RVA_PULSAR_ADMIN_URL")):
        address = urlsplit(stack[variable])
        connection = {"conn_type": conn_id, "host": address.hostname, "port": address.port}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    from airflow.sdk import exceptions

    from flink_rest import hooks, operators, sensors

    return Tasks(operators=operators, sensors=sensors, hooks=hooks, exceptions=exceptions)


def a_try(number: int = 1, *, run_id: str = "manual") -> dict[str, Any]:
    """The context of a task's try."""
    ti = SimpleNamespace(
        dag_id="d", run_id=run_id, task_id="t", map_index=-1, try_number=number, xcom_push=print_it
    )
    run = SimpleNamespace(run_after=datetime(2026, 11, 24, tzinfo=UTC))
    return {"ti": ti, "dag_run": run}


def print_it(**pushed: object) -> None:
    print(pushed)


def savepoints(settings: FlinkSettings, spec: JobSpec) -> list[str]:
    folder = settings.checkpoint_dir / spec.name / "savepoints"
    return [f"file:{each}" for each in sorted(folder.iterdir())] if folder.is_dir() else []


def test_second_request_of_an_id_makes_no_second_savepoint(
    flink: FlinkClient,
    settings: FlinkSettings,
    spec: JobSpec,
    ensure: Callable[..., EnsuredJob],
) -> None:
    job_id = ensure().job_id
    wait_for(JobRuns(flink, job_id))
    directory, request_id = (
        str(settings.checkpoint_dir / spec.name / "savepoints"),
        uuid.uuid4().hex,
    )
    for _ in range(2):
        told = flink.request_stop_with_savepoint(job_id, directory, request_id=request_id)
        assert told == request_id
    wait_for(JobStops(flink, job_id, directory, [request_id]))
    # also when the job has ended
    flink.request_stop_with_savepoint(job_id, directory, request_id=request_id)
    assert len(savepoints(settings, spec)) == 1


def test_stop_whose_worker_died_is_found_by_the_next_try_and_resumed_from(
    flink: FlinkClient,
    settings: FlinkSettings,
    spec: JobSpec,
    ensure: Callable[..., EnsuredJob],
    tasks: Tasks,
) -> None:
    job_id = ensure().job_id
    wait_for(JobRuns(flink, job_id))
    stop = partial(tasks.operators.FlinkStopWithSavepointOperator, task_id="t", job_id=job_id)
    # the first try has asked, and is seen no more
    with pytest.raises(tasks.exceptions.TaskDeferred) as caught:
        stop(deferrable=True).execute(a_try(1))
    location = stop().execute(a_try(2))
    assert [location] == savepoints(settings, spec)
    assert flink.job(job_id).status is JobStatus.FINISHED
    # a trigger that was left over, and a task that knows of no request
    events = caught.value.trigger.run()
    event = asyncio.run(anext(events)).payload
    assert event == {"done": True, "job_id": job_id, "outcome": {"savepoint": location}}
    assert stop().execute(a_try(1, run_id="long after")) == location
    by_name = tasks.operators.FlinkStopWithSavepointOperator(task_id="t", job_name=spec.name)
    assert by_name.execute(a_try(1, run_id="by name")) == location
    assert savepoints(settings, spec) == [location]
    resumed = ensure(rows=5)
    assert f"file:{resumed.restored_from}" == location


def test_job_that_was_cancelled_cannot_be_stopped_with_a_savepoint(
    flink: FlinkClient, ensure: Callable[..., EnsuredJob], tasks: Tasks
) -> None:
    job_id = ensure().job_id
    cancel(flink, job_id)
    stop = tasks.operators.FlinkStopWithSavepointOperator(task_id="t", job_id=job_id)
    with pytest.raises(tasks.exceptions.AirflowFailException, match="is CANCELED: Flink names no"):
        stop.execute(a_try())


def test_savepoint_that_cannot_be_written_is_told_with_its_cause_and_the_job_runs_on(
    flink: FlinkClient, ensure: Callable[..., EnsuredJob]
) -> None:
    job_id = ensure().job_id
    wait_for(JobRuns(flink, job_id))
    nowhere = JobStops(flink, job_id, "file:///proc/nowhere", request_ids("x"))
    with pytest.raises(SavepointFailed, match=r"could not be stopped .*/proc/nowhere"):
        wait_for(nowhere)
    wait_for(JobRuns(flink, job_id))


def test_cancelled_job_is_waited_for_and_cancelled_once(
    flink: FlinkClient, spec: JobSpec, ensure: Callable[..., EnsuredJob], tasks: Tasks
) -> None:
    job_id = ensure().job_id
    by_name = tasks.operators.FlinkCancelJobOperator(task_id="t", job_name=spec.name)
    assert by_name.execute(a_try()) == "CANCELED"
    assert flink.job(job_id).status is JobStatus.CANCELED
    by_id = partial(tasks.operators.FlinkCancelJobOperator, task_id="t")
    assert by_id(job_id=job_id, deferrable=True).execute(a_try(2)) == "CANCELED"
    assert by_id(job_id="f" * 32).execute(a_try()) is None


def test_status_of_a_job_that_fails_is_told_with_its_root_cause_though_flink_restarts_it(
    spec: JobSpec, submit_job: Callable[[JobSpec], str], tasks: Tasks
) -> None:
    job_id = submit_job(replace(spec, arguments=("--name", spec.name, "--divide-by-zero")))
    sensor = partial(tasks.sensors.FlinkJobStatusSensor, task_id="t", job_id=job_id)
    with pytest.raises(JobFailed, match=BY_ZERO):
        sensor().execute(a_try())
    # Flink restarts it for ever, which may be what somebody waits for
    assert sensor(statuses=["RESTARTING", "FAILED"]).execute(a_try()) == "RESTARTING"


def test_checkpoint_after_now_is_waited_for_and_one_of_a_job_that_has_ended_does_not_come(
    flink: FlinkClient, ensure: Callable[..., EnsuredJob], tasks: Tasks
) -> None:
    job_id = ensure().job_id
    complete_checkpoint(flink, job_id)
    before = flink.checkpoints(job_id).latest_completed_id
    sensor = partial(tasks.sensors.FlinkCheckpointSensor, task_id="t", job_id=job_id)
    told = sensor(after=datetime.now(UTC)).execute(a_try())
    assert told["checkpoint_id"] > before
    assert Path(told["path"].removeprefix("file:")).name == f"chk-{told['checkpoint_id']}"
    cancel(flink, job_id)
    assert sensor(after="2026-01-01T00:00:00Z").execute(a_try())["checkpoint_id"] >= before
    with pytest.raises(tasks.exceptions.AirflowFailException, match="is CANCELED"):
        sensor(after=datetime.now(UTC).isoformat()).execute(a_try())


def test_backlog_is_drained_and_committed_or_the_end_of_the_job_is_told(
    deployment: Deployment, tasks: Tasks
) -> None:
    job_id = deployment.ensure("bronze_ingest").job_id
    table = f"{deployment.database}.bronze_raw"
    drained = partial(
        tasks.sensors.FlinkBacklogDrainedSensor,
        task_id="t",
        job_id=job_id,
        topic=deployment.topic,
        subscription="bronze",
    )
    committed = partial(tasks.sensors.IcebergCommitSensor, task_id="t", job_id=job_id, table=table)
    began = datetime.now(UTC)
    publish(deployment, numbered("m", 500))
    drained().execute(a_try())
    told = committed(since=began).execute(a_try())
    assert datetime.fromisoformat(told["committed_at"]) >= began
    deployment.wait_for_rows("bronze_raw", 500)
    assert committed(checkpoint_id=told["checkpoint_id"]).execute(a_try())["snapshot_id"] > 0

    deployment.cancel(job_id)
    publish(deployment, numbered("late", 3))
    with pytest.raises(tasks.exceptions.AirflowFailException, match="is CANCELED"):
        drained().execute(a_try())
    assert committed(since=began).execute(a_try())["checkpoint_id"] >= told["checkpoint_id"]
    with pytest.raises(tasks.exceptions.AirflowFailException, match="is CANCELED"):
        committed(since=datetime.now(UTC)).execute(a_try())
    with pytest.raises(tasks.exceptions.AirflowFailException, match="no such topic"):
        drained(topic=f"{deployment.topic}-none").execute(a_try())
    with pytest.raises(tasks.exceptions.AirflowFailException, match="bronze_row"):
        tasks.sensors.IcebergCommitSensor(
            task_id="t", job_id=job_id, table=f"{deployment.database}.bronze_row"
        ).execute(a_try())


def test_connections_are_tested_in_a_line(tasks: Tasks, stack: dict[str, str]) -> None:
    works, told = tasks.hooks.FlinkHook().test_connection()
    assert works, told
    assert told.startswith(f"Flink 1.20.5 answers at {stack['RVA_FLINK_URL']}: ")
    works, told = tasks.hooks.PulsarAdminHook().test_connection()
    assert works, told
    assert told == f"Pulsar 4.0.8 answers at {stack['RVA_PULSAR_ADMIN_URL']}"
