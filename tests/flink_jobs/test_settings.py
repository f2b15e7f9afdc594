"""Job settings: read, checked, and turned into names, ranges and SQL."""

from __future__ import annotations

import re
from datetime import date

import pytest

from flink_jobs import gold, silver_detections, sql
from flink_jobs.parser import ParsedMessage
from flink_jobs.settings import Connections, InvalidJobSetting, JobSettings, parse


def settings(**fields: object) -> JobSettings:
    return JobSettings(job="gold_batch", connections=Connections(), **fields)  # type: ignore[arg-type]


def test_default_database_leaves_the_job_its_plain_name() -> None:
    assert settings().pipeline_name == "gold_batch"


def test_another_database_stands_in_the_name_and_in_the_checkpoint_directory() -> None:
    job = settings(database="rva_test")
    assert job.pipeline_name == "gold_batch@rva_test"
    assert job.checkpoint_uri.startswith("file:///")
    assert job.checkpoint_uri.endswith("/gold_batch@rva_test")


def test_object_store_checkpoints_keep_their_scheme() -> None:
    job = JobSettings(job="x", connections=Connections(checkpoint_dir="s3://bucket/checkpoints"))
    assert job.checkpoint_uri == "s3://bucket/checkpoints/x"


def test_batch_reads_a_track_gap_before_and_the_lookahead_after_its_day() -> None:
    job = settings(day=date(2026, 11, 24))
    assert job.read_range == ("2026-11-23 23:59:30", "2026-11-26 00:00:00")
    assert job.day_range_ms == (1795478400000, 1795564800000)


def test_batch_without_a_day_says_what_is_missing() -> None:
    with pytest.raises(InvalidJobSetting, match="--day"):
        _ = settings().read_range


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"database": "rva; DROP"}, "database"),
        ({"topic": "events' --"}, "topic"),
        ({"parallelism": 0}, "parallelism"),
        ({"lateness_seconds": 0}, "lateness_seconds must be at least 1"),
        ({"track_gap_seconds": 86_401}, "track_gap_seconds must be at most 86400"),
    ],
    ids=["database", "topic", "parallelism", "lateness", "gap"],
)
def test_impossible_value_is_refused_by_name(fields: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidJobSetting, match=named):
        settings(**fields)


@pytest.mark.parametrize(
    ("seconds", "literal"),
    [(5, "0 00:00:05"), (120, "0 00:02:00"), (3_661, "0 01:01:01"), (86_400, "1 00:00:00")],
)
def test_interval_of_any_length_is_one_literal(seconds: int, literal: str) -> None:
    assert sql.interval(seconds) == f"INTERVAL '{literal}' DAY TO SECOND"


def test_quote_in_a_variable_is_refused_without_showing_it() -> None:
    with pytest.raises(InvalidJobSetting, match="RVA_S3_SECRET_KEY") as caught:
        Connections.from_env({"RVA_S3_SECRET_KEY": "se'cret"})
    assert "se'cret" not in str(caught.value)


def test_arguments_win_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RVA_DATABASE", "from_env")
    monkeypatch.setenv("RVA_CHECKPOINT_INTERVAL_SECONDS", "60")
    job = parse("bronze_ingest", [])
    assert (job.database, job.checkpoint_interval_seconds) == ("from_env", 60)
    assert parse("bronze_ingest", ["--database", "given"]).database == "given"


def test_streaming_gold_commits_once_a_minute_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RVA_CHECKPOINT_INTERVAL_SECONDS", raising=False)
    jobs = ("bronze_ingest", "silver_detections", "gold_streaming")
    assert [parse(job, []).checkpoint_interval_seconds for job in jobs] == [10, 10, 60]
    monkeypatch.setenv("RVA_CHECKPOINT_INTERVAL_SECONDS", "2")
    assert parse("gold_streaming", []).checkpoint_interval_seconds == 2
    given = parse("gold_streaming", ["--checkpoint-interval-seconds", "5"])
    assert given.checkpoint_interval_seconds == 5


def test_closed_days_are_left_out_of_the_stream() -> None:
    job = parse("gold_streaming", ["--closed-days", "2026-11-22,2026-11-21"])
    assert gold.open_days(job, "ts") == (
        "DATE_FORMAT(ts, 'yyyy-MM-dd') NOT IN ('2026-11-21', '2026-11-22')"
    )
    assert gold.open_days(parse("gold_streaming", []), "ts") == (
        "DATE_FORMAT(ts, 'yyyy-MM-dd') NOT IN ('1900-01-01')"
    )


@pytest.mark.parametrize(
    "path", sorted(path.relative_to(sql.SQL_DIR) for path in sql.SQL_DIR.rglob("*.sql")), ids=str
)
def test_every_sql_text_begins_with_a_comment_that_says_what_it_is(path: object) -> None:
    assert (sql.SQL_DIR / str(path)).read_text().startswith("-- ")


def test_silver_takes_each_value_of_the_parser_by_its_name() -> None:
    text = sql.render("silver/parsed_messages.sql", **silver_detections._NAMES)
    for name in ParsedMessage._fields:
        assert re.search(rf"m\.parsed\.{name} AS {name}\b", text)
    assert "${" not in text


@pytest.mark.parametrize(
    ("visit_gap", "track_gap", "expected"),
    [(2, 30, 2), (7, 30, 1), (1, 30, 1), (30, 9, 6), (12, 11, 6), (120, 99, 60), (90, 99, 30)],
)
def test_slice_is_the_longest_part_of_a_minute_and_of_a_visit_s_gap(
    visit_gap: int, track_gap: int, expected: int
) -> None:
    job = settings(visit_gap_seconds=visit_gap, track_gap_seconds=track_gap)
    assert gold.slice_seconds(job) == expected


def test_missing_value_of_a_text_is_an_error() -> None:
    with pytest.raises(KeyError):
        sql.render("silver/parsed_messages.sql")


def test_json_paths_are_left_alone() -> None:
    assert "'lax $.source.store_id'" in sql.render("bronze/bronze_raw.sql")
