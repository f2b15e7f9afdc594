"""Maintenance beside real jobs that run, are down, or lag: small tables, and nothing lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flink_rest.jobs import How
from flink_rest.settings import FlinkSettings
from frame_contract import Frame
from integration import walkers
from integration.conftest import ROOT, Deployment, new_deployment, wait_until
from integration.silver_rows import put_into_silver
from integration.test_prove import detections_in, prove_in_time, publish
from lakehouse.maintenance.budgets import BUDGETS
from lakehouse.maintenance.figures import Figures, figures
from lakehouse.maintenance.holds import Hold, holds
from lakehouse.maintenance.maintaining import Maintained, maintain
from lakehouse.maintenance.spent_deletes import take_out_spent
from lakehouse.query import session
from lakehouse.schema import DAILY_GOLD, TABLES
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import load
from oracle import oracle
from store_pipeline import maintaining

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMMITS = 6
SECONDS = 20
LOOKS_EVERY_SECONDS = 90
"""How long the job that lags leaves new snapshots unread: six commits take a few, or thirty where
the machine has other work."""


def part(number: int) -> list[Frame]:
    """Twenty seconds of one camera; each part is a run of its own."""
    start = START + number * timedelta(seconds=SECONDS)
    return walkers.frames("cam_01", start=start, seconds=SECONDS, seed=number, run=str(number))


def held_by_jobs(deployment: Deployment) -> tuple[Hold, ...]:
    checkpoints = FlinkSettings.from_env(deployment.variables).checkpoint_dir
    return holds(deployment.catalog, deployment.database, Path(checkpoints))


def maintain_all(
    deployment: Deployment,
    find: Callable[[Deployment], tuple[Hold, ...]] = held_by_jobs,
    names: Collection[str] = BUDGETS,
) -> dict[str, Maintained]:
    """All tables, or those named, of whose past nothing is kept but what jobs need."""
    settings = LakehouseSettings.from_env(deployment.variables)
    held = find(deployment)
    return {
        name: maintain(
            deployment.catalog,
            settings,
            name,
            held,
            print,
            budget=replace(budget, keep_snapshots=timedelta(0)),
        )
        for name, budget in BUDGETS.items()
        if name in names
    }


def figures_of(deployment: Deployment, table: str) -> Figures:
    with session(LakehouseSettings.from_env(deployment.variables)) as trino:
        return figures(trino, table, TABLES[table])


@pytest.fixture(scope="module")
def streaming(deployment: Deployment) -> list[Frame]:
    """Three jobs at work on six commits; what they have written is small files."""
    for job in ("bronze_ingest", "silver_detections", "gold_streaming"):
        deployment.ensure(job)
    frames: list[Frame] = []
    for number in range(COMMITS):
        frames += part(number)
        publish(deployment, part(number), [])
        deployment.wait_for_rows("silver_detection", detections_in(frames))
    return frames


def test_jobs_that_run_go_on_and_can_be_resumed(
    deployment: Deployment, streaming: list[Frame]
) -> None:
    """The tables are compacted and their past is gone while all three work."""
    done = maintain_all(deployment)
    assert done["bronze_raw"].before.most_data_files_a_day >= COMMITS
    for name in ("bronze_raw", "silver_detection"):
        assert done[name].after.most_data_files_a_day == 1, done[name]
        assert done[name].after.snapshots < done[name].before.snapshots
    streaming += part(COMMITS)
    publish(deployment, part(COMMITS), [])
    deployment.wait_for_rows("silver_detection", detections_in(streaming))
    for job, job_id in deployment.running().items():
        deployment.cancel(job_id)
        assert deployment.ensure(job).how is How.RESUMED
    streaming += part(COMMITS + 1)
    publish(deployment, part(COMMITS + 1), [])
    deployment.wait_for_rows("silver_detection", detections_in(streaming))
    prove_in_time(deployment)


def test_hourly_part_compacts_what_has_deletes_and_leaves_silver_in_its_order(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step of the DAG, in the environment that a task of it has, while the jobs run."""
    for name, value in deployment.variables.items():
        monkeypatch.setenv(name, value)
    for table in ("silver_detection", "gold_people_per_minute"):
        before = figures_of(deployment, table)
        assert before.most_data_files_a_day > 1
        maintaining.tidy(table, params={"forget": []})
        after = figures_of(deployment, table)
        assert (after.most_data_files_a_day == 1) is TABLES[table].upserted, after
        # the stream has deleted each key before it wrote it, which nothing had
        assert after.delete_files == 0, (before, after)


def test_job_that_is_down_keeps_what_it_needs_and_is_named(
    deployment: Deployment, streaming: list[Frame]
) -> None:
    deployment.cancel(deployment.running()["silver_detections"])
    needed = deployment.newest_snapshot("bronze_raw")
    for number in range(COMMITS + 2, COMMITS + 4):
        streaming += part(number)
        publish(deployment, part(number), [])
        wait_for_bronze(deployment, len(streaming))
    done = maintain_all(deployment)["bronze_raw"]
    assert any("silver_detections" in line and "it reads on" in line for line in done.left)
    assert needed in snapshots_of_bronze(deployment)
    assert deployment.ensure("silver_detections").how is How.RESUMED
    deployment.wait_for_rows("silver_detection", detections_in(streaming))

    def is_gone() -> bool:
        maintain_all(deployment, names=["bronze_raw"])
        return needed not in snapshots_of_bronze(deployment)

    # Bronze commits beside it: how many are kept says nothing
    wait_until("it has moved on, and what it needed goes", is_gone)
    prove_in_time(deployment)


def test_job_that_lags_keeps_what_it_has_not_read_is_named_and_catches_up(
    stack: dict[str, str], tmp_path: Path
) -> None:
    """It runs, and its checkpoints go on naming a snapshot that the table has left far behind."""
    start = START + timedelta(hours=2)
    past_all = walkers.frames("cam_01", start=start, seconds=2, seed=COMMITS, run="past all")
    frames = [frame for number in range(COMMITS) for frame in part(number)]
    expected = oracle.expected([walkers.write(tmp_path / "all.jsonl", [*frames, *past_all])])
    with new_deployment(stack) as deployment:
        put_into_silver(deployment, part(0), datetime.now(UTC))
        read = deployment.newest_commit("silver_detection")
        job = deployment.ensure(
            "gold_streaming", "--monitor-interval-seconds", str(LOOKS_EVERY_SECONDS)
        )
        wait_until("it has read the first", lambda: read_up_to(deployment) == read)
        for number in range(1, COMMITS):
            put_into_silver(deployment, part(number), datetime.now(UTC))
        put_into_silver(deployment, past_all, datetime.now(UTC))
        assert read_up_to(deployment) == read, "it has caught up before the maintenance"

        done = maintain_all(deployment)["silver_detection"]
        why = f"{deployment.job_name('gold_streaming')}: it reads on from there"
        assert any(line.endswith(why) for line in done.left), done.left
        # each commit, and the compaction
        assert done.after.snapshots == COMMITS + 2
        assert done.after.most_data_files_a_day == 1

        for name in DAILY_GOLD:
            wanted = closed_rows(expected[name])

            def shown(name: str = name) -> list[dict[str, object]]:
                return closed_rows(deployment.rows(name))

            def caught_up(
                shown: Callable[[], list[dict[str, object]]] = shown, rows: int = len(wanted)
            ) -> bool:
                return len(shown()) >= rows

            deployment.wait_for_tables(f"{name} has caught up", caught_up, [name])
            oracle.assert_same_rows(name, shown(), wanted, TABLES[name].key)
        assert deployment.rows("gold_late_events") == []
        assert deployment.flink.failures(job.job_id) == ()
        assert deployment.running() == {"gold_streaming": job.job_id}
        # it has moved on, and what it needed can go
        silver = ["silver_detection"]
        wait_until(
            "its checkpoint names the newest snapshot",
            lambda: maintain_all(deployment, names=silver)[silver[0]].after.snapshots <= 2,
        )


def read_up_to(deployment: Deployment) -> datetime | None:
    """Since when streaming Gold needs Silver's snapshots."""
    for hold in held_by_jobs(deployment):
        if hold.table == "silver_detection" and "gold_streaming" in hold.job:
            return hold.since
    return None


def closed_rows(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Those of a Gold table that began in the first hour, which is over for the stream."""
    [time_column] = {"ts_minute", "ts_hour", "start_ts"} & rows[0].keys() if rows else {""}
    return [row for row in rows if row[time_column] < START + timedelta(hours=1)]  # type: ignore[operator]


def snapshots_of_bronze(deployment: Deployment) -> set[int]:
    """Ids of those that are kept."""
    table = load(deployment.catalog, deployment.database, "bronze_raw")
    return {each.snapshot_id for each in table.snapshots()}


def wait_for_bronze(deployment: Deployment, frames: int) -> None:
    distinct = "SELECT count(*) FROM (SELECT DISTINCT run_id, frame_index FROM bronze_raw)"
    deployment.wait_for_tables(
        "Bronze has all frames", lambda: deployment.query(distinct) == [[frames]], ["bronze_raw"]
    )


def test_command_says_what_it_did_and_for_whom_it_left_what(
    deployment: Deployment, streaming: list[Frame]
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "lakehouse", "maintain", "bronze_raw", "gold_track_summary"],
        cwd=ROOT,
        env=deployment.variables,
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "bronze_raw: compacting" in ended.stdout
    assert " → " in ended.stdout
    refused = subprocess.run(
        [sys.executable, "-m", "lakehouse", "maintain"],
        cwd=ROOT,
        env={**deployment.variables, "RVA_CHECKPOINT_DIR": "/nowhere"},
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 0
    for job in ("bronze_ingest", "silver_detections", "gold_streaming"):
        assert f"--forget {job}" in refused.stdout


def test_deletes_that_apply_are_not_taken_out(
    deployment: Deployment, streaming: list[Frame]
) -> None:
    """Whoever takes them out brings back what was deleted. After those that prove Gold."""
    table = "gold_people_per_minute"
    rows = deployment.rows(table)
    deployment.query(f"DELETE FROM {table} WHERE ts_minute = ?", [START])
    kept = deployment.rows(table)
    assert 0 < len(kept) < len(rows)
    take_out_spent(deployment.catalog, deployment.database, table)
    assert figures_of(deployment, table).delete_files > 0
    oracle.assert_same_rows(table, deployment.rows(table), kept, TABLES[table].key)


def test_without_looking_at_checkpoints_the_job_cannot_be_resumed(
    deployment: Deployment, streaming: list[Frame]
) -> None:
    """The hole: the reader's snapshot expires while it is down. Last, since it breaks the job."""
    deployment.cancel(deployment.running()["silver_detections"])
    needed = deployment.newest_snapshot("bronze_raw")
    for number in range(COMMITS + 4, COMMITS + 6):
        publish(deployment, part(number), [])
        streaming += part(number)
        wait_for_bronze(deployment, len(streaming))
    maintain_all(deployment, find=lambda _: (), names=["bronze_raw"])
    assert needed not in snapshots_of_bronze(deployment)
    resumed = deployment.ensure("silver_detections")

    def causes() -> str:
        return " ".join(each.cause for each in deployment.flink.failures(resumed.job_id))

    wait_until(lambda: f"the job misses an ancestor: {causes()}", lambda: "ancestor" in causes())
