"""Whether publishing a quarantined message again would help, and would double nothing. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from frame_contract import Frame, Report, explain, identity
from lakehouse.quarantine.rows import QuarantineRow

STATE_TTL_HOURS = 7 * 24
"""How long Silver remembers a detection's key (`flink_jobs.settings.state_ttl_seconds`)."""
MARGIN_HOURS = 24
"""How long a replayed message may take to reach Silver, if its jobs are down meanwhile."""


class DetectionKey(NamedTuple):
    """What a detection is in Silver once."""

    store_id: str
    camera_id: str
    run_id: str
    frame_index: int
    capture_ts: datetime
    det_id: str


@dataclass(frozen=True)
class Mended:
    """A message that would now be used, and the rows of the quarantine that it settles."""

    rows: tuple[QuarantineRow, ...]
    gained: int
    """Detections that Silver does not have yet."""
    kept: int
    """Detections that Silver has: they stay as they are."""


@dataclass(frozen=True)
class Skipped:
    """Why a message is not published again."""

    why: str


def keys_of(frame: Frame) -> Iterator[DetectionKey]:
    """The keys of the frame's usable detections."""
    of_frame = identity(frame)
    return (DetectionKey(*of_frame, each.det_id) for each in frame.detections)


def remembered_since(now: datetime) -> datetime:
    """What Silver took in after this time it will still recognise when a replay reaches it."""
    return now - timedelta(hours=STATE_TTL_HOURS - MARGIN_HOURS)


def judge(
    payload: bytes,
    rows: Sequence[QuarantineRow],
    in_silver: Mapping[DetectionKey, datetime],
    since: datetime,
) -> Mended | Skipped:
    """Judge a message that is to be published again as `payload`.

    :param rows: all rows that the message has in quarantine.
    :param in_silver: when Bronze read what Silver has of the frame's detections.
    :param since: `remembered_since`. A detection that Silver has and has forgotten would come
        again, and so would the quarantine's row of one that is still unusable.
    """
    report = explain(payload)
    if report.frame is None:
        return Skipped(f"still unusable: {report.detail}")
    mended = tuple(row for row in rows if _is_mended(row, {r.json for r in report.rejected}))
    if not mended:
        return Skipped(f"still unusable: {report.detail}")
    keys = list(keys_of(report.frame))
    kept = [in_silver[key] for key in keys if key in in_silver]
    forgotten = _forgotten(report, rows, kept, since)
    if forgotten is not None:
        return Skipped(forgotten)
    return Mended(mended, gained=len(keys) - len(kept), kept=len(kept))


def _is_mended(row: QuarantineRow, rejected: Collection[str]) -> bool:
    return row.concerns_message or row.payload not in rejected


def _forgotten(
    report: Report, rows: Sequence[QuarantineRow], kept: Sequence[datetime], since: datetime
) -> str | None:
    advice = (
        "Silver's memory may have let them go, so they would be doubled. Publish the rest alone: "
        "--payload FILE with these detections left out"
    )
    old = [each for each in kept if each < since]
    if old:
        return (
            f"{len(old)} of its detections are in Silver since {min(old):%Y-%m-%d %H:%M}: {advice}"
        )
    if report.rejected and min(row.ingest_ts for row in rows) < since:
        return f"{len(report.rejected)} of its detections would be quarantined again: {advice}"
    return None
