"""`python -m bench.snapshots`: what a table's past costs whoever opens it.

Silver gets a few rows and then so many snapshots as hours of commits leave, all of the same files:
only the metadata grows. Trino counts it, PyIceberg opens it, and streaming Gold, which has read all
of it, looks for new snapshots every two seconds: what the servers use meanwhile is told.

Then Silver gets the files of a day, as it has them until that day is over, and Trino counts their
rows, before the day is compacted and after.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from bench import streams
from bench.growth import COMMITS_A_DAY, rows_of
from bench.outcome import conclude, machine
from bench.place import CANNOT_SAY, Place, own_place, say
from bench.stages.flink import cancel
from bench.stages.usage import Servers
from lakehouse import tables
from lakehouse.maintenance.maintaining import maintain
from lakehouse.query import session
from lakehouse.schema import SILVER_DETECTION
from lakehouse.snapshots import FLINK_CHECKPOINT_ID, FLINK_JOB_ID

RESULT = "snapshots.json"
NAME = SILVER_DETECTION.name
COUNTS = (1, 2_520, 8_640, 17_280)
"""At a commit each ten seconds: none but the newest, seven hours, a day, two days."""
QUICK_COUNTS = (1, 2_520)
FILES_A_DAY, QUICK_FILES_A_DAY = 8_640, 360
DAY = date(2026, 11, 1)
OPENINGS = 9
WATCHED_SECONDS, QUICK_WATCHED_SECONDS = 45.0, 10.0
COUNT_ROWS = f"SELECT zone_x, count(*) FROM {NAME} GROUP BY zone_x"  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class Cost:
    """With so many snapshots."""

    snapshots: int
    metadata_kib: int
    query_seconds: float
    """Of Trino's count, the median."""
    open_seconds: float
    """Until PyIceberg has the table, the median."""
    cores: dict[str, float]
    """Used by each server while streaming Gold looks for new snapshots and there are none."""

    @property
    def cores_of_all(self) -> float:
        """Of all servers together."""
        return round(sum(self.cores.values()), 3)


@dataclass(frozen=True, kw_only=True)
class DayOfFiles:
    """What Trino pays for the small files of a day: medians of the same count."""

    files: int
    mib: float
    query_seconds: float
    compacted_files: int
    compacted_mib: float
    compacted_query_seconds: float
    compaction_seconds: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run, and what it ran on."""

    measured_at: str
    machine: dict[str, Any]
    load_average_before: float
    costs: list[Cost]
    day_of_files: DayOfFiles


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the result; 2 if it cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.snapshots", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="two counts, watched shortly; nothing is written"
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING)
    load_average = os.getloadavg()[0]
    watched_seconds = QUICK_WATCHED_SECONDS if arguments.quick else WATCHED_SECONDS
    costs = []
    try:
        with own_place() as place:
            # the servers have warmed up then
            cost(place, 1, QUICK_WATCHED_SECONDS)
            for count in QUICK_COUNTS if arguments.quick else COUNTS:
                costs.append(cost(place, count, watched_seconds))
                say(f"{costs[-1]}")
            of_files = day_of_files(place, QUICK_FILES_A_DAY if arguments.quick else FILES_A_DAY)
            say(f"{of_files}")
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    result = Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        load_average_before=round(load_average, 1),
        costs=costs,
        day_of_files=of_files,
    )
    show(costs)
    return conclude(result, RESULT, is_good=True, keep=not arguments.quick)


def cost(place: Place, count: int, watched_seconds: float) -> Cost:
    """Give the table so many snapshots, and measure."""
    table = with_snapshots(place, count)
    with session(place.lakehouse) as trino:
        query_seconds = median_seconds(lambda: trino.ask(COUNT_ROWS))
    open_seconds = median_seconds(lambda: tables.load(place.catalog, place.database, NAME))
    job_id = place.start(streams.GOLD)
    streams.await_running(place, [job_id])
    streams.await_read(place, {streams.GOLD: job_id}, streams.GOLD, place.committed_rows(NAME))
    servers = Servers()
    began, before = time.monotonic(), servers.cpu_seconds()
    time.sleep(watched_seconds)
    seconds, after = time.monotonic() - began, servers.cpu_seconds()
    cancel(place, job_id)
    return Cost(
        snapshots=count,
        metadata_kib=len(table.io.new_input(table.metadata_location)) // 1024,
        query_seconds=query_seconds,
        open_seconds=open_seconds,
        cores={name: round((after[name] - before[name]) / seconds, 3) for name in after},
    )


def made_anew(place: Place) -> Any:
    """Silver without a row."""
    place.catalog.purge_table((place.database, NAME))
    tables.ensure_tables(place.catalog, place.database)
    return tables.load(place.catalog, place.database, NAME)


def day_of_files(place: Place, count: int) -> DayOfFiles:
    """Give the table so many files of a day, and ask before and after they are compacted."""
    table = made_anew(place)
    schema = table.schema().as_arrow()
    parts = [rows_of(DAY, number, schema) for number in range(COMMITS_A_DAY)]
    paths = []
    for number in range(count):
        paths.append(f"{table.location()}/data/{number:05}.parquet")
        with table.io.new_output(paths[-1]).create() as written:
            pq.write_table(parts[number % COMMITS_A_DAY], written)
    table.add_files(paths, check_duplicate_files=False)
    with session(place.lakehouse) as trino:
        query_seconds = median_seconds(lambda: trino.ask(COUNT_ROWS))
        began = time.monotonic()
        done = maintain(place.catalog, place.lakehouse, NAME, (), lambda _: None)
        compaction_seconds = time.monotonic() - began
        compacted_query_seconds = median_seconds(lambda: trino.ask(COUNT_ROWS))
    return DayOfFiles(
        files=done.before.data_files,
        mib=round(done.before.mib, 1),
        query_seconds=query_seconds,
        compacted_files=done.after.data_files,
        compacted_mib=round(done.after.mib, 1),
        compacted_query_seconds=compacted_query_seconds,
        compaction_seconds=round(compaction_seconds, 1),
    )


def median_seconds(act: Callable[[], object]) -> float:
    """The median of some tries; the first is not counted."""
    act()
    seconds = []
    for _ in range(OPENINGS):
        began = time.monotonic()
        act()
        seconds.append(time.monotonic() - began)
    return round(statistics.median(seconds), 3)


def with_snapshots(place: Place, count: int) -> Any:
    """Make Silver anew, with rows, and with as many snapshots that change nothing.

    A commit for each would take hours: the copies of the one that there is are written into the
    metadata, which is registered under the table's name.
    """
    table = made_anew(place)
    rows = rows_of(DAY, 0, table.schema().as_arrow())
    table.append(rows, snapshot_properties={FLINK_JOB_ID: uuid4().hex, FLINK_CHECKPOINT_ID: "1"})
    table = tables.load(place.catalog, place.database, NAME)
    metadata = json.loads(table.io.new_input(table.metadata_location).open().read())
    (first,) = metadata["snapshots"]
    copies = [first]
    for number in range(1, count):
        copies.append(
            {
                **first,
                "snapshot-id": first["snapshot-id"] - number,
                "parent-snapshot-id": copies[-1]["snapshot-id"],
                "sequence-number": first["sequence-number"] + number,
                "timestamp-ms": first["timestamp-ms"] + number,
            }
        )
    newest = copies[-1]
    metadata["snapshots"] = copies
    metadata["snapshot-log"] = [
        {"snapshot-id": each["snapshot-id"], "timestamp-ms": each["timestamp-ms"]}
        for each in copies
    ]
    metadata["last-sequence-number"] = newest["sequence-number"]
    metadata["last-updated-ms"] = newest["timestamp-ms"]
    metadata["current-snapshot-id"] = newest["snapshot-id"]
    metadata["refs"]["main"]["snapshot-id"] = newest["snapshot-id"]
    metadata["metadata-log"] = []
    folder = table.metadata_location.rpartition("/")[0]
    location = f"{folder}/00002-{uuid4()}.metadata.json"
    with table.io.new_output(location).create() as written:
        written.write(json.dumps(metadata).encode())
    place.catalog.drop_table((place.database, NAME))
    return place.catalog.register_table((place.database, NAME), location)


def show(costs: Sequence[Cost]) -> None:
    """Print the one table."""
    table = Table("snapshots", "metadata KiB", "Trino, s", "opened, s", "cores, Gold at rest")
    for each in costs:
        table.add_row(
            f"{each.snapshots:,}",
            f"{each.metadata_kib:,}",
            f"{each.query_seconds:.2f}",
            f"{each.open_seconds:.2f}",
            f"{each.cores_of_all:.2f}",
        )
    Console(stderr=True, width=100).print(table)


if __name__ == "__main__":
    sys.exit(main())
