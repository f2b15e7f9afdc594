"""A round is good only by a proof that was made."""

from __future__ import annotations

from typing import cast

import pytest
from pyiceberg.exceptions import RESTError

from faults import rounds
from faults.publishing import Frames, Published
from faults.stage import Stage, StageFailed
from faults.verdict import Verdict
from lakehouse.errors import LakehouseError


class Idle:
    """Jobs that run and publishers that have ended: only the proof is of interest."""

    def tend(self) -> bool:
        return True

    def bring_jobs_back(self) -> bool:
        return True


STAGE, FRAMES = cast(Stage, Idle()), cast(Frames, Idle())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "_LOOK_AGAIN_SECONDS", 0.0)


@pytest.mark.parametrize("error", [LakehouseError, RESTError, OSError])
def test_proof_that_could_never_be_made_is_no_good_round(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def reconcile(stage: Stage, published: Published) -> Verdict:
        raise error("it does not answer")

    monkeypatch.setattr(rounds, "reconcile", reconcile)
    with pytest.raises(StageFailed, match=r"every identity holds .it does not answer"):
        rounds._settle(STAGE, FRAMES, Published())


@pytest.mark.parametrize("lost", [0, 3])
def test_last_proof_is_the_verdict(monkeypatch: pytest.MonkeyPatch, lost: int) -> None:
    monkeypatch.setattr(rounds, "reconcile", lambda *_: Verdict(messages=9, lost=lost))
    verdict = rounds._settle(STAGE, FRAMES, Published())
    assert (verdict.messages, verdict.lost, verdict.holds) == (9, lost, not lost)
