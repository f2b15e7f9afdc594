"""The DAG `retail_video_analytics`, by `airflow dags test`, on real video through every system."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.conftest import ROOT, Deployment
from lakehouse.quality.checks import load
from lakehouse.schema import DAILY_GOLD, TABLES
from local_stack.servers import airflow
from local_stack.settings import StackSettings
from oracle import oracle

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(2400)]

SHARED = ROOT.parent / "shared" / "data"
REAL_VIDEO = SHARED / "video" / "one-by-one-person-detection.mp4"
REAL_WEIGHTS = SHARED / "weights" / "yolo11n.pt"
REAL_FRAMES = 1394
STARTS = ("2026-11-24T23:58:50Z", "2026-11-24T12:10:00Z")
"""The first capture crosses midnight: the DAG rebuilds both days."""
COMPARED = ["silver_detection", *DAILY_GOLD]


@dataclass
class Runs:
    """What the runs of the DAG left."""

    environment: dict[str, str]
    jsonl: list[Path]
    tables_after_first: dict[str, list[dict[str, object]]]
    log: str


def dags_test(
    environment: dict[str, str], dag: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(airflow.COMMAND), "dags", "test", dag, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )


@pytest.fixture(scope="module")
def environment(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Airflow of its own, on the deployment's database, topic and data folder."""
    folder = tmp_path_factory.mktemp("pipeline")
    variables = {**deployment.variables, "RVA_DATA_DIR": str(folder / "data")}
    made = {
        **os.environ,
        **airflow.environment(StackSettings.load(), variables),
        "AIRFLOW_HOME": str(folder / "airflow"),
    }
    (folder / "pools.json").write_text(json.dumps(airflow.POOLS))
    for command in (("db", "migrate"), ("pools", "import", str(folder / "pools.json"))):
        subprocess.run(
            [str(airflow.COMMAND), *command], env=made, check=True, capture_output=True, cwd=ROOT
        )
    return made


@pytest.fixture(scope="module")
def video(environment: dict[str, str]) -> dict[str, str | None]:
    """The real video and weights, where they are; else the sample and OpenCV's HOG."""
    if REAL_VIDEO.exists() and REAL_WEIGHTS.exists():
        return {"video": str(REAL_VIDEO), "weights": str(REAL_WEIGHTS), "detector": "yolo"}
    sample = Path(environment["RVA_DATA_DIR"]) / "sample" / "sample.mp4"
    subprocess.run(
        [environment["RVA_VISION_PYTHON"], "-m", "vision", "sample", "--output", str(sample)],
        check=True,
        cwd=ROOT,
    )
    return {"video": str(sample), "weights": None, "detector": "hog"}


@pytest.fixture(scope="module")
def runs(deployment: Deployment, environment: dict[str, str], video: dict[str, str | None]) -> Runs:
    """Two runs of the DAG on the same file, with two start times: two captures."""
    metadata = Path(environment["RVA_DATA_DIR"]) / "metadata" / "video.jsonl"
    kept: list[Path] = []
    after_first: dict[str, list[dict[str, object]]] = {}
    for number, start in enumerate(STARTS):
        ran = dags_test(
            environment,
            "retail_video_analytics",
            "--conf",
            json.dumps({**video, "start_time": start, "fps": 0}),
        )
        assert ran.returncode == 0, f"{ran.stdout[-6000:]}\n{ran.stderr[-3000:]}"
        kept.append(metadata.with_name(f"run{number}.jsonl"))
        shutil.copy(metadata, kept[-1])
        if number == 0:
            after_first = {table: deployment.rows(table) for table in COMPARED}
    return Runs(environment, kept, after_first, ran.stdout + ran.stderr)


@pytest.mark.skipif(
    not (REAL_VIDEO.exists() and REAL_WEIGHTS.exists()),
    reason=f"{REAL_VIDEO.name} and {REAL_WEIGHTS.name} are not beside the project",
)
def test_every_frame_of_the_video_is_in_the_jsonl_and_in_bronze(
    deployment: Deployment, runs: Runs
) -> None:
    for jsonl in runs.jsonl:
        lines = jsonl.read_bytes().splitlines()
        assert len(lines) == REAL_FRAMES
        run_id = json.loads(lines[0])["run_id"]
        assert deployment.query(
            "SELECT count(DISTINCT frame_index), count(*) FROM bronze_raw WHERE run_id = ?",
            [run_id],
        ) == [[REAL_FRAMES, REAL_FRAMES]]
        assert sorted(
            bytes(row[0])  # type: ignore[call-overload]
            for row in deployment.query("SELECT payload FROM bronze_raw WHERE run_id = ?", [run_id])
        ) == sorted(lines)


@pytest.mark.parametrize("table", COMPARED)
def test_after_the_first_run_every_table_equals_the_oracle_row_for_row(
    runs: Runs, table: str
) -> None:
    expected = oracle.expected(runs.jsonl[:1])[table]
    assert expected
    oracle.assert_same_rows(table, runs.tables_after_first[table], expected, TABLES[table].key)


@pytest.mark.parametrize("table", COMPARED)
def test_second_run_on_the_same_file_adds_its_own_rows_and_nothing_else(
    deployment: Deployment, runs: Runs, table: str
) -> None:
    expected = oracle.expected(runs.jsonl)[table]
    assert len(expected) == 2 * len(runs.tables_after_first[table]) or table.startswith("gold_")
    oracle.assert_same_rows(table, deployment.rows(table), expected, TABLES[table].key)


def test_every_layer_was_checked_in_every_run_and_nothing_is_violated(
    deployment: Deployment, runs: Runs
) -> None:
    owners = "SELECT count(DISTINCT owner) FROM data_quality"
    assert deployment.query(owners) == [[len(STARTS)]]
    checked = deployment.query(
        "SELECT layer || '/' || check_name, count(DISTINCT owner), max(checked) > 0 "
        "FROM data_quality GROUP BY 1"
    )
    assert {str(check): len(STARTS) for check in load()} == {row[0]: row[1] for row in checked}
    assert {row[0] for row in checked if row[2]} >= {"silver/values_in_range", "gold/unique_keys"}
    violated = "SELECT * FROM data_quality WHERE outcome IN ('fail', 'error')"
    assert deployment.query(violated) == []


def test_nothing_is_quarantined(deployment: Deployment, runs: Runs) -> None:
    assert deployment.query("SELECT count(*) FROM silver_quarantine") == [[0]]


def test_replay_of_the_very_same_run_adds_nothing(deployment: Deployment, runs: Runs) -> None:
    # each rebuild and each check is on record
    kept = sorted(TABLES.keys() - {"gold_backfill", "data_quality"})
    before = {table: sorted(map(str, deployment.rows(table))) for table in kept}
    replayed = subprocess.run(
        [sys.executable, "-m", "replay", "--input", str(runs.jsonl[1]), "--fps", "0"],
        env=runs.environment,
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    backfilled = dags_test(runs.environment, "gold_nightly_backfill", "2026-11-24")
    assert backfilled.returncode == 0, backfilled.stdout[-6000:]
    assert {table: sorted(map(str, deployment.rows(table))) for table in kept} == before, (
        replayed.stdout
    )
    rebuilt = deployment.rows("gold_backfill")
    assert {row["gold_table"] for row in rebuilt} == set(DAILY_GOLD)
    assert {
        (row["keys_changed"], row["keys_only_published"], row["keys_only_rebuilt"])
        for row in rebuilt
    } == {(0, 0, 0)}
    refs = deployment.query('SELECT name FROM "gold_people_per_minute$refs"')
    assert refs == [["main"]]


def test_report_shows_what_each_layer_counted(deployment: Deployment, runs: Runs) -> None:
    metadata = Path(runs.environment["RVA_DATA_DIR"]) / "metadata"
    shown = subprocess.run(
        [sys.executable, "-m", "lakehouse", "report"],
        env=runs.environment,
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stdout
    summary = json.loads((metadata / "video.summary.json").read_text())
    frames, detections = summary["frames"], summary["detections"]
    for name, value in (
        ("frames extracted", frames),
        ("frames published", frames),
        ("distinct frames", frames),
        ("detections extracted", detections),
        ("quarantined", 0),
    ):
        line = next(line for line in shown.splitlines() if name in line)
        assert f" {value} " in line


def test_live_cameras_go_straight_into_bronze(
    deployment: Deployment, runs: Runs, tmp_path: Path
) -> None:
    """Recordings stand for cameras: they end by themselves, and every frame is known."""
    sample = tmp_path / "sample.mp4"
    command = [runs.environment["RVA_VISION_PYTHON"], "-m", "vision", "sample"]
    subprocess.run([*command, "--output", str(sample)], check=True, cwd=ROOT)
    cameras = tmp_path / "cameras.yaml"
    cameras.write_text(
        "store: store_live\n"
        "defaults: {detector: hog, image_size: 160, max_frames: 12}\n"
        f"cameras: [{{camera: a, source: {sample}}}, {{camera: b, source: {sample}}}]\n"
    )
    ran = dags_test(
        runs.environment, "live_cameras", "--conf", json.dumps({"cameras": str(cameras)})
    )
    assert ran.returncode == 0, f"{ran.stdout[-6000:]}\n{ran.stderr[-3000:]}"
    counted = (
        "SELECT camera_id, count(DISTINCT frame_index) FROM bronze_raw "
        "WHERE store_id = 'store_live' GROUP BY 1 ORDER BY 1"
    )
    assert deployment.query(counted) == [["a", 12], ["b", 12]]
    folder = Path(runs.environment["RVA_DATA_DIR"]) / "metadata" / "cameras"
    # what was done is told; no line of it is written
    assert (folder / "cameras.summary.json").is_file()
    assert list(folder.glob("*.jsonl")) == []
