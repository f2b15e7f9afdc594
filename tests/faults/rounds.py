"""One round: frames flow, a fault is played, the tables go on, everything is proven."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from pyiceberg.exceptions import RESTError

from faults import outage
from faults.catalogue import AIRFLOW_WORKER, Fault
from faults.nightly import NightlyRun
from faults.outage import Outage, now_ms
from faults.publishing import Frames, Published
from faults.recovery import TABLES, first_commit_ms
from faults.stage import Stage, StageFailed
from faults.verdict import Verdict, reconcile
from lakehouse.errors import LakehouseError
from replay.errors import ReplayError

FLOW_SECONDS = (1.0, 8.0)
"""How long frames have reached the tables before the fault: between any two checkpoints."""
RECOVERY_SECONDS = 300.0
NIGHTLY_SECONDS = 600.0
"""A worker's death is noticed after a minute, and the task tried again after half of one."""
SETTLE_SECONDS = 300.0
_LOOK_AGAIN_SECONDS = 1.0
AWAY = (LakehouseError, ReplayError, RESTError, httpx.HTTPError, OSError)
"""What a server says that is not back yet; pyarrow's errors are OSErrors."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """What was done and what came of it; seconds."""

    number: int
    fault: str
    began: str
    """When the fault began, UTC."""
    outage_seconds: float
    recovery_seconds: dict[str, float] = field(default_factory=dict)
    """From the kill (or the end of what lasts) to the first commit of newer rows, by table."""
    settle_seconds: float
    """From the last published frame until everything was proven."""
    restarts: dict[str, int]
    """How often a publisher was started again."""
    messages: int = 0
    detections: int = 0
    lost: int = 0
    doubled: int = 0
    differing: int = 0
    seconds: float = 0.0
    trouble: str = ""
    """Why the round failed, or empty."""

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost or doubled and everything came back."""
        return not self.trouble


def play(
    stage: Stage,
    number: int,
    day: int,
    fault: Fault | None,
    published: Published,
    chance: random.Random,
) -> Round:
    """Play a round; without a fault it tells what the others are to be compared with.

    :param day: of the frames; rises from round to round
    :param published: by earlier rounds; this one's is added
    """
    started = time.monotonic()
    frames = Frames.of_day(stage, day)
    published.add(frames)
    nightly = None
    began = now_ms()
    happened = Outage(began, began)
    recovery: dict[str, float] = {}
    settled = 0.0
    verdict = Verdict()
    trouble = ""
    try:
        if fault is not None and fault.target == AIRFLOW_WORKER:
            nightly = NightlyRun(stage, Frames.day_of(day - 1))
        frames.tend()
        _wait(lambda: _all_committed(stage, began), stage, frames, "frames reach Silver")
        time.sleep(chance.uniform(*FLOW_SECONDS))
        if fault is not None:
            happened = outage.play(fault, stage, frames, nightly, chance)
        else:
            moment = now_ms()
            happened = Outage(moment, moment)
        _wait(lambda: _all_committed(stage, happened.ended_ms), stage, frames, "the tables go on")
        recovery = {
            table: (commit - happened.ended_ms) / 1000
            for table, commit in _commits(stage, happened.ended_ms).items()
            if commit is not None
        }
        if nightly is not None:
            _wait(nightly.has_succeeded, stage, frames, "the backfill ends", NIGHTLY_SECONDS)
        frames.hurry()
        _wait(frames.tend, stage, frames, "everything is published")
        quiet = time.monotonic()
        verdict = _settle(stage, frames, published)
        settled = time.monotonic() - quiet
        trouble = "" if verdict.holds else str(verdict)
    except (StageFailed, *AWAY) as error:
        trouble = str(error)
    finally:
        frames.stop()
        if nightly is not None:
            nightly.close()
    return Round(
        number=number,
        fault="none" if fault is None else str(fault),
        began=datetime.fromtimestamp(happened.began_ms / 1000, UTC).isoformat(timespec="seconds"),
        outage_seconds=round(happened.seconds, 1),
        recovery_seconds={table: round(value, 1) for table, value in recovery.items()},
        settle_seconds=round(settled, 1),
        restarts={each.name: each.starts - 1 for each in frames.publishers},
        messages=verdict.messages,
        detections=verdict.detections,
        lost=verdict.lost + verdict.not_yet_read,
        doubled=verdict.doubled,
        differing=verdict.differing,
        seconds=round(time.monotonic() - started, 1),
        trouble=trouble,
    )


def _settle(stage: Stage, frames: Frames, published: Published) -> Verdict:
    """Prove until it holds; what does not hold when the time is up is lost, doubled or wrong.

    :raises StageFailed: it could not be proven even once
    """
    verdicts: list[Verdict] = []

    def holds() -> bool:
        verdicts.append(reconcile(stage, published))
        return verdicts[-1].holds

    try:
        _wait(holds, stage, frames, "every identity holds", SETTLE_SECONDS)
    except StageFailed:
        # a proof that was never made says nothing
        if not verdicts:
            raise
    return verdicts[-1]


def _wait(
    condition: Callable[[], bool],
    stage: Stage,
    frames: Frames,
    what: str,
    seconds: float = RECOVERY_SECONDS,
) -> None:
    """Wait, and do meanwhile what whoever runs the store would: start again what has ended.

    :raises StageFailed: the time is up
    """
    give_up_at = time.monotonic() + seconds
    cause = ""
    while True:
        frames.tend()
        if stage.bring_jobs_back():
            try:
                if condition():
                    return
                cause = ""
            except AWAY as error:
                cause = f" ({error})"
        if time.monotonic() > give_up_at:
            raise StageFailed(f"after {seconds:.0f} s still not: {what}{cause}")
        time.sleep(_LOOK_AGAIN_SECONDS)


def _commits(stage: Stage, after_ms: int) -> dict[str, int | None]:
    catalog = stage.catalog()
    return {table: first_commit_ms(catalog, stage.database, table, after_ms) for table in TABLES}


def _all_committed(stage: Stage, after_ms: int) -> bool:
    return None not in _commits(stage, after_ms).values()
