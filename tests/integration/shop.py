"""Two shops' morning, brought through the whole pipeline, for what people see of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from integration.conftest import ROOT, Deployment

SCENARIO = Path(__file__).with_name("shop_morning.yaml")
DAY = "2026-11-23"
STORE, CAMERA = "store_01", "aisle"
OTHER_STORE = "store_02"
UNREADABLE = (b"no json", b'{"source": {"store_id": "store_01"}}')


def open_shop(deployment: Deployment) -> None:
    """Simulate it, publish it, and wait until streaming Gold has closed its last hour."""
    for job in ("bronze_ingest", "silver_detections", "gold_streaming"):
        deployment.ensure(job)
    to = (
        f"{deployment.variables['RVA_PULSAR_URL']}/{deployment.topic.removeprefix('persistent://')}"
    )
    simulate = [sys.executable, "-m", "store_simulator", str(SCENARIO), "--to", to]
    subprocess.run(simulate, check=True, cwd=ROOT)
    with deployment.producer() as producer:
        for message in UNREADABLE:
            producer.send(message)
    subprocess.run(
        [sys.executable, "-m", "store_pipeline", "finish"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins"), **deployment.variables},
    )
    deployment.wait_for_rows("silver_quarantine", len(UNREADABLE))
