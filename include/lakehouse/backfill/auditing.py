"""What must hold of a rebuilt day before anybody sees it."""

from __future__ import annotations

from collections.abc import Mapping

from lakehouse.backfill.claims import Claim
from lakehouse.backfill.errors import AuditFailed
from lakehouse.backfill.questions import ask
from lakehouse.identity import Identity
from lakehouse.proving.settings import ProofSettings
from lakehouse.query import session
from lakehouse.settings import LakehouseSettings


def audit(
    settings: LakehouseSettings, claim: Claim, heads: Mapping[str, int]
) -> tuple[Identity, ...]:
    """Compare what the batch wrote with the Silver that it read.

    :param heads: the snapshot of each Gold table to audit
    :raises AuditFailed: an identity does not hold.
    :raises QueryFailed: Trino cannot tell.
    """
    gaps = ProofSettings()
    with session(settings) as trino:
        rows = ask(
            trino,
            "audit",
            claim,
            track_gap_seconds=gaps.track_gap_seconds,
            visit_gap_seconds=gaps.visit_gap_seconds,
            **heads,
        ).rows
    identities = tuple(Identity(*row[1:]) for row in rows)
    broken = [each for each in identities if not each.holds]
    if broken:
        raise AuditFailed(claim.day, [str(each) for each in broken])
    return identities
