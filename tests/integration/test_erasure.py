"""Erasure beside running jobs: gone from every file, all else as it was, and the jobs go on."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from flink_rest.jobs import How
from frame_contract import Frame, encode
from integration import walkers
from integration.conftest import Deployment
from integration.test_backfill import assert_gold, rebuild
from integration.test_prove import detections_in, publish
from lakehouse.__main__ import main
from lakehouse.schema import DAILY_GOLD, TABLES
from lakehouse.tables import load

pytestmark = pytest.mark.integration

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=2)
JOBS = ("bronze_ingest", "silver_detections", "gold_streaming")
RUN_1, RUN_2 = "store_01-cam_01-1", "store_01-cam_01-2"
CUT = b'{"run_id":"store_01-cam_01-2","source":{"store_id":"store_01","camera_id":"cam_01",'
NEGATIVE = (
    b'{"run_id":"store_01-cam_01-2","frame_index":-1,"capture_ts":"2026-11-20T12:02:01.000Z",'
    b'"source":{"store_id":"store_01","camera_id":"cam_01","stream_id":"s"},'
    b'"image_size":{"width":100,"height":100},"detections":[{"track_id":2}]}'
)
NOBODYS = b"no JSON"


@dataclass
class World:
    """What the tables must have: the frames that are left, and the runs' way."""

    frames: list[Frame] = field(default_factory=list)
    quarantined: list[bytes] = field(default_factory=list)
    parts: int = 0

    def detections(self) -> int:
        return detections_in(self.frames)


def of_store(frames: Sequence[Frame], store: str) -> list[Frame]:
    return [
        replace(
            frame,
            source=replace(frame.source, store_id=store),
            run_id=frame.run_id.replace("store_01", store),
        )
        for frame in frames
    ]


def go_on(deployment: Deployment, world: World) -> None:
    """Another store sends on; each detection arrives once, and the jobs are those of before."""
    start = LATER + timedelta(minutes=world.parts)
    world.parts += 1
    made = walkers.frames("cam_09", start=start, seconds=10, seed=9, run=str(world.parts))
    made = of_store(made, "store_03")
    publish(deployment, made, [])
    world.frames += made
    deployment.wait_for_rows("silver_detection", world.detections())


@pytest.fixture(scope="module")
def world(deployment: Deployment) -> World:
    """Three jobs at work on three stores, four runs and some messages that are no frames."""
    for job in JOBS:
        deployment.ensure(job)
    made = World()
    made.frames += walkers.frames("cam_01", start=NOON, seconds=60, seed=1)
    later = NOON + timedelta(minutes=2)
    made.frames += walkers.frames("cam_01", start=later, seconds=20, seed=2, run="2")
    made.frames += walkers.frames("cam_02", start=NOON, seconds=60, seed=3)
    made.frames += of_store(walkers.frames("cam_01", start=NOON, seconds=30, seed=4), "store_02")
    made.quarantined += [CUT, NEGATIVE, NOBODYS]
    publish(deployment, made.frames, made.quarantined)
    deployment.wait_for_rows("silver_detection", made.detections())
    deployment.wait_for_rows("silver_quarantine", len(made.quarantined))
    go_on(deployment, made)
    cells = "SELECT count(DISTINCT store_id || camera_id) FROM {} WHERE ts_hour = ?"
    for name in ("gold_zone_dwell", "gold_zone_heatmap"):
        deployment.wait_for_tables(
            f"{name} has the hour",
            lambda name=name: deployment.query(cells.format(name), [NOON]) == [[3]],
            [name],
        )
    return made


@dataclass(frozen=True)
class Ended:
    """What a command printed and with which code it ended."""

    code: int
    out: str
    err: str


def erase(deployment: Deployment, *arguments: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, deployment.variables), redirect_stdout(out), redirect_stderr(err):
        code = main(["erase", *arguments])
    return Ended(code, out.getvalue(), err.getvalue())


def settled(deployment: Deployment) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table, of Gold those of hours that the stream has shown."""
    found = {}
    for name, table in TABLES.items():
        rows = deployment.rows(name)
        if table.upserted:
            time = table.partition_by_day_of
            rows = [row for row in rows if row[time] < LATER]  # type: ignore[operator]
        found[name] = sorted(rows, key=lambda row: [str(row[each]) for each in table.key])
    return found


def erase_and_compare(
    deployment: Deployment,
    world: World,
    selected: Sequence[str],
    gone: Callable[[dict[str, Any]], bool],
) -> dict[str, list[dict[str, Any]]]:
    """Erase; what is not `gone` of Silver and no window of its cameras must be as it was.

    Returns the rows after it.
    """
    assert erase(deployment, *selected, "--scan-only").code == 1
    running, before = deployment.running(), settled(deployment)
    ended = erase(deployment, *selected, "--yes")
    assert (ended.code, ended.err) == (0, ""), ended.out + ended.err
    assert "nothing of it is left" in ended.out
    assert f"make backfill FROM={DAY} TO={DAY}" in ended.out
    after = settled(deployment)
    left = [row for row in before["silver_detection"] if not gone(row)]
    assert left != before["silver_detection"]
    assert after["silver_detection"] == left
    cameras = {
        (row["store_id"], row["camera_id"]) for row in before["silver_detection"] if gone(row)
    }
    for name in (*DAILY_GOLD, "gold_late_events"):
        others = [
            [row for row in rows[name] if (row["store_id"], row["camera_id"]) not in cameras]
            for rows in (before, after)
        ]
        assert others[0] == others[1], name
        # an erasure before it may have taken all windows of its cameras
        assert len(after[name]) < len(before[name]) or before[name] == others[0], name
    for name in ("bronze_raw", "silver_detection"):
        deletes = f'SELECT count(*) FROM "{name}$files" WHERE content <> 0'
        assert deployment.query(deletes) == [[0]]
    go_on(deployment, world)
    assert deployment.running() == running
    assert erase(deployment, *selected, "--scan-only").code == 0
    return after


def payloads(rows: Sequence[dict[str, Any]]) -> list[bytes]:
    return sorted({bytes(row["payload"]) for row in rows})


def test_track(deployment: Deployment, world: World) -> None:
    """Its detections are cut out of the messages."""

    def gone(row: dict[str, Any]) -> bool:
        return (row["run_id"], row["track_id"]) == (RUN_1, 2)

    selected = ("--store", "store_01", "--camera", "cam_01", "--run", RUN_1, "--track", "2")
    world.frames = [
        replace(frame, detections=tuple(d for d in frame.detections if d.track_id != 2))
        if frame.run_id == RUN_1
        else frame
        for frame in world.frames
    ]
    after = erase_and_compare(deployment, world, selected, gone)
    sent = {encode(frame) for frame in world.frames if frame.capture_ts < LATER}
    received = [row for row in after["bronze_raw"] if "store_03" not in str(row["payload"])]
    assert set(payloads(received)) == sent | set(world.quarantined)
    assert len(after["silver_quarantine"]) == 3


def test_run_with_its_messages_that_are_no_frames(deployment: Deployment, world: World) -> None:
    world.frames = [frame for frame in world.frames if frame.run_id != RUN_2]
    world.quarantined = [NOBODYS]
    selected = ("--store", "store_01", "--camera", "cam_01", "--run", RUN_2)
    after = erase_and_compare(deployment, world, selected, lambda row: row["run_id"] == RUN_2)
    assert not set(payloads(after["bronze_raw"])) & {CUT, NEGATIVE}
    assert [row["payload"] for row in after["silver_quarantine"]] == [NOBODYS.decode()]


def test_stopped_job_is_named_and_nothing_is_changed(deployment: Deployment, world: World) -> None:
    deployment.cancel(deployment.running()["silver_detections"])
    before = settled(deployment)
    refused = erase(deployment, "--store", "store_02", "--yes")
    assert refused.code == 2
    assert "nothing was erased" in refused.err
    assert f"silver_detections@{deployment.database} still needs bronze_raw" in refused.err
    assert "--forget silver_detections" in refused.err
    assert settled(deployment) == before
    assert deployment.ensure("silver_detections").how is How.RESUMED
    go_on(deployment, world)


def test_camera_in_a_time(deployment: Deployment, world: World) -> None:
    since, until = NOON + timedelta(seconds=10), NOON + timedelta(seconds=30)

    def gone(row: dict[str, Any]) -> bool:
        return row["camera_id"] == "cam_02" and since <= row["capture_ts"] < until

    world.frames = [
        frame
        for frame in world.frames
        if not (frame.source.camera_id == "cam_02" and since <= frame.capture_ts < until)
    ]
    times = ("--from", since.isoformat(), "--to", until.isoformat())
    selected = ("--store", "store_01", "--camera", "cam_02", *times)
    after = erase_and_compare(deployment, world, selected, gone)
    sent = {encode(frame) for frame in world.frames if frame.capture_ts < LATER}
    received = [row for row in after["bronze_raw"] if "store_03" not in str(row["payload"])]
    assert set(payloads(received)) == sent | set(world.quarantined)


def test_store_and_then_gold_of_the_day_is_silvers(
    deployment: Deployment, world: World, tmp_path: Path
) -> None:
    world.frames = [frame for frame in world.frames if frame.source.store_id != "store_02"]
    erase_and_compare(
        deployment, world, ("--store", "store_02"), lambda row: row["store_id"] == "store_02"
    )
    rebuild(deployment, DAY)
    assert_gold(deployment, world.frames, tmp_path, DAY)


def test_jobs_go_on_from_their_checkpoints_and_commit_nothing_twice(
    deployment: Deployment, world: World
) -> None:
    """Their own commits of before the erasure have expired."""
    for job in JOBS:
        deployment.cancel(deployment.running()[job])
    for job in JOBS:
        assert deployment.ensure(job).how is How.RESUMED
    go_on(deployment, world)
    snapshots = load(deployment.catalog, deployment.database, "bronze_raw").snapshots()
    assert len(snapshots) > 1
