"""`prove` on a simulated store with every noise: what was sent is in the tables or quarantined.

The simulator's truth says how much that is, before any of our readers has seen a message.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from integration.conftest import ROOT, Deployment
from integration.test_prove import prove, prove_in_time
from lakehouse.closing import close_days
from store_simulator.kinds import KINDS, Kind
from store_simulator.scenario_file import load, shipped

pytestmark = pytest.mark.integration

MINUTES = 4
LATENESS = ("--lateness-seconds", "100")
"""More than two clocks are apart: else the camera that is furthest ahead makes the others late."""
MINIMUM_OF_MINUTES = 8
"""Rows of people per minute that the stream has shown and the proof has compared: one a camera."""
_LEFT_OUT = re.compile(r"(gold_\w+): (\d+) open and (\d+) touched by late events")
_IDENTITY = re.compile(r"(\w[^=\n]*) = [^\d\n]*? +│? *([\d,]+) +│? *([\d,]+) +│? *holds")


@dataclass(frozen=True)
class Truth:
    """How much the simulator has sent; what it sent twice counts once below `messages`."""

    messages: int
    detections: int
    quarantined_detections: int
    unusable_messages: int


@pytest.fixture(scope="module")
def truth(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """Eight noisy cameras through Bronze and Silver."""
    folder = tmp_path_factory.mktemp("store")
    sent = simulate(deployment, folder)
    deployment.ensure("bronze_ingest")
    deployment.wait_for_rows("bronze_raw", sent.messages)
    deployment.ensure("silver_detections")
    deployment.wait_for_rows("silver_detection", sent.detections)
    deployment.wait_for_rows(
        "silver_quarantine", sent.quarantined_detections + sent.unusable_messages
    )
    return sent


def simulate(deployment: Deployment, folder: Path) -> Truth:
    """Publish the noisy scenario's first minutes; every kind of noise must be among them."""
    scenario = folder / "noisy.yaml"
    noisy = shipped()["noisy"].read_text()
    # at the scenario's own rates hardly a message of so few minutes is too large or has a picture
    for dial, rate, higher in (("oversize", "0.00002", "0.0005"), ("pictures", "0.0002", "0.002")):
        noisy = noisy.replace(f"{dial}: {rate}\n", f"{dial}: {higher}\n")
    scenario.write_text(noisy)
    broker = deployment.variables["RVA_PULSAR_URL"]
    to = f"{broker}/{deployment.topic.removeprefix('persistent://')}"
    command = [sys.executable, "-m", "store_simulator", str(scenario), "--to", to]
    command += ["--duration-minutes", str(MINUTES), "--out", str(folder / "out")]
    subprocess.run(command, cwd=ROOT, check=True)

    sent = pq.read_table(folder / "out" / "truth" / "messages.parquet")
    events = pq.read_table(folder / "out" / "truth" / "noise.parquet")["kind"]
    noises = {*pc.list_flatten(sent["noise"]).to_pylist(), *events.to_pylist()}
    assert noises == set(map(str, KINDS))
    again = pa.array([Kind.DUPLICATE in noises for noises in sent["noise"].to_pylist()])
    usable = sent.filter(pc.and_not(sent["usable"], again))
    rejected = pc.sum(usable["rejected_detections"]).as_py()
    return Truth(
        messages=sent.num_rows,
        detections=pc.sum(usable["detections"]).as_py() - rejected,
        quarantined_detections=rejected,
        unusable_messages=sent.num_rows - pc.sum(sent["usable"]).as_py(),
    )


def test_open_day_of_streaming_gold_is_proven_as_far_as_its_watermark(
    deployment: Deployment, truth: Truth
) -> None:
    job = deployment.ensure("gold_streaming", *LATENESS)
    out = prove_in_time(deployment, *LATENESS, COLUMNS="200").out
    deployment.cancel(job.job_id)
    left_out = {
        name: (int(still_open), int(late)) for name, still_open, late in _LEFT_OUT.findall(out)
    }
    still_open, late = left_out["gold_people_per_minute"]
    rows = len(deployment.rows("gold_people_per_minute"))
    assert rows - late >= MINIMUM_OF_MINUTES, out
    assert still_open > 0, out


def test_every_identity_holds_with_the_numbers_of_the_truth(
    deployment: Deployment, truth: Truth
) -> None:
    day = load("noisy").start.date()
    deployment.run_batch("gold_batch", "--day", day.isoformat())
    assert close_days(deployment.catalog, deployment.database, [day]) == (day,)
    proven = prove(deployment, COLUMNS="200")
    assert (proven.code, proven.err) == (0, ""), proven.out
    assert "not closed by a batch" not in proven.out
    numbers = {name: (left, right) for name, left, right in _IDENTITY.findall(proven.out)}
    quarantined = truth.quarantined_detections + truth.unusable_messages
    for name, expected in {
        "rows of bronze_raw": truth.messages,
        "rows of silver_detection": truth.detections,
        "rows of silver_quarantine": quarantined,
        "silver_detection + quarantined detections": truth.detections
        + truth.quarantined_detections,
    }.items():
        assert numbers[name] == (f"{expected:,}", f"{expected:,}"), proven.out
    assert min(truth.quarantined_detections, truth.unusable_messages) > 20
