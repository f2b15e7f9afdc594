"""Every query of the dashboards on the real Trino, over rows whose answers are known by hand."""

from __future__ import annotations

import re

import pytest

from integration.conftest import Deployment
from integration.dashboard_rows import at, fill
from integration.grafana_queries import SQL, ask

pytestmark = pytest.mark.integration

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
    "table_commits": [
        "layer",
        "table_name",
        "newest_commit",
        "seconds_since_commit",
        "operation",
        "added_records",
        "checkpoint_id",
        "job_id",
    ],
    "pipeline_totals": ["messages", "cameras", "detections", "quarantined", "quarantine_share"],
    "camera_freshness": [
        "camera",
        "bronze_capture_ts",
        "bronze_ingest_ts",
        "to_bronze_seconds",
        "silver_capture_ts",
        "silver_ingest_ts",
        "gold_minute",
        "silver_to_gold_seconds",
    ],
    "camera_silence": ["camera", "silent_seconds", "newest_ts"],
    "received_per_minute": ["time", "layer", "arrived"],
    "captured_per_minute": ["time", "layer", "detections"],
    "capture_to_bronze": ["time", "camera", "to_bronze_seconds"],
    "quarantine_share_per_minute": ["time", "quarantine_share"],
    "quarantine_per_minute": ["time", "reason", "quarantined"],
    "day_identities": [
        "day",
        "identity",
        "silver_person_rows",
        "minutes_detections",
        "heatmap_hits",
    ],
}
GRAFANA_TYPES = re.compile(
    r"varchar.*|bigint|integer|double|boolean|timestamp\(\d\) with time zone"
)
"""What the plugin turns into a string, a number or a time; decimals become text."""


@pytest.fixture(scope="module")
def filled(deployment: Deployment) -> Deployment:
    fill(deployment)
    return deployment


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
