"""The end of a finite replay: `finish` has streaming Gold close what is open, inventing nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flink_rest.jobs import How
from frame_contract import Frame, decode
from integration import walkers
from integration.conftest import ROOT, Deployment
from integration.test_late_events import LATENESS as USUAL_LATENESS
from integration.test_late_events import MS, Key, counted, left_out, wait_for_count
from integration.test_prove import detections_in, prove, prove_in_time, publish
from lakehouse.backfill import auditing, drift
from lakehouse.backfill.claims import branch_heads, claim, release
from lakehouse.schema import DAILY_GOLD, TABLES
from lakehouse.settings import LakehouseSettings
from oracle import oracle

pytestmark = pytest.mark.integration

DAY = date(2026, 11, 23)
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINUTES = 5
HOUR = START + timedelta(hours=1)
OWNER = "a test"
LATENESS_SECONDS = 120
"""Over what Bronze takes in within a millisecond: to the proof, any of that can have come first."""
LATENESS = ("--lateness-seconds", str(LATENESS_SECONDS))


@dataclass
class Finished:
    """What `finish` printed and with which code it ended."""

    code: int
    out: list[str]
    err: str


def finish(deployment: Deployment, *arguments: str) -> Finished:
    ended = subprocess.run(
        [sys.executable, "-m", "store_pipeline", "finish", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins"), **deployment.variables},
        capture_output=True,
        text=True,
    )
    return Finished(ended.returncode, ended.stdout.splitlines(), ended.stderr)


def simulated(folder: Path) -> list[Frame]:
    """Two cameras of the simulator, and a third with tracks and visits at the edge of a gap."""
    arguments = ("small", "--duration-minutes", str(MINUTES), "--out", str(folder))
    subprocess.run([sys.executable, "-m", "store_simulator", *arguments], check=True)
    frames = [
        decode(line)
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.read_bytes().splitlines()
    ]
    start = START + timedelta(minutes=MINUTES, seconds=-70)
    return frames + walkers.frames("cam_03", start=start, seconds=69, seed=3)


def assert_gold(deployment: Deployment, frames: Sequence[Frame], folder: Path) -> None:
    """Gold has the rows that the frames must lead to, all of them, and no others."""
    expected = oracle.expected([walkers.write(folder / "all.jsonl", list(frames))])
    for table in DAILY_GOLD:
        assert expected[table]
        oracle.assert_same_rows(table, deployment.rows(table), expected[table], TABLES[table].key)


@pytest.fixture(scope="module")
def replayed(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> list[Frame]:
    """Frames of three cameras that end within an hour, with all streams running."""
    frames = simulated(tmp_path_factory.mktemp("simulated"))
    for job in ("bronze_ingest", "silver_detections"):
        deployment.ensure(job)
    deployment.ensure("gold_streaming", *LATENESS)
    publish(deployment, frames, [])
    return frames


@pytest.fixture(scope="module")
def finished(deployment: Deployment, replayed: list[Frame]) -> Finished:
    """The command, given right after the replay."""
    return finish(deployment)


def test_gold_is_whole_when_the_command_returns(
    deployment: Deployment, replayed: list[Frame], finished: Finished, tmp_path: Path
) -> None:
    assert (finished.code, finished.err) == (0, ""), finished.err
    assert finished.out[1] == "the end of 2026-11-23 11:00:00 UTC is declared"
    assert_gold(deployment, replayed, tmp_path)
    assert counted(deployment) == {}


def test_streaming_gold_equals_the_batch_of_the_day_on_every_key(
    deployment: Deployment, replayed: list[Frame], finished: Finished
) -> None:
    settings = LakehouseSettings.from_env(deployment.variables)
    claimed = claim(deployment.catalog, deployment.database, DAY, OWNER)
    try:
        deployment.run_batch(
            "gold_batch",
            *("--branch", claimed.branch, "--day", DAY.isoformat()),
            *("--silver-snapshot-id", str(claimed.silver_snapshot_id)),
        )
        heads = branch_heads(deployment.catalog, deployment.database, DAY)
        assert all(each.holds for each in auditing.audit(settings, claimed, heads))
        for each in drift.measure(settings, claimed, heads):
            alike = drift.Drift(each.table, len(deployment.rows(each.table)), 0, 0, 0)
            assert each == alike
    finally:
        release(deployment.catalog, deployment.database, DAY, OWNER)


def test_proof_compares_what_the_end_has_closed(deployment: Deployment, finished: Finished) -> None:
    proven = prove(deployment, *LATENESS)
    assert proven.code == 0, proven.out
    assert "streaming Gold has passed 2026-11-23 10:59:59" in proven.out
    left_out = [line.strip() for line in proven.out.splitlines() if "left out" in line]
    assert left_out == [
        f"{table}: 0 open and 0 touched by late events, left out" for table in DAILY_GOLD
    ]


def test_command_given_again_changes_nothing(deployment: Deployment, finished: Finished) -> None:
    def newest() -> dict[str, object]:
        return {
            table: deployment.query(f'SELECT max(snapshot_id) FROM "{table}$history"')
            for table in (*DAILY_GOLD, "gold_replay_end")
        } | {table: sorted(map(str, deployment.rows(table))) for table in DAILY_GOLD}

    before = newest()
    again = finish(deployment)
    assert (again.code, again.out[1]) == (0, "the end of 2026-11-23 11:00:00 UTC was declared")
    after = newest()
    assert {name: after[name] for name in DAILY_GOLD} == {name: before[name] for name in DAILY_GOLD}
    assert len(deployment.rows("gold_replay_end")) == 1


@pytest.fixture(scope="module")
def late(deployment: Deployment, replayed: list[Frame], finished: Finished) -> list[Frame]:
    """A fourth camera, of the hour whose end was declared."""
    start = START + timedelta(minutes=30)
    frames = walkers.frames("cam_04", start=start, seconds=10, seed=4)
    publish(deployment, frames, [])
    deployment.wait_for_rows("silver_detection", detections_in([*replayed, *frames]))
    return frames


def test_what_comes_after_the_end_is_late_and_counted(
    deployment: Deployment, replayed: list[Frame], late: list[Frame], tmp_path: Path
) -> None:
    wait_for_count(deployment, left_out_after_the_end(late))
    assert_gold(deployment, replayed, tmp_path)
    assert prove_in_time(deployment, *LATENESS).code == 0


def left_out_after_the_end(frames: Sequence[Frame]) -> dict[Key, tuple[int, float]]:
    """Count what each table must leave out: the end is as a capture that is the lateness after."""
    longer = LATENESS_SECONDS - USUAL_LATENESS.total_seconds()
    return {
        key: (count, round(seconds + longer, 3))
        for key, (count, seconds) in left_out(frames, newest=HOUR - MS + USUAL_LATENESS).items()
    }


@pytest.fixture(scope="module")
def later(deployment: Deployment, replayed: list[Frame], late: list[Frame]) -> list[Frame]:
    """The first camera again, in the next hour."""
    start = HOUR + timedelta(minutes=5)
    frames = walkers.frames("cam_01", start=start, seconds=70 + LATENESS_SECONDS, seed=5, run="2")
    publish(deployment, frames, [])
    deployment.wait_for_rows("silver_detection", detections_in([*replayed, *late, *frames]))
    return frames


def test_next_hour_flows_as_before(deployment: Deployment, later: list[Frame]) -> None:
    start = later[0].capture_ts
    deployment.wait_for_tables(
        "the first minute of the next hour is shown",
        lambda: start in {row["ts_minute"] for row in deployment.rows("gold_people_per_minute")},
        ["gold_people_per_minute"],
    )


def test_resume_after_an_end_keeps_what_is_open_for_the_next_end(
    deployment: Deployment,
    replayed: list[Frame],
    late: list[Frame],
    later: list[Frame],
    tmp_path: Path,
) -> None:
    before = counted(deployment)
    deployment.cancel(deployment.running()["gold_streaming"])
    without_it = finish(deployment)
    assert (without_it.code, without_it.out) == (2, [])
    assert f"gold_streaming@{deployment.database} does not run" in without_it.err
    assert deployment.ensure("gold_streaming", *LATENESS).how is How.RESUMED
    again = finish(deployment)
    assert (again.code, again.err) == (0, "")
    assert again.out[1] == "the end of 2026-11-23 12:00:00 UTC is declared"
    assert_gold(deployment, [*replayed, *later], tmp_path)
    assert counted(deployment) == before


def test_fresh_start_ignores_the_ends_of_before_and_loses_nothing(
    deployment: Deployment,
    replayed: list[Frame],
    late: list[Frame],
    later: list[Frame],
    tmp_path: Path,
) -> None:
    deployment.cancel(deployment.running()["gold_streaming"])
    for table in (*DAILY_GOLD, "gold_late_events"):
        deployment.query(f"DELETE FROM {table}")
    deployment.start_afresh("gold_streaming", *LATENESS)
    again = finish(deployment)
    assert (again.code, again.err) == (0, "")
    assert again.out[1] == "the end of 2026-11-23 12:00:00 UTC is declared"
    # what was late is read in the order of arrival, before anything of the next hour
    assert_gold(deployment, [*replayed, *late, *later], tmp_path)
    assert counted(deployment) == {}
