"""Pipeline Health and the alert rules on the real Trino, over rows whose answers are known."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import yaml

from integration.conftest import Deployment, new_deployment, wait_until
from integration.dashboard_rows import DAY_BEFORE, ROWS, WRONG_DAY, at, dwell, fill
from integration.grafana_queries import ROOT, SQL, ask
from lakehouse.tables import load

pytestmark = pytest.mark.integration

RULES = ROOT / "grafana" / "provisioning" / "alerting" / "rules.yaml"
LABELS = {
    "stream_stopped": ["layer", "job"],
    "freshness_bronze": [],
    "freshness_silver": [],
    "freshness_gold": [],
    "quarantine_share": [],
    "camera_silent": ["store_id", "camera_id"],
}
"""What an alert is told apart by; the one other column of its query is the number."""


@pytest.fixture(scope="module")
def filled(deployment: Deployment) -> Deployment:
    fill(deployment)
    return deployment


def test_totals_are_of_what_was_received(filled: Deployment) -> None:
    assert ask(filled, "pipeline_totals") == [[5, 2, 2, 3, 0.6]]
    assert ask(filled, "pipeline_totals", camera="'c2'") == [[1, 1, 0, 1, 1.0]]
    assert ask(filled, "pipeline_totals", "03:00:00", "03:10:00") == [[0, 0, 0, 0, None]]


def test_freshness_of_a_camera_stands_layer_by_layer(filled: Deployment) -> None:
    assert ask(filled, "camera_freshness") == [
        [
            "s1/c1",
            at("10:29:59"),
            at("10:30:00"),
            1,
            at("10:05:20"),
            at("10:05:30"),
            at("10:01:00"),
            260,
        ],
        ["s1/c2", at("10:05:00"), at("10:06:00"), 60, None, None, at("10:01:00"), None],
    ]


def test_camera_is_silent_since_its_newest_frame_the_longest_first(filled: Deployment) -> None:
    assert ask(filled, "camera_silence") == [
        ["s1/c2", 6840, at("10:06:00")],
        ["s1/c1", 5400, at("10:30:00")],
    ]
    assert ask(filled, "camera_silence", end="10:06:10", camera="'c1'") == [
        ["s1/c1", 40, at("10:05:30")]
    ]


def test_layers_are_counted_by_the_minute_of_receipt_and_of_capture(filled: Deployment) -> None:
    assert ask(filled, "received_per_minute") == [
        [at("10:05:00"), "Bronze: messages", 2],
        [at("10:05:00"), "Silver: detections", 2],
        [at("10:05:00"), "Silver: quarantined", 1],
        [at("10:06:00"), "Bronze: messages", 1],
        [at("10:06:00"), "Silver: quarantined", 1],
        [at("10:07:00"), "Bronze: messages", 1],
        [at("10:07:00"), "Silver: quarantined", 1],
        [at("10:30:00"), "Bronze: messages", 1],
    ]
    assert ask(filled, "captured_per_minute") == [
        [at("10:00:00"), "Gold: detections", 50],
        [at("10:01:00"), "Gold: detections", 80],
        [at("10:05:00"), "Silver: person rows", 1],
        [at("11:30:00"), "Gold: detections", 90],
    ]
    day_before = (f"{DAY_BEFORE} 09:00:00", f"{DAY_BEFORE} 10:00:00")
    assert ask(filled, "captured_per_minute", *day_before) == [
        [at("10:00:00", DAY_BEFORE), "Gold: detections", 2],
        [at("10:00:00", DAY_BEFORE), "Silver: person rows", 2],
    ]


def test_way_to_bronze_is_the_longest_of_a_camera_and_minute(filled: Deployment) -> None:
    assert ask(filled, "capture_to_bronze") == [
        [at("10:05:00"), "s1/c1", 10.0],
        [at("10:06:00"), "s1/c2", 60.0],
        [at("10:30:00"), "s1/c1", 1.0],
    ]


def test_quarantine_over_time_counts_rows_by_reason_and_messages_by_share(
    filled: Deployment,
) -> None:
    assert ask(filled, "quarantine_per_minute") == [
        [at("10:05:00"), "detection_conf", 1],
        [at("10:06:00"), "detection_conf", 1],
        [at("10:07:00"), "message_not_json", 1],
    ]
    assert ask(filled, "quarantine_share_per_minute") == [
        [at("10:05:00"), 0.5],
        [at("10:06:00"), 1.0],
        [at("10:07:00"), 1.0],
        [at("10:30:00"), 0.0],
    ]
    assert ask(filled, "quarantine_share_per_minute", "17:00:00", "18:00:00") == [
        [at("17:30:00"), 0.01]
    ]
    # a row of quarantine whose message is not in the chosen minutes divides by nothing
    assert ask(filled, "quarantine_share_per_minute", "23:00:00", "23:10:00") == []


def test_identity_of_a_day_holds_where_silver_minutes_and_heat_map_are_equal(
    filled: Deployment,
) -> None:
    of_today = ["2026-11-24", "differs", 7, 320, 1126]
    assert ask(filled, "day_identities") == [of_today]
    assert ask(filled, "day_identities", f"{DAY_BEFORE} 23:00:00") == [
        of_today,
        ["2026-11-23", "holds", 2, 2, 2],
    ]
    assert ask(filled, "day_identities", f"{WRONG_DAY} 09:00:00", f"{WRONG_DAY} 09:10:00") == [
        ["2026-11-22", "differs", 1, 1, 2]
    ]
    # of camera c2 the heat map has 7, the minutes 10
    assert ask(filled, "day_identities", camera="'c2'") == [["2026-11-24", "differs", 0, 10, 7]]


def after(committed: datetime, seconds: int) -> str:
    """So long after a commit, as the plugin writes it: whole seconds, not before."""
    return f"{committed + timedelta(seconds=seconds + 1):%Y-%m-%d %H:%M:%S}"


def test_newest_commit_of_each_table_tells_its_age_and_the_streams_checkpoint(
    filled: Deployment,
) -> None:
    committed = filled.newest_commit("bronze_raw")
    rows = {row[1]: row for row in ask(filled, "table_commits", end=after(committed, 60))}
    assert list(rows) == [
        "bronze_raw",
        "silver_detection",
        "silver_quarantine",
        "gold_people_per_minute",
        "gold_track_summary",
        "gold_zone_dwell",
        "gold_zone_heatmap",
    ]
    layer, _, newest, age, operation, added, checkpoint, job = rows["bronze_raw"]
    assert (layer, newest, operation) == ("Bronze", committed, "append")
    assert (added, checkpoint, job) == (len(ROWS["bronze_raw"]), "7", "a stream")
    assert age in (60, 61)
    assert rows["silver_detection"][6:] == [None, "a batch"]
    assert rows["gold_zone_dwell"][6:] == [None, None]
    assert rows["silver_quarantine"][2] == filled.newest_commit("silver_quarantine")


def test_who_tidies_up_a_table_is_no_job_that_writes(filled: Deployment) -> None:
    table = filled.catalog.load_table(f"{filled.database}.gold_zone_dwell")
    old = dwell("c1", "10:00:00", (0, 0), 1, 1.0, 1.0) | {"ts_hour": at("10:00:00", "2026-01-01")}
    for _ in range(2):
        table.append(pa.Table.from_pylist([old], schema=table.schema().as_arrow()))
    before = ask(filled, "table_commits")
    filled.query("ALTER TABLE gold_zone_dwell EXECUTE optimize")
    filled.query("DELETE FROM gold_zone_dwell WHERE ts_hour < TIMESTAMP '2026-01-02 00:00:00 UTC'")
    operations = filled.query(
        'SELECT operation FROM "gold_zone_dwell$snapshots" ORDER BY committed_at DESC LIMIT 3'
    )
    assert operations == [["delete"], ["replace"], ["append"]]
    assert ask(filled, "table_commits") == before


def rule_of(name: str) -> dict[str, Any]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    (rule,) = [each for each in group["rules"] if each["data"][0]["refId"] == name]
    found: dict[str, Any] = rule
    return found


def told(
    deployment: Deployment, name: str, begin: str, end: str
) -> tuple[dict[str, Any], set[str]]:
    """What a rule's query gives by its labels, and those of which the alert is sent."""
    rule = rule_of(name)
    evaluator = rule["data"][1]["model"]["conditions"][0]["evaluator"]
    assert evaluator["type"] == "gt"
    answer = ask(deployment, f"alerts/{name}", begin, end)
    values = {"/".join(row[:-1]): row[-1] for row in answer}
    return values, {key for key, value in values.items() if value > evaluator["params"][0]}


def test_every_rule_has_its_labels_written_down_here() -> None:
    assert set(LABELS) == {path.stem for path in (SQL / "alerts").glob("*.sql")}


@pytest.mark.parametrize("name", sorted(LABELS))
def test_rules_query_gives_labels_and_one_number_as_grafana_reads_them(
    filled: Deployment, name: str
) -> None:
    answer = ask(filled, f"alerts/{name}", "20:00:00", "21:00:00")
    *labels, number = answer.types
    assert answer.columns[:-1] == LABELS[name]
    assert all(re.fullmatch(r"varchar.*", each) for each in labels)
    assert re.fullmatch(r"bigint|double", number)
    assert answer
    assert None not in [value for row in answer for value in row]


def test_job_that_has_not_committed_for_too_long_is_told(filled: Deployment) -> None:
    committed = filled.newest_commit("bronze_raw")
    limit = rule_of("stream_stopped")["data"][1]["model"]["conditions"][0]["evaluator"]["params"][0]
    values, sent = told(filled, "stream_stopped", "10:00:00", after(committed, limit - 60))
    assert set(values) == {"Bronze/bronze_ingest", "Gold/gold_streaming"}, "a batch is no stream"
    assert sent == set()
    values, sent = told(filled, "stream_stopped", "10:00:00", after(committed, limit + 60))
    assert sent == {"Bronze/bronze_ingest", "Gold/gold_streaming"}
    assert values["Bronze/bronze_ingest"] in (limit + 60, limit + 61)


@pytest.mark.parametrize(
    ("name", "begin", "end", "value", "is_sent"),
    [
        pytest.param("freshness_bronze", "14:00:00", "14:15:00", 1, False, id="read at once"),
        pytest.param("freshness_bronze", "14:16:00", "14:31:00", 600, True, id="waited"),
        pytest.param("freshness_bronze", "03:00:00", "03:15:00", 0, False, id="nothing came"),
        pytest.param("freshness_silver", "13:30:00", "14:15:00", 0, False, id="all in Silver"),
        pytest.param("freshness_silver", "13:45:00", "14:45:00", 1790, True, id="Silver is behind"),
        pytest.param("freshness_silver", "14:45:00", "15:05:00", 0, False, id="nobody was seen"),
        pytest.param("freshness_silver", "14:15:00", "15:15:00", 0, False, id="in quarantine"),
        pytest.param("freshness_silver", "15:05:00", "15:45:00", 1800, True, id="unreadable"),
        pytest.param("freshness_gold", "16:00:00", "16:10:00", 0, False, id="Gold has passed"),
        pytest.param("freshness_gold", "16:00:00", "16:30:00", 900, True, id="Gold is behind"),
        pytest.param("freshness_gold", "18:50:00", "19:30:00", 1200, True, id="no Gold at all"),
        pytest.param("freshness_gold", "16:15:00", "16:30:00", 0, False, id="one person, no Gold"),
        pytest.param("freshness_gold", "16:00:10", "16:04:59", 0, False, id="a young Silver"),
        pytest.param("freshness_gold", "03:00:00", "03:30:00", 0, False, id="nobody"),
        pytest.param("quarantine_share", "17:00:00", "18:00:00", 0.01, False, id="two of 200"),
        pytest.param("quarantine_share", "18:00:00", "19:00:00", 0.015, True, id="three of 200"),
        pytest.param("quarantine_share", "03:00:00", "04:00:00", 0, False, id="no message"),
    ],
)
def test_rule_without_labels_is_sent_above_its_limit_only(
    filled: Deployment, name: str, begin: str, end: str, value: float, is_sent: bool
) -> None:
    values, sent = told(filled, name, begin, end)
    assert values == {"": value}
    assert sent == ({""} if is_sent else set())


def test_camera_is_told_to_be_silent_while_others_of_its_store_send(filled: Deployment) -> None:
    values, sent = told(filled, "camera_silent", "20:00:00", "20:10:00")
    assert values == {"s5/c1": 300, "s5/c2": 0, "s6/c1": 0}
    assert sent == set()
    values, sent = told(filled, "camera_silent", "20:00:00", "23:00:00")
    assert values == {"s5/c1": 960, "s5/c2": 0, "s6/c1": 0}
    assert sent == {"s5/c1"}, "a store that is silent as a whole is closed"


def test_job_commits_though_no_message_comes_so_that_its_age_tells_whether_it_runs(
    stack: dict[str, str],
) -> None:
    with new_deployment(stack) as idle:
        idle.ensure("bronze_ingest")

        def commits() -> int:
            return len(load(idle.catalog, idle.database, "bronze_raw").snapshots())

        wait_until("two commits without a message", lambda: commits() >= 2, seconds=600)
        committed: list[list[Any]] = idle.query(
            "SELECT committed_at, element_at(summary, 'added-records') "
            'FROM "bronze_raw$snapshots"'
        )
        assert len(committed) >= 2
        assert {row[1] for row in committed} <= {None, "0"}
        newest = max(row[0] for row in committed)
        values, sent = told(idle, "stream_stopped", "10:00:00", after(newest, 0))
        assert list(values) == ["Bronze/bronze_ingest"]
        assert sent == set()
