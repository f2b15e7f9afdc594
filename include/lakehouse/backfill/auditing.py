"""What must hold of a rebuilt day before anybody sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lakehouse.backfill.claims import Claim
from lakehouse.backfill.errors import AuditFailed
from lakehouse.backfill.questions import ask
from lakehouse.identity import Identity
from lakehouse.parts import in_parts
from lakehouse.proving.settings import ProofSettings
from lakehouse.query import session
from lakehouse.settings import LakehouseSettings

_DETECTIONS = ("person detections of Silver", "silver_detections")
_IDENTITIES = (
    ("detections in people per minute", "minute_detections", *_DETECTIONS),
    ("hits in the zone heatmap", "heatmap_hits", *_DETECTIONS),
    (
        *("camera hours in which people per minute and heatmap agree", "camera_hours_alike"),
        *("camera hours", "camera_hours"),
    ),
    (
        *("unique people, summed over the minutes", "minute_people"),
        *("tracks of Silver, counted in each minute", "tracks_by_minute"),
    ),
    (
        *("unique tracks, summed over the heatmap", "heatmap_tracks"),
        *("tracks of Silver, counted in each cell and hour", "tracks_by_cell_and_hour"),
    ),
    (
        *("tracks in the track summary", "track_rows"),
        *("tracks of Silver that start in the day", "tracks"),
    ),
    (
        *("frames in the track summary", "track_frames"),
        *("detections of those tracks", "frames"),
    ),
    (
        *("milliseconds in the track summary", "track_ms"),
        *("milliseconds of those tracks", "tracks_ms"),
    ),
    ("visits in zone dwell", "dwell_visits", "visits of Silver that start in the day", "visits"),
    ("milliseconds in zone dwell", "dwell_ms", "milliseconds of those visits", "visits_ms"),
    (
        *("cells of zone dwell whose visits, total, average and longest fit", "dwell_that_fits"),
        *("cells of zone dwell", "dwell_rows"),
    ),
    ("keys of people per minute", "minute_keys", "its rows", "minute_rows"),
    ("keys of the track summary", "track_keys", "its rows", "track_rows"),
    ("keys of zone dwell", "dwell_keys", "its rows", "dwell_rows"),
    ("keys of the zone heatmap", "heatmap_keys", "its rows", "heatmap_rows"),
)
"""What two numbers are, and the columns of audit_sums.sql and audit_tracks.sql that have them."""


def audit(
    settings: LakehouseSettings, claim: Claim, heads: Mapping[str, int]
) -> tuple[Identity, ...]:
    """Compare what the batch wrote with the Silver that it read.

    :param heads: the snapshot of each Gold table to audit
    :raises AuditFailed: an identity does not hold.
    :raises QueryFailed: Trino cannot tell.
    """
    gaps = ProofSettings()

    def numbers(name: str, **values: object) -> dict[str, int]:
        with session(settings) as trino:
            answer = ask(trino, name, claim, **values)
        return dict(zip(answer.columns, answer.rows[0], strict=True))

    found = Counter(numbers("audit_sums", **heads))
    for of_part in in_parts(
        f"the audit of {claim.day}",
        lambda part, parts: numbers(
            "audit_tracks",
            part=part,
            parts=parts,
            track_gap_seconds=gaps.track_gap_seconds,
            visit_gap_seconds=gaps.visit_gap_seconds,
        ),
    ):
        found.update(of_part)
    identities = tuple(
        Identity(left_is, found[left], right_is, found[right])
        for left_is, left, right_is, right in _IDENTITIES
    )
    broken = [each for each in identities if not each.holds]
    if broken:
        raise AuditFailed(claim.day, [str(each) for each in broken])
    return identities
