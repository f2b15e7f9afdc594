"""Gold of two days, both made by the stream, one of them rebuilt by the batch."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from frame_contract import Frame
from integration import walkers
from integration.conftest import Deployment
from integration.silver_rows import put_into_silver
from lakehouse.closing import close_days
from lakehouse.schema import DAILY_GOLD, TABLES
from oracle import oracle

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
    counted = " UNION ALL ".join(
        f"SELECT '{name}', CAST({TABLES[name].partition_by_day_of} AS date), count(*) FROM {name}"
        f" WHERE camera_id = '{CAMERA}' GROUP BY 1, 2"
        for name in DAILY_GOLD
    )
    expected = rows_of_days()
    assert len(expected) == 2 * len(DAILY_GOLD)
    deployment.wait_for_tables(
        f"streaming Gold has all rows of both days: {expected}",
        lambda: {(name, day): rows for name, day, rows in deployment.query(counted)} == expected,
        DAILY_GOLD,
    )
    deployment.run_batch("gold_batch", "--day", CLOSED_DAY.isoformat())
    close_days(deployment.catalog, deployment.database, [CLOSED_DAY])


def rows_of_days() -> dict[tuple[str, date], int]:
    """How many rows the camera must have in each table a day."""
    frames = [frame for frame in captures() if frame.source.camera_id == CAMERA]
    with TemporaryDirectory() as folder:
        expected = oracle.expected([walkers.write(Path(folder) / "frames.jsonl", frames)])
    return dict(
        Counter(
            (name, row[TABLES[name].partition_by_day_of].date())  # type: ignore[attr-defined]
            for name in DAILY_GOLD
            for row in expected[name]
        )
    )
