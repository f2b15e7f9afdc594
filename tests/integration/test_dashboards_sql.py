"""Every query of the dashboards on the real Trino, over rows whose answers are known by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
import trino

from integration.conftest import Deployment

pytestmark = pytest.mark.integration

SQL = Path(__file__).resolve().parents[2] / "include" / "sql" / "dashboards"
ALL = "'__all'"
"""What Grafana puts in for a variable of which everything is chosen."""
GRID_COLUMNS = ["zone_y", *(f"x{x}" for x in range(10))]
COLUMNS = {
    "stores": ["store_id"],
    "cameras": ["camera_id"],
    "data_extent": ["data_from", "data_to"],
    "people_totals": [
        "detections",
        "peak_people_in_a_minute",
        "minutes_with_people",
        "cameras",
    ],
    "people_per_minute": ["time", "camera", "unique_people"],
    "detections_per_minute": ["time", "camera", "detections"],
    "busiest_minutes": ["ts_minute", "camera", "unique_people", "detections"],
    "camera_totals": [
        "camera",
        "detections",
        "tracks",
        "peak_people_in_a_minute",
        "minutes_with_people",
    ],
    "zone_heatmap_grid": GRID_COLUMNS,
    "zone_dwell_grid": GRID_COLUMNS,
    "zone_dwell_top": [
        "camera",
        "cell",
        "total_dwell_seconds",
        "visits",
        "avg_dwell_seconds",
        "max_dwell_seconds",
    ],
    "zone_hits_by_hour": ["time", "camera", "hits"],
    "zone_dwell_by_hour": ["time", "camera", "total_dwell_seconds"],
    "track_totals": [
        "tracks",
        "summaries",
        "median_duration_seconds",
        "max_duration_seconds",
        "avg_conf",
    ],
    "track_summary": [
        "camera",
        "run_id",
        "track_id",
        "start_ts",
        "end_ts",
        "duration_seconds",
        "frames",
        "avg_conf",
        "avg_x",
        "avg_y",
        "delta_x",
        "delta_y",
    ],
    "track_durations": ["duration", "tracks"],
    "quality_totals": ["not_run", "failed", "warned", "passed"],
    "quality_results": [
        "day",
        "check_name",
        "outcome",
        "violations",
        "checked",
        "example",
        "checked_ts",
    ],
    "late_events": [
        "ts_hour",
        "camera",
        "of_minutes",
        "of_heatmap",
        "of_tracks",
        "of_dwell",
        "max_late_seconds",
    ],
    "backfill_drift": [
        "day",
        "gold_table",
        "published_ts",
        "replaced",
        "keys_same",
        "keys_changed",
        "keys_only_published",
        "keys_only_rebuilt",
    ],
    "quarantine_by_reason": ["reason", "quarantined", "cameras", "first_seen", "last_seen"],
}
GRAFANA_TYPES = re.compile(
    r"varchar.*|bigint|integer|double|boolean|timestamp\(\d\) with time zone"
)
"""What the plugin turns into a string, a number or a time; decimals become text."""


def at(text: str) -> datetime:
    """A time of the test's day, UTC."""
    return datetime.fromisoformat(f"2026-11-24T{text}").replace(tzinfo=UTC)


def minute(store: str, camera: str, time: str, people: int, detections: int) -> dict[str, Any]:
    return {
        "store_id": store,
        "camera_id": camera,
        "ts_minute": at(time),
        "detections": detections,
        "unique_people": people,
    }


def track(
    camera: str, run: str, track_id: int, start: str, seconds: float, *, frames: int, conf: float
) -> dict[str, Any]:
    begin = at(start)
    return {
        "store_id": "s1",
        "camera_id": camera,
        "run_id": run,
        "track_id": track_id,
        "start_ts": begin,
        "end_ts": datetime.fromtimestamp(begin.timestamp() + seconds, tz=UTC),
        "frames": frames,
        "duration_seconds": seconds,
        "min_x": 10.0,
        "max_x": 30.0,
        "delta_x": 20.0,
        "min_y": 5.0,
        "max_y": 6.0,
        "delta_y": 1.0,
        "avg_x": 20.0,
        "avg_y": 5.5,
        "avg_conf": conf,
    }


def dwell(
    camera: str, hour: str, cell: tuple[int, int], visits: int, total: float, longest: float
) -> dict[str, Any]:
    return {
        "store_id": "s1",
        "camera_id": camera,
        "ts_hour": at(hour),
        "zone_x": cell[0],
        "zone_y": cell[1],
        "visits": visits,
        "total_dwell_seconds": total,
        "avg_dwell_seconds": total / visits,
        "max_dwell_seconds": longest,
    }


def hits(camera: str, hour: str, cell: tuple[int, int], count: int) -> dict[str, Any]:
    return {
        "store_id": "s1",
        "camera_id": camera,
        "ts_hour": at(hour),
        "zone_x": cell[0],
        "zone_y": cell[1],
        "hits": count,
        "unique_tracks": 1,
    }


def refused(store: str | None, camera: str | None, reason: str, time: str) -> dict[str, Any]:
    return {
        "store_id": store,
        "camera_id": camera,
        "reason": reason,
        "detail": "why",
        "payload": "{}",
        "ingest_ts": at(time),
    }


def late(camera: str, hour: str, table: str, detections: int, seconds: float) -> dict[str, Any]:
    return {
        "store_id": "s1",
        "camera_id": camera,
        "ts_hour": at(hour),
        "gold_table": table,
        "detections": detections,
        "max_late_seconds": seconds,
    }


def rebuilt(table: str, time: str, changed: int) -> dict[str, Any]:
    return {
        "day": date(2026, 11, 23),
        "gold_table": table,
        "owner": "a night",
        "published_ts": at(time),
        "silver_snapshot_id": 1,
        "silver_rows": 9,
        "rows": 9,
        "replaced": "stream",
        "keys_same": 9 - changed,
        "keys_changed": changed,
        "keys_only_published": 0,
        "keys_only_rebuilt": 0,
    }


def checked(name: str, time: str, outcome: str, **found: Any) -> dict[str, Any]:
    return {
        "checked_ts": at(time),
        "day": date(2026, 11, 23),
        "layer": "gold",
        "check_name": name,
        "severity": "fail",
        "outcome": outcome,
        "violations": None if outcome == "error" else 0,
        "checked": None if outcome == "error" else 9,
        "duration_seconds": 0.1,
        "owner": "a night",
    } | found


ROWS: dict[str, list[dict[str, Any]]] = {
    "gold_people_per_minute": [
        minute("s1", "c1", "10:00:00", 2, 50),
        minute("s1", "c1", "10:01:00", 3, 70),
        minute("s1", "c2", "10:01:00", 1, 10),
        minute("s2", "c1", "11:30:00", 4, 90),
        minute("s1", "c1", "23:59:00", 9, 99),
    ],
    "gold_track_summary": [
        track("c1", "r1", 1, "10:00:05", 0.5, frames=5, conf=0.5),
        track("c1", "r1", 1, "10:40:00", 4.0, frames=15, conf=0.9),
        track("c1", "r2", 1, "10:41:00", 5.0, frames=20, conf=0.8),
        track("c2", "r9", 7, "11:00:00", 1200.0, frames=60, conf=0.6),
        track("c1", "r3", 1, "23:00:00", 9.0, frames=9, conf=0.9),
    ],
    "gold_zone_dwell": [
        dwell("c1", "10:00:00", (3, 4), 2, 10.0, 8.0),
        dwell("c1", "11:00:00", (3, 4), 1, 2.0, 2.0),
        dwell("c2", "10:00:00", (0, 9), 4, 4.0, 3.0),
        dwell("c1", "23:00:00", (9, 9), 1, 500.0, 500.0),
    ],
    "gold_zone_heatmap": [
        hits("c1", "10:00:00", (3, 4), 100),
        hits("c1", "11:00:00", (3, 4), 20),
        hits("c2", "10:00:00", (0, 9), 7),
        hits("c1", "23:00:00", (9, 9), 999),
    ],
    "gold_late_events": [
        late("c1", "10:00:00", "gold_people_per_minute", 3, 61.5),
        late("c1", "10:00:00", "gold_zone_dwell", 5, 70.5),
        late("c2", "11:00:00", "gold_zone_heatmap", 1, 4000.0),
    ],
    "gold_backfill": [
        rebuilt("gold_zone_dwell", "10:02:00", 1),
        rebuilt("gold_track_summary", "10:02:00", 0),
        rebuilt("gold_zone_dwell", "02:02:00", 7),
    ],
    "data_quality": [
        checked("unique_keys", "10:02:00", "fail", violations=2, example="a key"),
        checked("unique_keys", "10:30:00", "pass"),
        checked("freshness", "10:02:00", "pass"),
        checked("freshness", "10:30:00", "warn", violations=1, example="an hour"),
        checked("late_events", "10:30:00", "error", detail="no such table"),
        checked("values_in_range", "02:02:00", "fail", violations=4),
    ],
    "silver_quarantine": [
        refused("s1", "c1", "detection_conf", "10:05:00"),
        refused("s1", "c2", "detection_conf", "10:06:00"),
        refused(None, None, "message_not_json", "10:07:00"),
        refused(None, None, "message_not_json", "23:00:00"),
    ],
}


@pytest.fixture(scope="module")
def filled(deployment: Deployment) -> Deployment:
    for name, rows in ROWS.items():
        table = deployment.catalog.load_table(f"{deployment.database}.{name}")
        table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    return deployment


def expand(name: str, database: str, begin: str, end: str, store: str, camera: str) -> str:
    """A query as the plugin sends it, over the test's tables."""
    sql = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    for macro, value in (
        ("$__timeFrom()", f"TIMESTAMP '2026-11-24 {begin}'"),
        ("$__timeTo()", f"TIMESTAMP '2026-11-24 {end}'"),
        ("$store", store),
        ("$camera", camera),
        ("lakehouse.rva.", f"lakehouse.{database}."),
    ):
        sql = sql.replace(macro, value)
    assert "$" not in sql
    return sql


class Answer(list[list[Any]]):
    """Rows, with the names and types of their columns."""

    def __init__(self, rows: Sequence[list[Any]], description: Sequence[Any]) -> None:
        super().__init__(rows)
        self.columns = [column[0] for column in description]
        self.types = [column[1] for column in description]


def ask(
    deployment: Deployment,
    name: str,
    begin: str = "10:00:00",
    end: str = "12:00:00",
    *,
    store: str = ALL,
    camera: str = ALL,
    zone: str = "UTC",
) -> Answer:
    address = urlsplit(deployment.variables["RVA_TRINO_URL"])
    with trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host=address.hostname, port=address.port, user="test", timezone=zone
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(expand(name, deployment.database, begin, end, store, camera))
        rows = cursor.fetchall()
        return Answer(rows, cursor.description)


def test_every_query_has_its_columns_written_down_here() -> None:
    assert set(COLUMNS) == {path.stem for path in SQL.glob("*.sql")}


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_query_runs_and_gives_its_columns_in_types_that_grafana_reads(
    filled: Deployment, name: str
) -> None:
    answer = ask(filled, name)
    assert answer.columns == COLUMNS[name]
    assert answer
    for column, kind in zip(answer.columns, answer.types, strict=True):
        assert GRAFANA_TYPES.fullmatch(kind), f"{column} is a {kind}"


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_query_runs_where_nothing_is_found(filled: Deployment, name: str) -> None:
    answer = ask(filled, name, "03:00:00", "03:10:00", store="'nowhere'", camera="'none','at all'")
    assert answer.columns == COLUMNS[name]


def test_variables_list_stores_and_the_cameras_of_the_chosen_ones(filled: Deployment) -> None:
    assert ask(filled, "stores") == [["s1"], ["s2"]]
    assert ask(filled, "cameras") == [["c1"], ["c2"]]
    assert ask(filled, "cameras", store="'s2'") == [["c1"]]


def test_extent_ignores_the_time_picker(filled: Deployment) -> None:
    assert ask(filled, "data_extent", "03:00:00", "03:10:00", camera="'c2'") == [
        [at("10:01:00"), at("10:02:00")]
    ]


def test_people_count_once_a_minute_and_are_not_summed(filled: Deployment) -> None:
    assert ask(filled, "people_totals") == [[220, 4, 3, 3]]
    assert ask(filled, "people_totals", store="'s1'", camera="'c1'") == [[120, 3, 2, 1]]
    assert ask(filled, "people_per_minute", "10:00:30") == [
        [at("10:01:00"), "s1/c1", 3],
        [at("10:01:00"), "s1/c2", 1],
        [at("11:30:00"), "s2/c1", 4],
    ]
    assert [row[2] for row in ask(filled, "detections_per_minute")] == [50, 70, 10, 90]
    assert [row[:2] for row in ask(filled, "busiest_minutes")][:2] == [
        [at("11:30:00"), "s2/c1"],
        [at("10:01:00"), "s1/c1"],
    ]


def test_camera_totals_count_a_returning_track_once(filled: Deployment) -> None:
    assert ask(filled, "camera_totals") == [
        ["s1/c1", 120, 2, 3, 2],
        ["s2/c1", 90, 0, 4, 1],
        ["s1/c2", 10, 1, 1, 1],
    ]


def test_time_of_the_picker_is_utc_whatever_the_sessions_zone(filled: Deployment) -> None:
    for name in ("people_per_minute", "zone_hits_by_hour", "track_summary"):
        utc = ask(filled, name, "10:00:30")
        assert utc
        assert ask(filled, name, "10:00:30", zone="Asia/Kolkata") == utc


def test_grids_put_each_cell_in_its_place_and_show_all_ten_rows(filled: Deployment) -> None:
    heat = ask(filled, "zone_heatmap_grid")
    assert [row[0] for row in heat] == [str(y) for y in range(10)]
    assert heat[4][1:] == [0, 0, 0, 120, 0, 0, 0, 0, 0, 0]
    assert heat[9][1:] == [7, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert sum(sum(row[1:]) for row in heat) == 127
    assert ask(filled, "zone_dwell_grid", camera="'c1'")[4][1:] == [0, 0, 0, 12, *[0] * 6]


def test_an_hour_that_the_chosen_time_touches_is_taken_whole(filled: Deployment) -> None:
    assert ask(filled, "zone_hits_by_hour", "10:45:00", "10:50:00") == [
        [at("10:00:00"), "s1/c1", 100],
        [at("10:00:00"), "s1/c2", 7],
    ]
    assert ask(filled, "zone_dwell_by_hour", "11:59:00", "12:00:00") == [
        [at("11:00:00"), "s1/c1", 2.0]
    ]


def test_mean_dwell_over_hours_is_weighed_by_visits(filled: Deployment) -> None:
    assert ask(filled, "zone_dwell_top") == [
        ["s1/c1", "x3 y4", 12.0, 3, 4.0, 8.0],
        ["s1/c2", "x0 y9", 4.0, 4, 1.0, 3.0],
    ]


def test_tracks_are_counted_by_run_and_their_confidence_weighed_by_frames(
    filled: Deployment,
) -> None:
    ((tracks, summaries, median, longest, conf),) = ask(filled, "track_totals")
    assert (tracks, summaries, longest) == (3, 4, 1200.0)
    assert 4.0 <= median <= 5.0
    assert conf == pytest.approx((5 * 0.5 + 15 * 0.9 + 20 * 0.8 + 60 * 0.6) / 100)
    newest = ask(filled, "track_summary")
    assert [row[2] for row in newest] == [7, 1, 1, 1]
    assert newest[0][3:6] == [at("11:00:00"), at("11:20:00"), 1200.0]


def test_durations_fall_into_classes_that_hold_their_lower_bound(filled: Deployment) -> None:
    counted = {row[0]: row[1] for row in ask(filled, "track_durations")}
    assert len(counted) == 9
    assert {name for name, count in counted.items() if count} == {
        "under 1 s",
        "2-5 s",
        "5-10 s",
        "over 15 min",
    }
    assert sum(counted.values()) == 4


def test_what_has_no_store_shows_only_while_all_are_chosen(filled: Deployment) -> None:
    assert [row[:3] for row in ask(filled, "quarantine_by_reason")] == [
        ["detection_conf", 2, 2],
        ["message_not_json", 1, 0],
    ]
    chosen = ask(filled, "quarantine_by_reason", store="'s1'", camera="'c2','c9'")
    assert [row[:3] for row in chosen] == [["detection_conf", 1, 1]]


def test_newest_result_of_a_check_counts_and_what_does_not_pass_comes_first(
    filled: Deployment,
) -> None:
    assert ask(filled, "quality_totals") == [[1, 0, 1, 1]]
    assert ask(filled, "quality_results") == [
        ["2026-11-23", "gold/freshness", "warn", 1, 9, "an hour", at("10:30:00")],
        ["2026-11-23", "gold/late_events", "error", None, None, "no such table", at("10:30:00")],
        ["2026-11-23", "gold/unique_keys", "pass", 0, 9, None, at("10:30:00")],
    ]


def test_late_events_stand_by_camera_hour_and_the_table_that_left_them_out(
    filled: Deployment,
) -> None:
    assert ask(filled, "late_events", "10:45:00") == [
        [at("11:00:00"), "s1/c2", 0, 1, 0, 0, 4000.0],
        [at("10:00:00"), "s1/c1", 3, 0, 0, 5, 70.5],
    ]


def test_drift_is_that_of_the_rebuilds_in_the_chosen_time(filled: Deployment) -> None:
    assert [row[:2] + row[4:6] for row in ask(filled, "backfill_drift")] == [
        ["2026-11-23", "gold_track_summary", 9, 0],
        ["2026-11-23", "gold_zone_dwell", 8, 1],
    ]
