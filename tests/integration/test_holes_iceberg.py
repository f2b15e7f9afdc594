"""Known holes of Iceberg and Flink: each shown without its cover, and what the cover does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from flink_rest.commits import committed_checkpoints
from flink_rest.jobs import How
from flink_rest.waits import CheckpointCommitted
from frame_contract import Frame, encode
from integration import walkers
from integration.bronze_behind_proxy import MESSAGES, Bronze
from integration.bronze_snapshots import append_to_bronze
from integration.catalogue_proxy import CatalogueProxy, Commits
from integration.conftest import ROOT, Deployment, new_deployment, wait_until
from integration.flink_metrics import wait_until_read
from integration.stack_servers import kill
from integration.test_prove import prove
from lakehouse import tables
from lakehouse.closing import close_days

pytestmark = [pytest.mark.integration, pytest.mark.alone]

V1_COMMITTER = "IcebergFilesCommitter"
"""Step of the older Iceberg sink, which Flink SQL takes unless told otherwise."""


@pytest.fixture
def fresh(stack: dict[str, str]) -> Iterator[Deployment]:
    """A deployment for one test."""
    with new_deployment(stack) as made:
        yield made


# a. commits that fail after a completed checkpoint


@pytest.fixture
def bronze(fresh: Deployment) -> Iterator[Bronze]:
    with CatalogueProxy(fresh.variables["RVA_CATALOG_URI"]).running() as proxy:
        made = Bronze(fresh, proxy)
        made.publish(MESSAGES)
        yield made
        # a job cannot be cancelled while its commit is held back
        proxy.let_go.set()
        for job in fresh.flink.jobs():
            if job.name == fresh.job_name("bronze_ingest") and not job.status.is_terminal:
                fresh.cancel(job.job_id)


def test_rows_of_a_completed_checkpoint_are_not_in_the_table_until_recovery_commits_them(
    bronze: Bronze,
) -> None:
    bronze.proxy.commits = Commits.REFUSE
    job = bronze.ensure()
    wait_until("recovery has tried to commit again", lambda: len(bronze.proxy.seen) >= 2)
    # the hole: the checkpoint says that the source has moved on, the table lacks the rows
    first, second = bronze.proxy.seen[:2]
    flink = bronze.deployment.flink
    assert (flink.checkpoints(job.job_id).latest_completed_id or 0) >= first.checkpoint_id
    assert bronze.rows() == 0
    assert second == first, "recovery commits what the failed checkpoint held, as it was"
    [committer] = [
        step.name for step in flink.job(job.job_id).vertices if V1_COMMITTER in step.name
    ]
    assert committer

    bronze.proxy.commits = Commits.PASS
    bronze.wait_for_all_once()
    assert len({each.checkpoint_id for each in bronze.proxy.seen[:3]}) == 1


def test_job_cancelled_between_checkpoint_and_commit_commits_when_it_is_resumed(
    bronze: Bronze,
) -> None:
    bronze.proxy.commits = Commits.REFUSE
    job = bronze.ensure()
    bronze.wait_for_commit()
    bronze.deployment.cancel(job.job_id)
    # the hole: nothing runs, the newest checkpoint is past the messages, the table is empty
    assert bronze.rows() == 0

    bronze.proxy.commits = Commits.PASS
    resumed = bronze.ensure()
    assert resumed.how is How.RESUMED
    bronze.wait_for_all_once()


@pytest.mark.parametrize("server", ["catalog", "minio", "flink-taskmanager"])
def test_server_that_dies_when_a_commit_arrives_costs_no_row_and_doubles_none(
    bronze: Bronze, server: str
) -> None:
    def die_once() -> None:
        bronze.proxy.before_commit = lambda: None
        kill(server)

    bronze.proxy.before_commit = die_once
    bronze.ensure()
    bronze.wait_for_commit()
    wait_until("the table can be read again", bronze.can_be_read)
    bronze.wait_for_all_once()


@pytest.mark.parametrize("recovery", ["by Flink", "by a cancel and ensure_job"])
def test_commit_whose_answer_was_lost_is_not_made_twice(bronze: Bronze, recovery: str) -> None:
    lost = bronze.lose_an_answer(Commits.LOSE_ANSWER)
    if recovery != "by Flink":
        bronze.deployment.cancel(bronze.job_id)
        assert bronze.ensure().how is How.RESUMED
    bronze.wait_for_all_once()
    # the cover: the snapshot names its checkpoint, by which recovery sees that it is committed
    again = [each for each in bronze.proxy.seen if each is not lost]
    assert lost.checkpoint_id not in {each.checkpoint_id for each in again}
    assert lost.added_rows + sum(each.added_rows for each in again) == MESSAGES + 1


def test_commit_whose_answer_was_lost_would_be_made_twice_by_what_does_not_name_its_checkpoint(
    bronze: Bronze,
) -> None:
    lost = bronze.lose_an_answer(Commits.LOSE_ANSWER_AND_NAME)
    wait_until("recovery has committed", lambda: len(bronze.proxy.seen) >= 2)
    bronze.deployment.wait_for_rows("bronze_raw", MESSAGES + lost.added_rows)
    [[distinct]] = bronze.deployment.query("SELECT count(DISTINCT message_id) FROM bronze_raw")
    assert distinct == MESSAGES


def test_wait_for_a_commit_waits_longer_than_for_its_checkpoint(
    bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bronze.deployment.variables.items():
        monkeypatch.setenv(name, value)
    bronze.proxy.let_go.clear()
    flink = bronze.deployment.flink
    spec = replace(
        bronze.spec, arguments=(*bronze.spec.arguments, "--checkpoint-interval-seconds", "864000")
    )
    job_id = bronze.deployment.submit(spec)
    wait_until("the job runs", lambda: flink.job(job_id).runs_with_all_tasks)
    committed = committed_checkpoints(f"{bronze.deployment.database}.bronze_raw", job_id)

    wait_until_read(bronze.deployment, job_id, MESSAGES)
    ours = CheckpointCommitted(flink, job_id, committed)
    assert not ours.look()
    request = ours.request_id
    assert request is not None

    def is_held_back() -> bool:
        assert not ours.look()
        return bronze.proxy.waiting.is_set() and ours.checkpoint_id is not None

    wait_until("the checkpoint is complete and its commit under way", is_held_back)
    # the hole: a look at the checkpoint alone says that all is done
    assert CheckpointCommitted(flink, job_id, None, request_id=request).look()
    assert bronze.rows() == 0
    assert not ours.look()

    bronze.proxy.let_go.set()
    wait_until("the commit is there", ours.look)
    assert not ours.nothing_new
    assert ours.committed_id == ours.checkpoint_id == bronze.proxy.seen[0].checkpoint_id
    assert bronze.rows() == bronze.proxy.seen[0].added_rows > 0


# b. where a streaming read starts


def detections_in(frames: Sequence[Frame]) -> int:
    return sum(len(frame.detections) for frame in frames)


def test_streaming_read_without_starting_strategy_skips_what_is_there_and_silver_does_not(
    fresh: Deployment,
) -> None:
    parts = [
        walkers.frames(
            "cam_01",
            start=walkers.MIDNIGHT + timedelta(seconds=20 * number),
            seconds=10,
            seed=number,
            run=str(number),
        )
        for number in range(4)
    ]
    for number, part in enumerate(parts[:3]):
        append_to_bronze(fresh, [*map(encode, part)], number)
    job_id = fresh.submit(fresh.uncovered_spec("silver_detections"))
    newest = detections_in(parts[2])
    fresh.wait_for_rows("silver_detection", newest)
    append_to_bronze(fresh, [*map(encode, parts[3])], 3)
    # the hole: the first two snapshots are skipped for good, and nothing says so
    fresh.wait_for_rows("silver_detection", newest + detections_in(parts[3]))
    assert fresh.query("SELECT DISTINCT run_id FROM silver_detection ORDER BY 1") == [
        ["store_01-cam_01-2"],
        ["store_01-cam_01-3"],
    ]
    assert fresh.flink.failures(job_id) == ()
    fresh.cancel(job_id)
    tables.empty(fresh.catalog, fresh.database, "silver_detection")

    fresh.start_afresh("silver_detections")
    fresh.wait_for_rows("silver_detection", sum(map(detections_in, parts)))


# c. what comes again after Silver has forgotten it

TTL_SECONDS = 3
DAY = date(2026, 11, 20)
HALF_BAD = (
    b'{"source":{"store_id":"store_01","camera_id":"cam_09","stream_id":"old"},"frame_index":1,'
    b'"capture_ts":"2026-11-20T12:00:00.200Z","image_size":{"width":100,"height":100},'
    b'"detections":[{"det_id":"x","class":"dog","bbox":{"x1":5,"y1":1,"x2":4,"y2":9},"conf":0.5}]}'
)


def deduplicate(deployment: Deployment, *arguments: str) -> tuple[int, str]:
    """Run the command; returns its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "lakehouse", "deduplicate", *arguments],
        cwd=ROOT,
        env={**os.environ, **deployment.variables},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def in_silver(deployment: Deployment) -> dict[str, int]:
    """Rows of Silver by run."""
    return dict(
        deployment.query("SELECT run_id, count(*) FROM silver_detection GROUP BY run_id")  # type: ignore[arg-type]
    )


def test_sending_after_the_state_has_expired_doubles_silver_and_is_repaired_while_jobs_run(
    fresh: Deployment,
) -> None:
    start = datetime(2026, 11, 20, 10, tzinfo=UTC)
    frames = walkers.frames("cam_01", start=start, seconds=20, seed=1)
    detections = detections_in(frames)
    ledgers = count()
    payloads = [*map(encode, frames), HALF_BAD]
    silver = fresh.ensure("silver_detections", "--state-ttl-seconds", str(TTL_SECONDS))
    append_to_bronze(fresh, payloads, next(ledgers))
    fresh.wait_for_rows("silver_detection", detections)
    fresh.wait_for_rows("silver_quarantine", 1)
    before = sorted(map(str, fresh.rows("silver_detection")))
    taken_in_at = time.monotonic()
    wait_until("the state has expired", lambda: time.monotonic() > taken_in_at + TTL_SECONDS)

    # the hole: a second sending is taken for new, and Gold counts it
    append_to_bronze(fresh, payloads, next(ledgers))
    fresh.wait_for_rows("silver_detection", 2 * detections)
    fresh.wait_for_rows("silver_quarantine", 2)
    gold = fresh.ensure("gold_streaming")
    fresh.run_batch("gold_batch", "--day", str(DAY))
    proven = prove(fresh)
    assert proven.code == 1
    assert "silver_detection doubled: store_id=store_01 camera_id=cam_01" in proven.out

    code, out = deduplicate(fresh)
    assert code == 1
    assert f"{DAY}: {detections} rows beyond the first of {detections} detections" in out
    assert "silver_quarantine: 1 rows of messages that were sent again" in out
    fresh.wait_for_rows("silver_detection", 2 * detections)

    # the cover, while Silver commits to the same day
    meanwhile = [
        walkers.frames("cam_02", start=start + timedelta(minutes=n), seconds=1, seed=n, run=str(n))
        for n in range(1, 9)
    ]
    repaired: list[tuple[int, str]] = []
    repair = threading.Thread(target=lambda: repaired.append(deduplicate(fresh, "--repair")))
    repair.start()
    for part in meanwhile:
        append_to_bronze(fresh, [*map(encode, part)], next(ledgers))
    repair.join()
    [(code, out)] = repaired
    assert code == 0, out
    assert f"silver_detection {DAY}: {detections} rows taken out, 0 left" in out
    assert "silver_quarantine: 1 rows taken out, 0 left" in out
    assert f"make backfill DAY={DAY}" in out
    expected = detections + sum(map(detections_in, meanwhile))
    wait_until(
        lambda: f"each detection is in Silver once: {in_silver(fresh)}",
        lambda: sum(in_silver(fresh).values()) == expected,
    )
    kept = [row for row in fresh.rows("silver_detection") if row["camera_id"] == "cam_01"]
    assert sorted(map(str, kept)) == before
    assert len(fresh.rows("silver_quarantine")) == 1
    assert deduplicate(fresh) == (
        0,
        "silver_quarantine: 0 rows of messages that were sent again\nnothing is doubled\n",
    )

    for job_id in (silver.job_id, gold.job_id):
        assert fresh.flink.failures(job_id) == ()
        fresh.cancel(job_id)
    fresh.run_batch("gold_batch", "--day", str(DAY))
    close_days(fresh.catalog, fresh.database, [DAY])
    proven = prove(fresh)
    assert proven.code == 0, proven.out

    # what a job wrote twice from one row of Bronze cannot be told apart: it is left, and said so
    table = tables.load(fresh.catalog, fresh.database, "silver_detection")
    table.append(table.scan("camera_id = 'cam_01' and frame_index < 5").to_arrow())
    same = detections_in(frames[:5])
    code, out = deduplicate(fresh, "--repair")
    assert code == 1
    assert f"silver_detection {DAY}: 0 rows taken out, {same} left" in out
    assert f"{same} rows are left" in out
    assert in_silver(fresh)["store_01-cam_01-1"] == detections + same


def test_only_quarantine_row_of_a_message_that_bronze_has_twice_is_kept_by_a_repair(
    fresh: Deployment,
) -> None:
    read_twice, sent_twice = HALF_BAD, HALF_BAD.replace(b'"frame_index":1', b'"frame_index":2')
    silver = fresh.ensure("silver_detections", "--state-ttl-seconds", str(TTL_SECONDS))
    append_to_bronze(fresh, [read_twice], 0, times=2)
    append_to_bronze(fresh, [sent_twice], 1)
    fresh.wait_for_rows("silver_quarantine", 2)
    kept = sorted(map(str, fresh.rows("silver_quarantine")))
    taken_in_at = time.monotonic()
    wait_until("the state has expired", lambda: time.monotonic() > taken_in_at + TTL_SECONDS)
    append_to_bronze(fresh, [sent_twice], 2)
    fresh.wait_for_rows("silver_quarantine", 3)
    fresh.cancel(silver.job_id)

    assert deduplicate(fresh) == (
        1,
        "silver_quarantine: 1 rows of messages that were sent again\n"
        "nothing was changed: --repair takes them out\n",
    )
    assert deduplicate(fresh, "--repair") == (
        0,
        "silver_quarantine: 1 rows of messages that were sent again\n"
        "silver_quarantine: 1 rows taken out, 0 left\n",
    )
    assert sorted(map(str, fresh.rows("silver_quarantine"))) == kept

    # what a job wrote twice from one row of Bronze cannot be told apart: it is left, and said so
    table = tables.load(fresh.catalog, fresh.database, "silver_quarantine")
    table.append(table.scan().to_arrow())
    code, out = deduplicate(fresh, "--repair")
    assert code == 1
    assert "silver_quarantine: 0 rows taken out, 2 left" in out
    assert sorted(map(str, fresh.rows("silver_quarantine"))) == sorted(2 * kept)
