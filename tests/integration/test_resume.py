"""Streaming jobs come back where they were while messages go on: none lost, none doubled."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
import pulsar
import pytest

from frame_contract import Frame, encode, event_time_ms, message_key, message_properties
from integration import stack_servers, walkers
from integration.bronze_counts import bronze_count
from integration.conftest import ANSWER_SECONDS, ROOT, Deployment, stack_variables, wait_until
from lakehouse.checkpoints import newest_checkpoint
from local_stack.servers import AIRFLOW_SERVERS
from local_stack.settings import StackSettings
from local_stack.supervision import Supervisor, runs

pytestmark = [pytest.mark.integration, pytest.mark.alone]

STREAMS = ("bronze_ingest", "silver_detections", "gold_streaming")
MORNING = datetime(2026, 11, 22, 10, tzinfo=UTC)
MESSAGES_A_SECOND = 20
CHECKPOINT_SECONDS = "2"


@cache
def frames() -> list[Frame]:
    """More than are published in all."""
    return walkers.frames("cam_01", start=MORNING, seconds=7000, seed=1)


def later() -> list[Frame]:
    """They move the watermark past every hour of `frames`."""
    start = MORNING + timedelta(hours=3)
    return walkers.frames("cam_01", start=start, seconds=2, seed=2, run="later")


@dataclass(frozen=True)
class Ended:
    """What a command printed and with which code it ended."""

    code: int
    out: str
    err: str


def run(deployment: Deployment, *command: str) -> Ended:
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ
        | deployment.variables
        | {
            "PYTHONPATH": str(ROOT / "plugins"),
            "RVA_CHECKPOINT_INTERVAL_SECONDS": CHECKPOINT_SECONDS,
        },
        capture_output=True,
        text=True,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def ensure(deployment: Deployment, *arguments: str) -> dict[str, str]:
    """Run the command; returns what it says of each job, less the ids."""
    ended = run(deployment, "store_pipeline", "ensure", *arguments)
    assert ended.code == 0, ended.err
    told = told_of_each(ended)
    assert set(told) == set(STREAMS)
    return told


def told_of_each(ended: Ended) -> dict[str, str]:
    told = dict(line.split(": ", 1) for line in ended.out.splitlines())
    return {job: re.split(",? job| from", text)[0] for job, text in told.items()}


def stack_command(*arguments: str, module: str = "local_stack") -> None:
    """Run a command for the stack and its default database."""
    subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | stack_variables() | {"PYTHONPATH": str(ROOT / "plugins")},
        check=True,
    )


def all_are(how: str) -> dict[str, str]:
    return dict.fromkeys(STREAMS, how)


@dataclass
class Camera:
    """Publishes frames one by one, every tenth twice, at a steady pace whatever the servers do."""

    deployment: Deployment
    published: list[Frame] = field(default_factory=list)
    messages: int = 0
    failed: list[pulsar.Result] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Publish meanwhile; at the end every message is acknowledged."""
        stop = threading.Event()
        thread = threading.Thread(target=self._publish_until, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert self.failed == []

    def publish(self, several: list[Frame]) -> None:
        with self._producer() as producer:
            for frame in several:
                self._send(producer, frame)
            producer.flush()

    def _publish_until(self, stop: threading.Event) -> None:
        with self._producer() as producer:
            while not stop.wait(1 / MESSAGES_A_SECOND):
                self._send(producer, frames()[len(self.published)])
            producer.flush()

    @contextmanager
    def _producer(self) -> Iterator[pulsar.Producer]:
        """A producer that waits for as long as Pulsar is down, and is known when it comes back."""
        client = pulsar.Client(
            self.deployment.variables["RVA_PULSAR_URL"],
            logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error),
        )
        try:
            yield client.create_producer(
                self.deployment.topic,
                producer_name="cam_01",
                batching_enabled=False,
                block_if_queue_full=True,
                send_timeout_millis=0,
            )
        finally:
            client.close()

    def _send(self, producer: pulsar.Producer, frame: Frame) -> None:
        for _ in range(2 if len(self.published) % 10 == 0 else 1):
            producer.send_async(
                encode(frame),
                self._acknowledged,
                properties=message_properties(frame),
                partition_key=message_key(frame),
                event_timestamp=event_time_ms(frame),
            )
            self.messages += 1
        self.published.append(frame)

    def _acknowledged(self, result: pulsar.Result, _: object) -> None:
        if result != pulsar.Result.Ok:
            self.failed.append(result)


@pytest.fixture(scope="module")
def camera(deployment: Deployment) -> Camera:
    """The jobs run, and a first minute has gone through."""
    nothing = run(deployment, "store_pipeline", "ensure", "--resume-only")
    assert (nothing.code, deployment.running()) == (0, {})
    assert ensure(deployment) == all_are("started")
    made = Camera(deployment)
    made.publish(frames()[:300])
    assert_all_is_there_once(made)
    return made


def assert_all_is_there_once(camera: Camera) -> None:
    """Every message in Bronze, every detection in Silver, Gold as far as the stream has come."""
    deployment = camera.deployment
    deployment.wait_for_rows("bronze_raw", camera.messages)
    deployment.wait_for_rows(
        "silver_detection", sum(len(frame.detections) for frame in camera.published)
    )
    audited = run(deployment, "lakehouse", "audit")
    assert audited.code == 0, audited.out + audited.err
    proven: list[Ended] = []

    def holds() -> bool:
        proven.append(run(deployment, "lakehouse", "prove"))
        return proven[-1].code == 0

    wait_until(lambda: f"all is proven: {proven[-1].out}{proven[-1].err}", holds)


def wait_for_a_commit(deployment: Deployment) -> None:
    """Wait until Bronze has more rows than it has now."""
    before = bronze_count(deployment)
    deployment.wait_for_tables(
        "Bronze commits more", lambda: bronze_count(deployment) > before, ["bronze_raw"]
    )


def of_the_default_database(deployment: Deployment) -> set[str]:
    """Names of the jobs that have not ended and are of no test's database."""
    alive = {job.name for job in deployment.flink.jobs() if not job.status.is_terminal}
    return {name for name in alive if "@" not in name}


def answers(deployment: Deployment) -> bool:
    try:
        url = f"{deployment.variables['RVA_FLINK_URL']}/overview"
        return httpx.get(url, timeout=ANSWER_SECONDS).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def recovery(what: str, deployment: Deployment) -> Iterator[None]:
    """Tell how long it is from here until Bronze commits again."""
    began = time.monotonic()
    yield
    wait_for_a_commit(deployment)
    print(f"{what}: {time.monotonic() - began:.0f} s to the next commit")


def test_cancelled_jobs_go_on_where_they_were(deployment: Deployment, camera: Camera) -> None:
    with camera.at_work():
        wait_for_a_commit(deployment)
        with recovery("cancel and ensure", deployment):
            for job_id in deployment.running().values():
                deployment.cancel(job_id)
            for job, told in ensure(deployment, "--resume-only").items():
                assert told.startswith("left alone, as somebody has ended " + job)
            assert deployment.running() == {}
            assert ensure(deployment) == all_are("resumed")
    assert_all_is_there_once(camera)


def test_jobs_come_back_by_themselves_after_a_taskmanager_s_death(
    deployment: Deployment, camera: Camera
) -> None:
    before = deployment.running()
    with camera.at_work():
        wait_for_a_commit(deployment)
        with recovery("TaskManager killed", deployment):
            stack_servers.kill("flink-taskmanager")
    assert_all_is_there_once(camera)
    assert ensure(deployment) == all_are("adopted")
    assert deployment.running() == before


def test_jobs_are_brought_back_after_a_jobmanager_s_death(
    deployment: Deployment, camera: Camera
) -> None:
    with camera.at_work():
        wait_for_a_commit(deployment)
        with recovery("JobManager killed, ensure", deployment):
            stack_servers.kill("flink-jobmanager")
            wait_until("the JobManager is back", lambda: answers(deployment))
            assert deployment.running() == {}
            assert ensure(deployment, "--resume-only") == all_are("resumed")
    assert_all_is_there_once(camera)


@contextmanager
def checkpoint_that_does_not_fit(deployment: Deployment, job: str, *, of: str) -> Iterator[None]:
    """Give a job another one's newest checkpoint, as if its own version had left such a one."""
    checkpoints = Path(deployment.variables["RVA_CHECKPOINT_DIR"])
    newest = newest_checkpoint(checkpoints / deployment.job_name(of))
    assert newest is not None
    folder = checkpoints / deployment.job_name(job) / "of_another_version"
    shutil.copytree(newest, folder / "chk-1")
    (folder / "chk-1" / "_metadata").touch()
    try:
        yield
    finally:
        shutil.rmtree(folder)


def test_stream_that_cannot_be_resumed_keeps_none_of_the_others_down(
    deployment: Deployment, camera: Camera
) -> None:
    with camera.at_work():
        wait_for_a_commit(deployment)
        stack_servers.kill("flink-jobmanager")
        wait_until("the JobManager is back", lambda: answers(deployment))
        assert deployment.running() == {}
        with checkpoint_that_does_not_fit(deployment, "silver_detections", of="bronze_ingest"):
            ended = run(deployment, "store_pipeline", "ensure", "--resume-only")
        assert ended.code == 2
        assert told_of_each(ended) == dict.fromkeys(("bronze_ingest", "gold_streaming"), "resumed")
        errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, ended.err
        name = deployment.job_name("silver_detections")
        assert errors[0].startswith(f"error: {name} cannot be resumed from"), ended.err
        assert set(deployment.running()) == {"bronze_ingest", "gold_streaming"}
        wait_for_a_commit(deployment)
        # the other's checkpoint is away, so its own is the newest again
        assert ensure(deployment) == all_are("adopted") | {"silver_detections": "resumed"}
    assert_all_is_there_once(camera)


def test_two_commands_at_once_make_one_job_each(deployment: Deployment, camera: Camera) -> None:
    with camera.at_work():
        wait_for_a_commit(deployment)
        for job_id in deployment.running().values():
            deployment.cancel(job_id)
        told: list[dict[str, str]] = []
        threads = [
            threading.Thread(target=lambda: told.append(ensure(deployment))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for job in STREAMS:
            assert sorted(each[job] for each in told) == ["adopted", "resumed"]
        wait_for_a_commit(deployment)
    assert_all_is_there_once(camera)


def test_jobs_are_brought_back_after_the_whole_stack_was_down(
    deployment: Deployment, camera: Camera
) -> None:
    states = Supervisor(StackSettings.load()).states()
    if any(runs(states.get(server.name)) for server in AIRFLOW_SERVERS):
        pytest.skip("Airflow runs on this stack: it is not taken down")
    # those of the default database, as `make demo` leaves them; `make up` brings them back
    before = of_the_default_database(deployment)
    if not before <= set(STREAMS):
        pytest.skip(f"{', '.join(before)} runs on this stack: it is not taken down")
    with camera.at_work():
        wait_for_a_commit(deployment)
        stack_command("down")
        with recovery("down; up and ensure", deployment):
            stack_command("up")
            assert ensure(deployment, "--resume-only") == all_are("resumed")
    assert_all_is_there_once(camera)
    stack_command("ensure", "--resume-only", module="store_pipeline")
    assert of_the_default_database(deployment) == before


def test_every_hour_of_streaming_gold_is_proven_after_all_that(
    deployment: Deployment, camera: Camera
) -> None:
    camera.publish(later())
    assert_all_is_there_once(camera)

    def passed() -> bool:
        return (
            "streaming Gold has passed 2026-11-22 12:59:5"
            in run(deployment, "lakehouse", "prove").out
        )

    wait_until("streaming Gold has passed every hour", passed)
    assert_all_is_there_once(camera)


def test_start_that_would_double_is_refused_with_the_command_that_repairs(
    deployment: Deployment, camera: Camera
) -> None:
    for job in ("bronze_ingest", "gold_streaming"):
        deployment.cancel(deployment.running()[job])
    name = deployment.job_name("bronze_ingest")
    checkpoints = Path(deployment.variables["RVA_CHECKPOINT_DIR"]) / name
    away = checkpoints.rename(checkpoints.with_name(f"{name}.away"))
    try:
        ended = run(deployment, "store_pipeline", "ensure")
        assert ended.code == 2
        assert told_of_each(ended) == {
            "silver_detections": "adopted",
            "gold_streaming": "resumed",
        }
        assert ended.err.startswith(
            f"error: {name} is not started afresh: {deployment.database}.bronze_raw holds "
            f"{camera.messages:,} rows"
        ), ended.err
        assert 'make lakehouse ARGS="empty bronze_raw"' in ended.err
        assert ended.err.count("\n") == 1
        assert set(deployment.running()) == {"silver_detections", "gold_streaming"}
    finally:
        away.rename(checkpoints)
    assert ensure(deployment) == all_are("adopted") | {"bronze_ingest": "resumed"}
    assert_all_is_there_once(camera)


def test_start_without_the_checkpoint_would_have_doubled(
    deployment: Deployment, camera: Camera
) -> None:
    """What all of the above is for; the last test of the module, since Bronze is spoilt by it."""
    deployment.cancel(deployment.running()["bronze_ingest"])
    deployment.start_afresh("bronze_ingest")
    deployment.wait_for_rows("bronze_raw", 2 * camera.messages)
    audited = run(deployment, "lakehouse", "audit")
    assert audited.code == 1
    assert run(deployment, "lakehouse", "prove").code == 1
