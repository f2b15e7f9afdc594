"""Old days let go beside real jobs: these go on, newer days stay, and nobody reports a loss."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pulsar
import pyarrow as pa
import pytest

from frame_contract import Frame, encode
from integration import walkers
from integration.conftest import ROOT, Deployment, wait_until
from integration.quality_rows import bronze_row
from integration.test_backfill import rebuild
from integration.test_maintenance import held_by_jobs
from integration.test_prove import detections_in, prove_in_time, publish
from lakehouse import tables
from lakehouse.audit.message_ids import as_flink_writes
from lakehouse.backfill import record
from lakehouse.backfill.claims import claim
from lakehouse.backfill.errors import DayLetGo
from lakehouse.commits import change
from lakehouse.maintenance.budgets import BUDGETS
from lakehouse.maintenance.maintaining import Maintained, maintain
from lakehouse.quality.checking import Outcome, Result
from lakehouse.quality.checks import load
from lakehouse.quality.record import check_days
from lakehouse.retention.horizons import horizons, midnight
from lakehouse.retention.letting_go import would_go
from lakehouse.retention.settings import RetentionSettings
from lakehouse.schema import DAILY_GOLD, TABLES
from lakehouse.settings import LakehouseSettings

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC)
TODAY = NOW.date()
KEEP = RetentionSettings(bronze_days=5, silver_days=5, quarantine_days=5, gold_days=20)
VARIABLES = {
    "RVA_KEEP_BRONZE_DAYS": "5",
    "RVA_KEEP_SILVER_DAYS": "5",
    "RVA_KEEP_QUARANTINE_DAYS": "5",
    "RVA_KEEP_GOLD_DAYS": "20",
}
ANCIENT, OLD, UNREAD, EDGE, NEW = (TODAY - timedelta(days=age) for age in (40, 10, 9, 5, 4))
"""Older than all layers are kept; than Bronze and Silver; the same, and read late; the first that
is whole in Silver; the first whose Gold can be rebuilt."""
SECONDS = 20
UNREADABLE = b"{"
NUMBERS = count()
READ = ("bronze_raw", "silver_detection", "silver_quarantine")


def walk(start: datetime, run: str) -> list[Frame]:
    return walkers.frames("cam_01", start=start, seconds=SECONDS, seed=len(run), run=run)


def at_noon(day: date) -> list[Frame]:
    return walk(midnight(day) + timedelta(hours=12), str(day))


DAYS = {
    ANCIENT: at_noon(ANCIENT),
    OLD: at_noon(OLD),
    # across the midnight with which the first day begins that Silver has whole
    EDGE: walk(midnight(EDGE) - timedelta(seconds=SECONDS / 2), "edge"),
    NEW: at_noon(NEW),
}
SINCE_MIDNIGHT = [each for each in DAYS[EDGE] if each.capture_ts >= midnight(EDGE)]


def settings_of(deployment: Deployment) -> LakehouseSettings:
    return LakehouseSettings.from_env(deployment.variables)


def receive(deployment: Deployment, payloads: Iterable[bytes], *, at: date | None = None) -> None:
    """Put messages into Bronze as `bronze_ingest` would have, two seconds after their capture.

    What cannot be read comes with the message before it.

    :param at: the day of receipt, if another
    """
    rows: list[dict[str, Any]] = []
    for payload in payloads:
        number = next(NUMBERS)
        message_id = as_flink_writes(pulsar.MessageId(ledger_id=0, entry_id=number).serialize())
        row = bronze_row(payload, message_id)
        if payload == UNREADABLE:
            row |= {name: rows[-1][name] for name in ("ingest_ts", "publish_ts")}
        if at is not None:
            moment = midnight(at) + timedelta(hours=1, milliseconds=number)
            row |= {"ingest_ts": moment, "publish_ts": moment}
        rows.append(row)
    change(
        deployment.catalog,
        deployment.database,
        "bronze_raw",
        lambda table: table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow())),
    )


def maintain_one(deployment: Deployment, name: str) -> Maintained:
    return maintain(
        deployment.catalog,
        settings_of(deployment),
        name,
        held_by_jobs(deployment),
        print,
        budget=replace(BUDGETS[name], keep_snapshots=timedelta(0)),
        retention=KEEP,
        now=NOW,
    )


def kept_for_jobs(deployment: Deployment, name: str) -> tuple[str, ...]:
    """Why days that are too old would stay."""
    held = held_by_jobs(deployment)
    return would_go(deployment.catalog, settings_of(deployment), name, held, KEEP, now=NOW).left


def is_read(done: Maintained) -> bool:
    """Whether no job has kept a day."""
    return not any("days since" in line for line in done.left)


def days_of(deployment: Deployment, name: str) -> set[date]:
    time = TABLES[name].partition_by_day_of
    found = deployment.query(f"SELECT DISTINCT CAST({time} AT TIME ZONE 'UTC' AS date) FROM {name}")
    return {day for (day,) in found}  # type: ignore[misc]


def rows_since(deployment: Deployment, name: str, day: date) -> list[str]:
    time = TABLES[name].partition_by_day_of
    return sorted(str(row) for row in deployment.rows(name) if row[time] >= midnight(day))  # type: ignore[operator]


def command(deployment: Deployment, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "lakehouse", *arguments],
        cwd=ROOT,
        env={**deployment.variables, **VARIABLES},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    return ended.stdout


def check(deployment: Deployment, day: date) -> tuple[Result, ...]:
    found = check_days(deployment.catalog, settings_of(deployment), load(), [day], owner="a test")
    assert [str(each) for each in found if each.outcome is not Outcome.PASS] == []
    return found


@pytest.fixture(scope="module")
def streaming(deployment: Deployment) -> Deployment:
    """Three jobs at work on days of the past, and on today's; one of the old days was rebuilt."""
    for job in ("bronze_ingest", "silver_detections", "gold_streaming"):
        deployment.ensure(job)
    sent: list[Frame] = []
    for frames in DAYS.values():
        receive(deployment, [*map(encode, frames), UNREADABLE])
        sent += frames
        deployment.wait_for_rows("silver_detection", detections_in(sent))
    today = walk(midnight(TODAY) + timedelta(seconds=30), "today")
    publish(deployment, today, [])
    deployment.wait_for_rows("silver_detection", detections_in(sent) + detections_in(today))
    deployment.wait_for_tables(
        "streaming Gold has passed the days before today",
        lambda: {ANCIENT, OLD, EDGE, NEW} <= days_of(deployment, "gold_people_per_minute"),
        ["gold_people_per_minute"],
    )
    rebuild(deployment, OLD)
    return deployment


@pytest.fixture(scope="module")
def newer(streaming: Deployment) -> dict[str, list[str]]:
    """What must stay of Bronze, Silver and the quarantine."""
    return {name: rows_since(streaming, name, EDGE) for name in READ}


def test_what_would_go_is_told_and_nothing_goes(
    streaming: Deployment, newer: dict[str, list[str]]
) -> None:
    assert all(newer.values())
    told = command(streaming, "retention")
    assert f"({ANCIENT} to" in told
    assert "5 days" in told
    assert horizons(streaming.catalog, streaming.database, TABLES) == {}
    assert ANCIENT in days_of(streaming, "silver_detection")


def test_day_that_a_stopped_job_has_not_read_stays_and_the_job_is_named(
    streaming: Deployment,
) -> None:
    before = streaming.query("SELECT count(*) FROM silver_detection")[0][0]
    streaming.cancel(streaming.running()["silver_detections"])
    receive(streaming, map(encode, at_noon(UNREAD)))
    done = maintain_one(streaming, "bronze_raw")
    assert any(
        f"days since {UNREAD} stay" in line and "silver_detections" in line for line in done.left
    ), done.left
    assert (done.let_go.gone.first_day, done.let_go.gone.last_day) == (ANCIENT, OLD)
    assert UNREAD in days_of(streaming, "bronze_raw")
    assert not {ANCIENT, OLD} & days_of(streaming, "bronze_raw")
    streaming.ensure("silver_detections")
    streaming.wait_for_rows("silver_detection", before + detections_in(at_noon(UNREAD)))  # type: ignore[operator]
    wait_until(
        "no job has anything of the day still to read",
        lambda: not any(kept_for_jobs(streaming, name) for name in READ),
    )
    assert all(is_read(maintain_one(streaming, name)) for name in READ)


def test_old_days_go_jobs_go_on_and_newer_days_are_as_they_were(
    streaming: Deployment, newer: dict[str, list[str]]
) -> None:
    first_of_gold = TODAY - timedelta(days=20)
    kept = newer | {name: rows_since(streaming, name, first_of_gold) for name in DAILY_GOLD}
    jobs = streaming.running()
    for name in DAILY_GOLD:
        gone = maintain_one(streaming, name).let_go.gone
        assert (gone.first_day, gone.last_day) == (ANCIENT, ANCIENT)
    first = dict.fromkeys(READ, EDGE) | dict.fromkeys(DAILY_GOLD, first_of_gold)
    assert horizons(streaming.catalog, streaming.database, TABLES) == first
    oldest = dict.fromkeys(READ, EDGE) | dict.fromkeys(DAILY_GOLD, OLD)
    assert {name: min(days_of(streaming, name)) for name in first} == oldest
    assert {name: rows_since(streaming, name, day) for name, day in first.items()} == kept
    assert streaming.running() == jobs
    for name in first:
        assert_only_partitions_went(streaming, name)
    assert str(ANCIENT) not in command(streaming, "retention")


def assert_only_partitions_went(deployment: Deployment, name: str) -> None:
    """Files were taken out and none written; nothing that a stream would read."""
    made = [
        each.summary.additional_properties
        for each in tables.load(deployment.catalog, deployment.database, name).snapshots()
        if each.summary is not None and each.summary.operation.value == "delete"
    ]
    assert made
    for summary in made:
        assert "deleted-data-files" in summary
        assert not {"added-data-files", "added-delete-files"} & set(summary)


def test_nobody_rebuilds_what_was_let_go(streaming: Deployment) -> None:
    before = {name: rows_since(streaming, name, OLD) for name in DAILY_GOLD}
    changed = record.changed_days(settings_of(streaming), now=NOW)
    assert [each.day for each in changed] == [NEW]
    for day in (ANCIENT, OLD, EDGE):
        with pytest.raises(DayLetGo, match=f"days since {NEW} can be rebuilt"):
            claim(streaming.catalog, streaming.database, day, "a test")
    assert {name: rows_since(streaming, name, OLD) for name in DAILY_GOLD} == before
    rebuild(streaming, NEW)
    assert record.changed_days(settings_of(streaming), now=NOW) == ()


def test_checks_and_proof_hold_and_say_what_they_leave_out(streaming: Deployment) -> None:
    old, edge = ({str(each.check): each for each in check(streaming, day)} for day in (OLD, EDGE))
    arrived = "silver/detections_arrived"
    assert old[arrived].checked == 0
    assert f"bronze_raw is kept since {EDGE}" in str(old[arrived].detail)
    assert edge[arrived].checked == sum(bool(each.detections) for each in SINCE_MIDNIGHT)
    assert edge[arrived].detail is None
    proven = prove_in_time(streaming)
    assert f"silver_detection is kept since {EDGE}" in proven.out
    assert "Gold of" in proven.out
    assert f"bronze_raw is kept since {EDGE}: 0 messages" in command(streaming, "audit")


def test_row_that_comes_for_a_day_let_go_goes_again_and_gold_stays(
    streaming: Deployment,
) -> None:
    before = {name: rows_since(streaming, name, OLD) for name in DAILY_GOLD}
    late = walk(midnight(OLD) + timedelta(hours=15), "late")
    rows = streaming.query("SELECT count(*) FROM silver_detection")[0][0]
    receive(streaming, map(encode, late), at=TODAY)
    streaming.wait_for_rows("silver_detection", rows + detections_in(late))  # type: ignore[operator]
    assert record.changed_days(settings_of(streaming), now=NOW) == ()
    wait_until(
        "streaming Gold has read it, and it is let go again",
        lambda: (
            is_read(maintain_one(streaming, "silver_detection"))
            and OLD not in days_of(streaming, "silver_detection")
        ),
    )
    assert {name: rows_since(streaming, name, OLD) for name in DAILY_GOLD} == before
    check(streaming, TODAY)
    prove_in_time(streaming)
    assert len(streaming.running()) == 3
