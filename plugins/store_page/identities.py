"""Counts that must be equal, and what to think of it where they are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

SETTLES_SECONDS = 300
"""How long after Silver's newest row the counts may differ: Gold waits for the watermark, and the
streams commit one after the other."""


class Verdict(StrEnum):
    """What the mark shows: green, amber, amber, red."""

    HOLDS = "holds"
    MOVING = "moving"
    LATE = "late"
    BROKEN = "broken"


@dataclass(frozen=True)
class Identity:
    """One equation: what must be equal, both counts, and the verdict."""

    name: str
    expected: int
    actual: int
    verdict: Verdict
    explanation: str


def identities(counts: Mapping[str, Any], now: datetime) -> list[Identity]:
    """Judge the counts of a camera's time (identities.sql)."""
    received: datetime | None = counts["silver_received"]
    arrives = received is not None and now - received < timedelta(seconds=SETTLES_SECONDS)
    return [
        _identity(
            name,
            counts["silver_detections"],
            counts[gold],
            counts[late],
            is_moving=arrives or _is_open(counts["silver_captured"], counts[newest], window),
        )
        for name, gold, late, newest, window in (
            (
                "people per minute",
                "people_per_minute_detections",
                "late_of_minutes",
                "newest_minute",
                timedelta(minutes=1),
            ),
            (
                "zone heat map",
                "zone_heatmap_hits",
                "late_of_heatmap",
                "newest_hour",
                timedelta(hours=1),
            ),
        )
    ]


def _is_open(captured: datetime | None, newest: datetime | None, window: timedelta) -> bool:
    """Whether Gold waits for a later picture to close the window of Silver's newest."""
    return captured is not None and (newest is None or captured >= newest + window)


def _identity(name: str, silver: int, gold: int, late: int, *, is_moving: bool) -> Identity:
    title = f"Detections in Silver = in Gold's {name}"
    if silver == gold:
        return Identity(title, silver, gold, Verdict.HOLDS, "Every detection is counted once.")
    if is_moving and gold < silver:
        why = (
            "Gold counts a minute or an hour when a later picture has come in, or in the nightly "
            "backfill."
        )
        return Identity(title, silver, gold, Verdict.MOVING, why)
    if silver == gold + late:
        why = f"{late:,} came too late for the stream. The nightly backfill counts them."
        return Identity(title, silver, gold, Verdict.LATE, why)
    why = (
        "Gold and Silver differ. Rebuild the day (make backfill), and if it stays so: make prove "
        "names the layer."
    )
    return Identity(title, silver, gold, Verdict.BROKEN, why)
