"""Gold of two days, both made by the stream, one of them rebuilt by the batch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from frame_contract import Frame
from integration import walkers
from integration.conftest import Deployment, wait_until
from integration.silver_rows import put_into_silver
from lakehouse.closing import close_days
from lakehouse.schema import DAILY_GOLD, TABLES

STORE, CAMERA = "store_01", "cam_01"
CLOSED_DAY, STREAMED_DAY = date(2026, 11, 20), date(2026, 11, 21)


def captures() -> list[Frame]:
    """A camera's minutes around midnight, with gaps; another camera's; a third's an hour later."""
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    return [
        *walkers.frames(CAMERA, start=midnight - timedelta(minutes=9), seconds=150, seed=1),
        *walkers.frames(
            CAMERA, start=midnight - timedelta(minutes=3), seconds=360, seed=2, run="2"
        ),
        *walkers.frames(
            CAMERA, start=midnight + timedelta(minutes=10), seconds=60, seed=5, run="3"
        ),
        *walkers.frames("cam_02", start=midnight - timedelta(minutes=2), seconds=200, seed=3),
        # moves the watermark past every window of the others
        *walkers.frames("cam_03", start=midnight + timedelta(minutes=70), seconds=5, seed=4),
    ]


def fill(deployment: Deployment) -> None:
    """Silver in one commit, streaming Gold of both days, then the batch of the first, closed."""
    put_into_silver(deployment, captures(), datetime(2026, 11, 22, tzinfo=UTC))
    deployment.ensure("gold_streaming")
    days = " UNION ALL ".join(
        f"SELECT DISTINCT CAST({TABLES[name].partition_by_day_of} AS date) FROM {name}"
        f" WHERE camera_id = '{CAMERA}'"
        for name in DAILY_GOLD
    )
    wait_until(
        "streaming Gold has both days in each table",
        lambda: len(deployment.query(days)) == 2 * len(DAILY_GOLD),
    )
    deployment.run_batch("gold_batch", "--day", CLOSED_DAY.isoformat())
    close_days(deployment.catalog, deployment.database, [CLOSED_DAY])
