"""What checkpoints need of the tables' past, and what maintenance makes of it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from lakehouse.maintenance.holds import Hold, holds
from lakehouse.maintenance.maintaining import oldest_needed
from lakehouse.read_positions import Position
from lakehouse.replay_ends import ReplayEnd, declare
from lakehouse.tables import ensure_tables, load

DATABASE = "rva"
MADE_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
BRONZE_JOB, SILVER_JOB = "b" * 32, "5" * 32


@pytest.fixture(autouse=True)
def _made_tables(catalog: Catalog) -> None:
    ensure_tables(catalog, DATABASE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


def commit(catalog: Catalog, name: str, job_id: str = BRONZE_JOB, checkpoint: int = 1) -> Snapshot:
    """One row, committed as the job would."""
    table = load(catalog, DATABASE, name)
    row = {
        "payload": b"{}",
        "message_id": b"1",
        "ingest_ts": MADE_AT,
        "reason": "message_not_json",
        "detail": "",
    }
    columns = table.schema().as_arrow()
    rows = pa.Table.from_pylist(
        [{field.name: row.get(field.name) for field in columns}], schema=columns
    )
    table.append(
        rows,
        snapshot_properties={
            "flink.job-id": job_id,
            "flink.max-committed-checkpoint-id": str(checkpoint),
        },
    )
    made = table.current_snapshot()
    assert made is not None
    return made


def checkpoint(folder: Path, job: str, content: bytes, number: int = 7) -> Path:
    made = folder / job / "some-job-id" / f"chk-{number}"
    made.mkdir(parents=True)
    (made / "_metadata").write_bytes(b"\x49\x60\x67\x2d" + content)
    os.utime(made / "_metadata", (MADE_AT.timestamp() + number,) * 2)
    return made


def named(snapshot: Snapshot) -> bytes:
    return b"\x01" + snapshot.snapshot_id.to_bytes(8, "big") + b"\x01"


def at(snapshot: Snapshot) -> datetime:
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC)


def of(found: tuple[Hold, ...], job: str, table: str) -> Hold:
    (hold,) = (each for each in found if (each.job, each.table) == (job, table))
    return hold


def test_job_that_nobody_has_started_needs_nothing(catalog: Catalog, folder: Path) -> None:
    assert holds(catalog, DATABASE, folder) == ()


def test_reader_needs_what_came_since_the_snapshot_that_its_checkpoint_names(
    catalog: Catalog, folder: Path
) -> None:
    commit(catalog, "bronze_raw")
    second = commit(catalog, "bronze_raw")
    commit(catalog, "bronze_raw")
    checkpoint(folder, "silver_detections", named(second))
    hold = of(holds(catalog, DATABASE, folder), "silver_detections", "bronze_raw")
    assert hold.since == at(second)
    assert hold.position == Position(second.sequence_number)
    assert hold.checkpoint_at == MADE_AT + timedelta(seconds=7)


def test_streaming_gold_needs_of_the_ends_what_it_has_not_read_as_of_silver(
    catalog: Catalog, folder: Path
) -> None:
    end = ReplayEnd(MADE_AT, "reading", MADE_AT)
    assert declare(catalog, DATABASE, end, by="somebody")
    assert declare(catalog, DATABASE, replace(end, reading="another"), by="somebody")
    first, second = load(catalog, DATABASE, "gold_replay_end").snapshots()
    checkpoint(folder, "gold_streaming", named(first), number=7)
    assert of(holds(catalog, DATABASE, folder), "gold_streaming", "gold_replay_end").since == at(
        first
    )
    checkpoint(folder, "gold_streaming", named(second), number=8)
    assert of(holds(catalog, DATABASE, folder), "gold_streaming", "gold_replay_end").since == at(
        second
    )


def test_newest_checkpoint_counts(catalog: Catalog, folder: Path) -> None:
    first, second = commit(catalog, "bronze_raw"), commit(catalog, "bronze_raw")
    checkpoint(folder, "silver_detections", named(first), number=7)
    checkpoint(folder, "silver_detections", named(second), number=8)
    hold = of(holds(catalog, DATABASE, folder), "silver_detections", "bronze_raw")
    assert hold.since == at(second)


def data_file(table: Table, snapshot: Snapshot) -> str:
    entries = [
        entry
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io)
        if entry.snapshot_id == snapshot.snapshot_id
    ]
    return entries[0].data_file.file_path


@pytest.mark.parametrize("place", ["_metadata", "a-state-file"])
def test_reader_that_lags_needs_the_commit_of_the_file_that_it_has_begun(
    catalog: Catalog, folder: Path, place: str
) -> None:
    commit(catalog, "bronze_raw")
    second, third = commit(catalog, "bronze_raw"), commit(catalog, "bronze_raw")
    begun = data_file(load(catalog, DATABASE, "bronze_raw"), second).encode()
    made = checkpoint(folder, "silver_detections", named(third))
    with (made / place).open("ab") as file:
        file.write(b'{"path":"' + begun + b'"}')
    hold = of(holds(catalog, DATABASE, folder), "silver_detections", "bronze_raw")
    assert hold.since == at(second)
    assert hold.position == Position(third.sequence_number, frozenset({second.snapshot_id}))
    assert begun.decode() in hold.why


def test_file_of_which_nothing_is_known_is_needed_with_all(catalog: Catalog, folder: Path) -> None:
    only = commit(catalog, "bronze_raw")
    gone = load(catalog, DATABASE, "bronze_raw").location() + "/data/gone.parquet"
    checkpoint(folder, "silver_detections", named(only) + gone.encode())
    hold = of(holds(catalog, DATABASE, folder), "silver_detections", "bronze_raw")
    assert (hold.since, hold.position) == (None, Position(None))
    assert "gone.parquet" in hold.why


def test_checkpoint_that_names_no_snapshot_keeps_all(catalog: Catalog, folder: Path) -> None:
    commit(catalog, "bronze_raw")
    checkpoint(folder, "silver_detections", b"nothing that is known")
    hold = of(holds(catalog, DATABASE, folder), "silver_detections", "bronze_raw")
    assert (hold.since, hold.position) == (None, Position(None))


def test_writer_needs_its_own_newest_commit_though_others_came_later(
    catalog: Catalog, folder: Path
) -> None:
    commit(catalog, "bronze_raw")
    own = commit(catalog, "bronze_raw", checkpoint=2)
    commit(catalog, "bronze_raw", job_id="somebody else")
    checkpoint(folder, "bronze_ingest", b"\x00\x20" + BRONZE_JOB.encode())
    hold = of(holds(catalog, DATABASE, folder), "bronze_ingest", "bronze_raw")
    assert (hold.since, hold.position) == (at(own), None)


def test_job_that_has_committed_and_lost_its_checkpoints_could_need_anything(
    catalog: Catalog, folder: Path
) -> None:
    commit(catalog, "silver_quarantine", SILVER_JOB)
    found = holds(catalog, DATABASE, folder)
    assert {each.table for each in found} == {
        "bronze_raw",
        "silver_detection",
        "silver_quarantine",
    }
    assert {(each.job, each.since) for each in found} == {("silver_detections", None)}
    assert all("--forget silver_detections" in each.why for each in found)
    assert {each.table: each.position for each in found} == {
        "bronze_raw": Position(None),
        "silver_detection": None,
        "silver_quarantine": None,
    }
    assert holds(catalog, DATABASE, folder, forgotten=["silver_detections"]) == ()


def test_batch_needs_nothing(catalog: Catalog, folder: Path) -> None:
    commit(catalog, "silver_quarantine", SILVER_JOB, checkpoint=2**63 - 1)
    assert holds(catalog, DATABASE, folder) == ()


def hold(since: datetime | None) -> Hold:
    return Hold("a job", "bronze_raw", since, "it reads on from there", MADE_AT)


def test_snapshots_stay_for_whoever_needs_the_oldest() -> None:
    kept_since, hours_ago = MADE_AT, MADE_AT - timedelta(hours=5)
    assert oldest_needed([], kept_since) == (kept_since, "")
    later = MADE_AT + timedelta(minutes=1)
    assert oldest_needed([hold(later)], kept_since) == (kept_since, "")
    assert oldest_needed([hold(later), hold(hours_ago)], kept_since) == (
        hours_ago,
        "a job: it reads on from there",
    )
    assert oldest_needed([hold(hours_ago), hold(None)], kept_since) == (
        None,
        "a job: it reads on from there",
    )
