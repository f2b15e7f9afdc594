"""The short form of `make faults`: a server dies, another stands still, while frames flow."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from pyiceberg.expressions import EqualTo

from faults import rounds
from faults.catalogue import Fault, Kind
from faults.publishing import Published
from faults.recovery import TABLES
from faults.stage import Stage
from faults.verdict import reconcile
from integration.conftest import Deployment
from lakehouse import tables
from local_stack.settings import StackSettings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
]

FAULTS = (
    Fault(Kind.KILL, "catalog"),
    Fault(Kind.FREEZE, "minio", (5, 5)),
)


def test_nothing_is_lost_or_doubled_and_a_hole_would_be_seen(
    deployment: Deployment, tmp_path: Path
) -> None:
    variables = {**deployment.variables, "RVA_CHECKPOINT_INTERVAL_SECONDS": "2"}
    stage = Stage(StackSettings.load(), variables, tmp_path, print)
    stage.start_jobs()
    published = Published()
    messages = 0
    for number, fault in enumerate(FAULTS, start=1):
        chance = random.Random(number)
        played = rounds.play(stage, number, number, fault, published, chance)
        assert played.is_good, played
        assert (played.lost, played.doubled, played.differing) == (0, 0, 0)
        assert played.messages > messages
        assert played.recovery_seconds.keys() == set(TABLES)
        messages = played.messages

    # a message that was sent twice gets another id each time: only the count tells
    for counted, expected in ((messages - 1, (0, 1, 0)), (messages + 1, (1, 0, 0))):
        verdict = reconcile(stage, replace(published, messages=counted))
        assert (verdict.lost, verdict.doubled, verdict.differing) == expected

    silver = tables.load(deployment.catalog, deployment.database, "silver_detection")
    victim = silver.scan(limit=1).to_arrow().to_pylist()[0]
    silver.delete(EqualTo("det_id", victim["det_id"]))
    broken = reconcile(stage, published)
    assert not broken.holds
    assert broken.lost > 0
    assert broken.doubled == 0
    assert "silver_detection" in broken.broken
