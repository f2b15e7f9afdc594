"""Tables get a column while the jobs run: old rows are null, and jobs of every version go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from pyiceberg.types import DoubleType, LongType, StringType

from flink_rest.jobs import How
from integration import walkers
from integration.conftest import Deployment
from integration.test_prove import detections_in, prove_in_time, publish
from lakehouse import tables
from lakehouse.errors import SchemaConflict
from lakehouse.schema import TABLES, Column

pytestmark = pytest.mark.integration

CHANGED = ("bronze_ingest", "silver_detections")
"""The jobs that a newer version lets fill a column."""
ADDED = {
    "bronze_raw": Column("schema_version", StringType(), "version of the message's contract"),
    "silver_detection": Column("area_px", DoubleType(), "area of the box, square pixels"),
    "gold_people_per_minute": Column("staff", LongType(), "people of the shop among them"),
}
"""A column more for a table of each layer; that of Gold is upserted."""
AREA_PX = 60.0 * 180.0
"""Of every box that walkers have."""
MORNING = datetime(2026, 11, 22, 10, tzinfo=UTC)
FRAMES = walkers.frames("cam_01", start=MORNING, seconds=180, seed=1)
LATENESS = ("--lateness-seconds", "20")
"""Over the frames that Bronze takes in one millisecond, of which any can come first."""


@contextmanager
def definitions(added: dict[str, Column]) -> Iterator[None]:
    """The tables as another version defines them, each with a column more."""
    with pytest.MonkeyPatch.context() as patched:
        for name, column in added.items():
            columns = (*TABLES[name].columns, column)
            patched.setitem(TABLES, name, replace(TABLES[name], columns=columns))
        yield


@dataclass
class Flow:
    """What has been published, all of which is in Bronze and Silver, and how much that is."""

    deployment: Deployment
    frames: int = 0
    messages: int = 0
    detections: int = 0

    def publish(self, until_second: int) -> None:
        """Publish the frames up to a second of the capture, and wait until Silver has them."""
        new = FRAMES[self.frames : until_second * walkers.FRAMES_PER_SECOND]
        self.frames += len(new)
        self.messages += len(publish(self.deployment, new, []))
        self.detections += detections_in(new)
        self.deployment.wait_for_rows("bronze_raw", self.messages)
        self.deployment.wait_for_rows("silver_detection", self.detections)

    def wait_for_minutes(self, shown: int) -> None:
        """Wait until streaming Gold shows so many minutes."""
        self.deployment.wait_for_tables(
            f"streaming Gold shows {shown} minutes",
            lambda: sum(self.values("gold_people_per_minute").values()) == shown,
            ["gold_people_per_minute"],
        )

    def values(self, table: str) -> dict[object, int]:
        """What the table's added column holds, as Trino reads it, and in how many rows."""
        column = ADDED[table].name
        return dict(self.deployment.query(f"SELECT {column}, count(*) FROM {table} GROUP BY 1"))


@pytest.fixture(scope="module")
def flow(deployment: Deployment) -> Flow:
    """The jobs run, and half a minute has gone through."""
    for job in CHANGED:
        deployment.ensure(job)
    deployment.ensure("gold_streaming", *LATENESS)
    made = Flow(deployment)
    made.publish(until_second=30)
    return made


def test_column_is_added_while_the_jobs_run_and_they_go_on(
    deployment: Deployment, flow: Flow
) -> None:
    running = deployment.running()
    assert set(running) == {*CHANGED, "gold_streaming"}
    with definitions(ADDED):
        changes = tables.ensure_tables(deployment.catalog, deployment.database)
    assert {each.table: each.columns for each in changes if each.action != "unchanged"} == {
        name: (column.name,) for name, column in ADDED.items()
    }
    assert flow.values("bronze_raw") == {None: flow.messages}
    assert flow.values("silver_detection") == {None: flow.detections}

    flow.publish(until_second=90)
    flow.wait_for_minutes(1)
    assert flow.values("bronze_raw") == {None: flow.messages}
    assert flow.values("silver_detection") == {None: flow.detections}
    assert deployment.running() == running
    assert [deployment.flink.failures(job_id) for job_id in running.values()] == [(), (), ()]


def test_jobs_that_fill_the_column_go_on_from_the_checkpoints_of_older_ones(
    deployment: Deployment, flow: Flow
) -> None:
    messages, detections = flow.messages, flow.detections
    for job_id in deployment.running().values():
        deployment.cancel(job_id)
    for job in CHANGED:
        assert deployment.ensure_as(deployment.newer_spec(job)).how is How.RESUMED
    # it does not fill its table's column, and goes on all the same
    assert deployment.ensure("gold_streaming", *LATENESS).how is How.RESUMED

    flow.publish(until_second=150)
    flow.wait_for_minutes(2)
    assert flow.values("bronze_raw") == {None: messages, "1.0": flow.messages - messages}
    assert flow.values("silver_detection") == {
        None: detections,
        AREA_PX: flow.detections - detections,
    }
    assert flow.values("gold_people_per_minute") == {None: 2}


def test_older_jobs_go_on_from_the_checkpoints_of_newer_ones(
    deployment: Deployment, flow: Flow
) -> None:
    before = {name: flow.values(name) for name in ("bronze_raw", "silver_detection")}
    messages, detections = flow.messages, flow.detections
    running = deployment.running()
    for job in CHANGED:
        deployment.cancel(running[job])
        assert deployment.ensure(job).how is How.RESUMED

    flow.publish(until_second=180)
    before["bronze_raw"][None] += flow.messages - messages
    before["silver_detection"][None] += flow.detections - detections
    assert {name: flow.values(name) for name in before} == before


def test_incompatible_change_is_refused_and_the_jobs_run_on(
    deployment: Deployment, flow: Flow
) -> None:
    running = deployment.running()
    before = _schemas(deployment)
    # one that could be added comes before the one that cannot be
    changed = ADDED | {
        "bronze_raw": Column("another", StringType(), "one more"),
        "silver_detection": replace(ADDED["silver_detection"], type=LongType()),
    }
    with (
        definitions({"bronze_raw": ADDED["bronze_raw"]}),
        definitions(changed),
        pytest.raises(SchemaConflict, match="column area_px is double, not long"),
    ):
        tables.ensure_tables(deployment.catalog, deployment.database)
    assert _schemas(deployment) == before
    assert deployment.running() == running


def test_every_layer_is_proven_after_all_that(deployment: Deployment, flow: Flow) -> None:
    proven = prove_in_time(deployment, *LATENESS)
    assert f"{flow.messages:,}" in proven.out
    assert "does not hold" not in proven.out


def _schemas(deployment: Deployment) -> dict[str, list[str]]:
    return {
        name: tables.load(deployment.catalog, deployment.database, name).schema().column_names
        for name in TABLES
    }
