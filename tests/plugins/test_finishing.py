"""`finish` without servers: step by step, and what it refuses; the whole is in integration."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from scripted_http import serving

from flink_rest.client import FlinkClient
from flink_rest.errors import DeadlinePassed
from flink_rest.records import CheckpointRequest, JobDetail, JobStatus, JobSummary, Vertex
from flink_rest.settings import FlinkSettings
from lakehouse.replay_ends import declared
from lakehouse.tables import ensure_tables, load
from store_pipeline import finishing
from store_pipeline.errors import EndAhead, NothingToFinish, StreamNotRunning
from store_pipeline.settings import PipelineSettings
from store_pipeline.streams import STREAMS

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9"
LAST = datetime(2026, 11, 23, 10, 59, 45, tzinfo=UTC)
IDS = dict(zip(STREAMS, ("a" * 32, "b" * 32, "c" * 32), strict=True))


@dataclass
class Flink:
    """Jobs that run; each checkpoint that is asked for names what the tables have."""

    catalog: Catalog
    checkpoints: Path
    states: dict[str, JobStatus] = field(
        default_factory=lambda: dict.fromkeys(STREAMS, JobStatus.RUNNING)
    )
    shown: dict[str, str] = field(
        default_factory=lambda: {"reading": "r1", "longest-gap-seconds": "30"}
    )
    stuck: str | None = None
    """A table of which no checkpoint names a snapshot."""
    asked: list[str] = field(default_factory=list)

    def jobs(self) -> tuple[JobSummary, ...]:
        return tuple(
            JobSummary(IDS[name], name, state, 1, 1) for name, state in self.states.items()
        )

    def job(self, job_id: str) -> JobDetail:
        step = Vertex("a step", parallelism=1, running=1)
        return JobDetail(job_id, "a job", JobStatus.RUNNING, (step,))

    def parameters(self, _: str) -> dict[str, str]:
        return self.shown

    def request_checkpoint(self, job_id: str) -> str:
        (name,) = (each for each, own in IDS.items() if own == job_id)
        self.asked.append(name)
        made = self.checkpoints / name / job_id / f"chk-{len(self.asked)}"
        made.mkdir(parents=True)
        current = [
            load(self.catalog, "rva", table).current_snapshot()
            for table in ("bronze_raw", "silver_detection", "gold_replay_end")
            if table != self.stuck
        ]
        ids = (each.snapshot_id.to_bytes(8, "big") for each in current if each is not None)
        (made / "_metadata").write_bytes(b"m" + b"".join(ids))
        return f"{len(self.asked):032x}"

    def checkpoint_request(self, _: str, request_id: str) -> CheckpointRequest:
        return CheckpointRequest(True, int(request_id, 16), None)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    made = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/c.db", warehouse=tmp_path.as_uri())
    ensure_tables(made, "rva")
    return made


class Clock:
    """Goes on by the pauses between two looks only, however slow the machine is."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def flink(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flink:
    monkeypatch.setattr("lakehouse.catalog.connect", lambda *_: catalog)
    monkeypatch.setattr(finishing, "_newest_of", lambda _: ())
    monkeypatch.setattr("flink_rest.waits.time", Clock())
    return Flink(catalog, tmp_path / "checkpoints")


def finish(flink: Flink, *, ahead: bool = False) -> Iterator[str]:
    settings = FlinkSettings(jobs_dir="", checkpoint_dir=flink.checkpoints)
    return finishing.finish(
        cast(FlinkClient, flink), PipelineSettings(), settings, ahead=ahead, wait_seconds=10
    )


def detect(catalog: Catalog, captured: datetime) -> None:
    """One row of Silver."""
    table = load(catalog, "rva", "silver_detection")
    schema = table.schema().as_arrow()
    filler = {"string": "x", "large_string": "x", "int64": 1, "int32": 1, "double": 1.0}
    row = {each.name: filler.get(str(each.type)) for each in schema}
    table.append(
        pa.Table.from_pylist([row | {"capture_ts": captured, "ingest_ts": captured}], schema=schema)
    )


def test_end_is_declared_for_the_reading_that_has_read_all(catalog: Catalog, flink: Flink) -> None:
    detect(catalog, LAST)
    assert list(finish(flink)) == [
        "Silver has everything, the last of 2026-11-23 10:59:45 UTC",
        "the end of 2026-11-23 11:00:15 UTC is declared",
        "streaming Gold has closed all that was open before it",
    ]
    (end,) = declared(catalog, "rva")
    assert (end.up_to, end.reading, end.read) == (LAST + timedelta(seconds=30), "r1", LAST)
    assert list(finish(flink))[1] == "the end of 2026-11-23 11:00:15 UTC was declared"
    assert len(declared(catalog, "rva")) == 1
    flink.shown["reading"] = "r2"
    assert list(finish(flink))[1] == "the end of 2026-11-23 11:00:15 UTC is declared"


@pytest.mark.parametrize("table", ["silver_detection", "gold_replay_end"])
def test_what_gold_does_not_read_is_named_in_time_and_nothing_said_to_be_closed(
    catalog: Catalog, flink: Flink, table: str
) -> None:
    detect(catalog, LAST)
    flink.stuck = table
    told: list[str] = []
    with pytest.raises(DeadlinePassed, match=f"reading rva.{table} up to its newest snapshot"):
        told.extend(finish(flink))
    assert "streaming Gold has closed all that was open before it" not in told
    assert len(declared(catalog, "rva")) == (table == "gold_replay_end")


def test_checkpoint_of_an_earlier_job_of_the_name_proves_nothing(
    catalog: Catalog, flink: Flink
) -> None:
    detect(catalog, LAST)
    list(finish(flink))
    own = flink.checkpoints / "gold_streaming" / IDS["gold_streaming"]
    own.rename(own.with_name("d" * 32))
    flink.stuck = "silver_detection"
    with pytest.raises(DeadlinePassed, match=r"reading rva\.silver_detection"):
        list(finish(flink))


def test_end_in_the_future_is_refused_unless_asked_for(catalog: Catalog, flink: Flink) -> None:
    detect(catalog, datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(EndAhead, match="--ahead"):
        list(finish(flink))
    assert declared(catalog, "rva") == ()
    list(finish(flink, ahead=True))
    assert len(declared(catalog, "rva")) == 1


def test_empty_silver_leaves_nothing_to_finish(catalog: Catalog, flink: Flink) -> None:
    with pytest.raises(NothingToFinish, match=r"rva\.silver_detection is empty"):
        list(finish(flink))


@pytest.mark.parametrize("job", STREAMS)
def test_stream_that_does_not_run_is_named(flink: Flink, job: str) -> None:
    flink.states[job] = JobStatus.CANCELED
    with pytest.raises(StreamNotRunning, match=f"{job} does not run: .*make streams"):
        list(finish(flink))


def test_gold_of_an_older_version_is_told_so(flink: Flink) -> None:
    flink.shown = {"closed-days": "none"}
    with pytest.raises(StreamNotRunning, match="older version"):
        list(finish(flink))


@pytest.mark.parametrize("jobs_run", [False, True], ids=["Flink down", "catalogue down"])
def test_server_that_is_down_is_one_line_and_exit_code_2(jobs_run: bool) -> None:
    listed = [
        {"jid": own, "name": name, "state": "RUNNING", "start-time": 1, "tasks": {"total": 1}}
        for name, own in IDS.items()
    ]
    config = {"execution-config": {"user-config": {"reading": "r", "longest-gap-seconds": "30"}}}
    answers = {
        "/jobs/overview": [(200, {"jobs": listed})],
        f"/jobs/{IDS['gold_streaming']}/config": [(200, config)],
    }
    with serving(answers) as flink:
        ended = subprocess.run(
            [sys.executable, "-m", "store_pipeline", "finish", "--database", "rva"],
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT / "plugins"),
                "RVA_FLINK_URL": flink.url if jobs_run else NOWHERE,
                "RVA_CATALOG_URI": NOWHERE,
            },
            capture_output=True,
            text=True,
        )
    assert (ended.returncode, ended.stdout) == (2, "")
    server = "the Iceberg REST catalogue" if jobs_run else "Flink's REST API"
    assert ended.stderr.startswith(f"error: {server} at {NOWHERE} does not answer")
    assert ended.stderr.count("\n") == 1
