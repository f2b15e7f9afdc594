"""A day of Gold on a branch, by the real batch beside the real stream: audited, then published."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from frame_contract import Frame
from integration import walkers
from integration.conftest import Deployment
from integration.silver_rows import put_into_silver
from lakehouse import tables
from lakehouse.backfill import auditing, drift, record
from lakehouse.backfill.claims import Claim, branch_heads, claim, claimed_days, release
from lakehouse.backfill.drift import Drift
from lakehouse.backfill.errors import AuditFailed, DayTaken
from lakehouse.backfill.publishing import publish
from lakehouse.schema import DAILY_GOLD, TABLES
from lakehouse.settings import LakehouseSettings
from oracle import oracle

pytestmark = pytest.mark.integration

DAY, NEXT_DAY = date(2026, 11, 20), date(2026, 11, 21)
START = datetime(2026, 11, 20, 23, 57, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
OWNER = "a test"


def on_the_way(camera: str = "cam_01", seed: int = 1, run: str = "1") -> list[Frame]:
    """Six minutes across midnight."""
    return walkers.frames(camera, start=START, seconds=360, seed=seed, run=run)


def late() -> list[Frame]:
    """Another camera's three minutes around midnight."""
    start = datetime(2026, 11, 20, 23, 58, 30, tzinfo=UTC)
    return walkers.frames("cam_02", start=start, seconds=180, seed=2)


def persons(frames: list[Frame]) -> int:
    return sum(found.class_name == "person" for frame in frames for found in frame.detections)


def settings_of(deployment: Deployment) -> LakehouseSettings:
    return LakehouseSettings.from_env(deployment.variables)


def claim_day(deployment: Deployment, day: date = DAY) -> Claim:
    return claim(deployment.catalog, deployment.database, day, OWNER)


def run_batch(deployment: Deployment, claimed: Claim) -> None:
    deployment.run_batch(
        "gold_batch",
        *("--branch", claimed.branch, "--day", claimed.day.isoformat()),
        *("--silver-snapshot-id", str(claimed.silver_snapshot_id)),
    )


def heads_of(deployment: Deployment, day: date = DAY) -> dict[str, int]:
    return branch_heads(deployment.catalog, deployment.database, day)


def rebuild(deployment: Deployment, day: date = DAY) -> list[Drift]:
    """All steps of the DAG, with all that they promise; returns what differed before."""
    settings, catalog = settings_of(deployment), deployment.catalog
    claimed = claim_day(deployment, day)
    try:
        run_batch(deployment, claimed)
        heads = heads_of(deployment, day)
        assert all(each.holds for each in auditing.audit(settings, claimed, heads))
        found = list(drift.measure(settings, claimed, heads))
        record.write(
            catalog,
            deployment.database,
            claimed,
            published=publish(catalog, deployment.database, day, OWNER, heads),
            drift=found,
            replaced="stream",
            silver_rows=drift.silver_rows(settings, claimed),
        )
    finally:
        release(catalog, deployment.database, day, OWNER)
    return found


def assert_gold(deployment: Deployment, frames: list[Frame], folder: Path, *days: date) -> None:
    """Gold has the rows of these days that the frames must lead to, and no others of them."""
    expected = oracle.expected([walkers.write(folder / "all.jsonl", frames)])
    for name in DAILY_GOLD:
        time = TABLES[name].partition_by_day_of
        there, wanted = (
            [row for row in rows if row[time].date() in days]  # type: ignore[attr-defined]
            for rows in (deployment.rows(name), expected[name])
        )
        assert wanted
        oracle.assert_same_rows(name, there, wanted, TABLES[name].key)


@pytest.fixture(scope="module")
def silver(deployment: Deployment) -> list[Frame]:
    frames = on_the_way()
    put_into_silver(deployment, frames, NOW)
    return frames


def test_catalogue_lets_one_of_many_have_the_day(
    deployment: Deployment, silver: list[Frame]
) -> None:
    """Gold is empty yet, so each of them also wants to make the first snapshot."""

    def try_to_claim(number: int) -> bool:
        try:
            claim(deployment.catalog, deployment.database, DAY, f"run {number}")
        except DayTaken:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(try_to_claim, range(4))) == 1
    assert list(claimed_days(deployment.catalog, deployment.database)) == [DAY]
    assert release(deployment.catalog, deployment.database, DAY)


def test_day_is_seen_when_it_is_published_and_not_before(
    deployment: Deployment,
    silver: list[Frame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_of(deployment)
    claimed = claim_day(deployment)
    run_batch(deployment, claimed)
    assert deployment.rows("gold_people_per_minute") == []
    identities = auditing.audit(settings, claimed, heads_of(deployment))
    assert all(each.holds and each.left > 0 for each in identities)
    with monkeypatch.context() as patched:
        patched.setattr(auditing, "in_parts", lambda _, ask: [ask(part, 4) for part in range(4)])
        assert auditing.audit(settings, claimed, heads_of(deployment)) == identities
    told = publish(deployment.catalog, deployment.database, DAY, OWNER, heads_of(deployment))
    assert all(each.changed and each.rows > 0 for each in told)
    assert_gold(deployment, silver, tmp_path, DAY)
    assert release(deployment.catalog, deployment.database, DAY, OWNER)
    assert deployment.query('SELECT name FROM "gold_people_per_minute$refs"') == [["main"]]


def test_rows_that_come_during_a_rebuild_are_left_to_the_next_and_the_day_is_named(
    deployment: Deployment, silver: list[Frame], tmp_path: Path
) -> None:
    rebuild(deployment)
    rebuild(deployment, NEXT_DAY)
    settings = settings_of(deployment)
    assert record.changed_days(settings, now=NOW) == ()
    claimed = claim_day(deployment)
    put_into_silver(deployment, late(), NOW)
    run_batch(deployment, claimed)
    auditing.audit(settings, claimed, heads_of(deployment))
    publish(deployment.catalog, deployment.database, DAY, OWNER, heads_of(deployment))
    release(deployment.catalog, deployment.database, DAY, OWNER)
    assert_gold(deployment, silver, tmp_path, DAY)
    changed = record.changed_days(settings, now=NOW)
    # all of it is within an hour of midnight, so both days' tracks may be touched
    assert [(each.day, each.silver_rows - (each.rebuilt_rows or 0)) for each in changed] == [
        (DAY, persons(late())),
        (NEXT_DAY, persons(late())),
    ]
    found = {each.table: each for each in rebuild(deployment)}
    assert found["gold_people_per_minute"] == Drift(
        "gold_people_per_minute",
        keys_same=3,
        keys_changed=0,
        keys_only_published=0,
        keys_only_rebuilt=2,
    )
    rebuild(deployment, NEXT_DAY)
    assert_gold(deployment, [*silver, *late()], tmp_path, DAY, NEXT_DAY)
    assert record.changed_days(settings, now=NOW) == ()


def test_table_that_the_batch_left_without_rows_is_found(
    deployment: Deployment, silver: list[Frame], subtests: pytest.Subtests
) -> None:
    claimed = claim_day(deployment)
    untouched = heads_of(deployment)
    run_batch(deployment, claimed)
    written = heads_of(deployment)
    for table, broken in (
        ("gold_track_summary", "tracks in the track summary"),
        ("gold_zone_dwell", "visits in zone dwell"),
        ("gold_zone_heatmap", "hits in the zone heatmap"),
    ):
        with subtests.test(table):
            heads = written | {table: untouched[table]}
            with pytest.raises(AuditFailed) as caught:
                auditing.audit(settings_of(deployment), claimed, heads)
            assert f"{broken} 0 ≠" in str(caught.value)
    release(deployment.catalog, deployment.database, DAY, OWNER)


def test_day_that_fails_its_audit_stays_as_it_was_and_can_be_looked_at(
    deployment: Deployment, silver: list[Frame]
) -> None:
    before = sorted(map(str, deployment.rows("gold_people_per_minute")))
    claimed = claim_day(deployment)
    run_batch(deployment, claimed)
    table = tables.load(deployment.catalog, deployment.database, "gold_people_per_minute")
    doubled = {
        "store_id": "store_01",
        "camera_id": "cam_01",
        "ts_minute": START,
        "detections": 7,
        "unique_people": 0,
    }
    table.append(
        pa.Table.from_pylist([doubled], schema=table.schema().as_arrow()), branch=claimed.branch
    )
    with pytest.raises(AuditFailed) as caught:
        auditing.audit(settings_of(deployment), claimed, heads_of(deployment))
    told = str(caught.value)
    assert "detections in people per minute" in told
    assert "(+7)" in told
    assert "keys of people per minute" in told
    assert "(-1)" in told
    assert "unique people" not in told
    release(deployment.catalog, deployment.database, DAY, OWNER)
    assert sorted(map(str, deployment.rows("gold_people_per_minute"))) == before
    looked_at = f"gold_people_per_minute FOR VERSION AS OF 'rejected_{DAY:%Y_%m_%d}'"
    assert deployment.query(
        f"SELECT count(*) FROM {looked_at} WHERE ts_minute = ? AND detections = 7",
        [START],
    ) == [[1]]


def test_published_day_is_the_batchs_whatever_the_stream_had_upserted(
    deployment: Deployment, silver: list[Frame], tmp_path: Path
) -> None:
    """The stream has written equality deletes into the day, and goes on committing."""
    for name in DAILY_GOLD:
        deployment.query(f"DELETE FROM {name}")
    deployment.ensure("gold_streaming")
    shown = "SELECT count(*) FROM gold_people_per_minute WHERE ts_minute = ?"
    next_minute = [datetime(2026, 11, 21, 0, 1, tzinfo=UTC)]
    deployment.wait_for_tables(
        "the stream has passed the day",
        lambda: deployment.query(shown, next_minute) != [[0]],
        ["gold_people_per_minute"],
    )
    deletes = 'SELECT count(*) FROM "gold_people_per_minute$files" WHERE content = 2'
    assert deployment.query(deletes) != [[0]]
    rebuild(deployment)
    assert_gold(deployment, [*silver, *late()], tmp_path, DAY)
    # once more, with the stream's deletes of the next day in the same table
    rebuild(deployment, NEXT_DAY)
    assert_gold(deployment, [*silver, *late()], tmp_path, DAY, NEXT_DAY)


def test_day_that_has_lost_its_rows_is_published_as_empty(
    deployment: Deployment, silver: list[Frame]
) -> None:
    deployment.query("DELETE FROM silver_detection")
    assert [each.day for each in record.changed_days(settings_of(deployment), now=NOW)] == [
        DAY,
        NEXT_DAY,
    ]
    rebuild(deployment)
    rebuild(deployment, NEXT_DAY)
    for name in DAILY_GOLD:
        assert deployment.query(f"SELECT count(*) FROM {name}") == [[0]]
    (of_the_day,) = deployment.query(
        "SELECT silver_rows, rows FROM gold_backfill WHERE day = DATE '2026-11-20' "
        "AND gold_table = 'gold_zone_dwell' ORDER BY published_ts DESC LIMIT 1"
    )
    assert of_the_day == [0, 0]
    assert record.changed_days(settings_of(deployment), now=NOW) == ()
