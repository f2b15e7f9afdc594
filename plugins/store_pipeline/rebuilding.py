"""The steps by which a day of Gold is rebuilt: claimed, audited, published, released.

Heavy imports stand inside the functions, as in `steps`. A claim goes from one to the next in plain
types.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import UTC, date
from typing import TYPE_CHECKING, Any

from airflow.sdk import PokeReturnValue
from airflow.sdk.exceptions import AirflowFailException

from store_pipeline.assets import GOLD, SILVER

if TYPE_CHECKING:
    from lakehouse.backfill.claims import Claim
    from lakehouse.settings import LakehouseSettings

log = logging.getLogger(__name__)


def claim_day(day: str, dag_run: Any = None) -> PokeReturnValue:
    """Take the day, or wait while another run rebuilds it; a sensor's look."""
    from lakehouse.backfill.claims import claim
    from lakehouse.backfill.errors import DayLetGo, DayTaken
    from lakehouse.catalog import connect

    settings = _lakehouse()
    try:
        taken = claim(
            connect(settings),
            settings.database,
            date.fromisoformat(day),
            f"{dag_run.dag_id} {dag_run.run_id}",
        )
    except DayTaken as error:
        log.info("%s", error)
        return PokeReturnValue(is_done=False)
    except DayLetGo as error:
        raise AirflowFailException(str(error)) from error
    log.info("%s is claimed; the batch writes on branch %s", day, taken.branch)
    return PokeReturnValue(is_done=True, xcom_value=asdict(taken) | {"day": day})


def audit_day(claim: dict[str, Any]) -> dict[str, int]:
    """Compare what the batch wrote with the Silver that it read; returns the audited snapshots."""
    from lakehouse.backfill.auditing import audit
    from lakehouse.backfill.claims import branch_heads
    from lakehouse.backfill.errors import AuditFailed, DayUnpublishable
    from lakehouse.catalog import connect

    settings, taken = _lakehouse(), _claim(claim)
    try:
        heads = branch_heads(connect(settings), settings.database, taken.day)
        identities = audit(settings, taken, heads)
    except (AuditFailed, DayUnpublishable) as error:
        raise AirflowFailException(str(error)) from error
    for each in identities:
        log.info("%s", each)
    return heads


def measure_drift(claim: dict[str, Any], heads: dict[str, int]) -> dict[str, Any]:
    """Compare what is published of the day with what the batch has made of it."""
    from lakehouse.backfill import drift
    from lakehouse.catalog import connect
    from lakehouse.closing import closed_days

    settings, taken = _lakehouse(), _claim(claim)
    found = drift.measure(settings, taken, heads)
    for each in found:
        log.info("%s", each)
    was_closed = taken.day in closed_days(connect(settings), settings.database)
    return {
        "drift": [asdict(each) for each in found],
        "silver_rows": drift.silver_rows(settings, taken),
        "replaced": "batch" if was_closed else "stream",
    }


def publish_day(
    claim: dict[str, Any],
    heads: dict[str, int],
    measured: dict[str, Any],
    outlet_events: Any = None,
) -> list[dict[str, Any]]:
    """Let everybody read the day as it was audited, record that, and update the asset."""
    from lakehouse.backfill import record
    from lakehouse.backfill.drift import Drift
    from lakehouse.backfill.errors import DayLetGo, DayUnpublishable, NotClaimed
    from lakehouse.backfill.publishing import publish
    from lakehouse.catalog import connect

    settings, taken = _lakehouse(), _claim(claim)
    catalog = connect(settings)
    try:
        published = publish(catalog, settings.database, taken.day, taken.owner, heads)
    except (NotClaimed, DayLetGo, DayUnpublishable) as error:
        raise AirflowFailException(str(error)) from error
    for each in published:
        done = "published" if each.changed else "was published so already"
        log.info("%s: %s rows of %s %s", each.table, f"{each.rows:,}", taken.day, done)
    record.write(
        catalog,
        settings.database,
        taken,
        published=published,
        drift=[Drift(**each) for each in measured["drift"]],
        replaced=measured["replaced"],
        silver_rows=measured["silver_rows"],
    )
    outlet_events[GOLD].extra = {"days": [claim["day"]]}
    return [asdict(each) for each in published]


def release_day(claim: dict[str, Any]) -> None:
    """Take the branches away, and let others rebuild the day."""
    from lakehouse.backfill.claims import release
    from lakehouse.catalog import connect

    settings, taken = _lakehouse(), _claim(claim)
    if release(connect(settings), settings.database, taken.day, taken.owner):
        log.info("%s is released", taken.day)


def changed_days(day: str, params: Any = None, dag_run: Any = None) -> list[dict[str, Any]]:
    """Name the other days whose Silver has changed since Gold was rebuilt, as runs' settings.

    Only a scheduled night looks for them, or who asks for it.
    """
    from lakehouse.backfill.record import changed_days as changed

    asked = params.get("late_days")
    if not (dag_run.run_type == "scheduled" if asked is None else asked):
        return []
    found = [each for each in changed(_lakehouse()) if each.day.isoformat() != day]
    for each in found:
        log.info("%s", each)
    return [{"day": each.day.isoformat()} for each in found]


def ended_days(triggering_asset_events: Any = None, dag_run: Any = None) -> list[dict[str, Any]]:
    """Name the ended days of the updates of Silver that began this run, as runs' settings."""
    today = dag_run.run_after.astimezone(UTC).date().isoformat()
    days: set[str] = set()
    for event in (triggering_asset_events or {}).get(SILVER, ()):
        try:
            days |= {date.fromisoformat(day).isoformat() for day in event.extra["days"]}
        except (KeyError, TypeError, ValueError) as error:
            raise AirflowFailException(
                f"an update of {SILVER.name} by {event.source_dag_id}.{event.source_task_id} "
                f"names no days: {event.extra!r}"
            ) from error
    for day in sorted(each for each in days if each >= today):
        log.info("%s has not ended: streaming Gold shows it, and the night rebuilds it", day)
    return [{"day": day} for day in sorted(days) if day < today]


def _lakehouse() -> LakehouseSettings:
    from lakehouse.settings import LakehouseSettings

    return LakehouseSettings.from_env()


def _claim(fields: dict[str, Any]) -> Claim:
    from lakehouse.backfill.claims import Claim

    return Claim(**fields | {"day": date.fromisoformat(fields["day"])})
