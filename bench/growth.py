"""`python -m bench.growth`: a table that a stream commits to, with maintenance and without.

Two tables get the same commits, a small file each, day after simulated day, for as many days of the
month as fit. One of them is maintained after each day. Their files, snapshots and metadata are
told for every day, and at the end how long Trino needs to count a day of each.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow.fs import FileSelector
from pyiceberg.io.pyarrow import PyArrowFileIO

from bench.outcome import conclude
from bench.place import CANNOT_SAY, Place, own_place, say
from lakehouse import tables
from lakehouse.maintenance.budgets import BUDGETS, Budget
from lakehouse.maintenance.figures import figures
from lakehouse.maintenance.maintaining import maintain
from lakehouse.query import session
from lakehouse.schema import SILVER_DETECTION

RESULT = "growth.json"
TABLE, UNMAINTAINED = SILVER_DETECTION.name, "silver_detection_unmaintained"
FIRST_DAY = date(2026, 11, 1)
DAYS = 30
COMMITS_A_DAY = 24
"""So many of a month fit into ten minutes: each commit of a table without maintenance takes longer
than the one before."""
SPARE = 1.2
"""Snapshots that a table may have, over those that a day's commits make."""
QUICK_DAYS = 2
ROWS_A_COMMIT = 200
QUERIES = 7
MIB = 1024**2


@dataclass(frozen=True, kw_only=True)
class Size:
    """A table after a day; `objects` and `stored_mib` are what lies in the bucket, orphans too."""

    data_files: int
    most_data_files_a_day: int
    snapshots: int
    metadata_kib: int
    objects: int
    stored_mib: float
    beyond_budget: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run; `days` has, for each, the table with maintenance and the one without."""

    measured_at: str
    cores: int
    load_average_before: float
    commits_a_table: int
    commits_a_day: int
    rows_a_commit: int
    commit_seconds: dict[str, float]
    """The median commit of the last day."""
    maintenance_seconds: float
    """The median day's."""
    query_seconds: dict[str, float]
    """Trino's median answer to a question about the middle day."""
    query_times_maintained: float
    days: list[tuple[Size, Size]]
    within_budgets: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the result; 1 if a budget is passed, 2 if one cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two days, and nothing is written")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING)
    try:
        with own_place() as place:
            result = measure(place, QUICK_DAYS if arguments.quick else DAYS)
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return conclude(result, RESULT, is_good=result.within_budgets, keep=not arguments.quick)


def measure(place: Place, days: int) -> Result:
    """Commit day by day to both tables, maintaining one."""
    load_average = os.getloadavg()[0]
    place.catalog.create_table(
        (place.database, UNMAINTAINED),
        SILVER_DETECTION.schema,
        partition_spec=SILVER_DETECTION.partition_spec,
        properties=SILVER_DETECTION.properties,
    )
    sizes: list[tuple[Size, Size]] = []
    maintenance: list[float] = []
    commits: dict[str, float] = {}
    for number in range(days):
        began = time.monotonic()
        commits = commit_day(place, FIRST_DAY + timedelta(days=number))
        budget = of_a_short_day(timedelta(seconds=time.monotonic() - began))
        began = time.monotonic()
        maintain(place.catalog, place.lakehouse, TABLE, (), lambda _: None, budget=budget)
        maintenance.append(time.monotonic() - began)
        sizes.append((size(place, TABLE, budget), size(place, UNMAINTAINED, budget)))
        say(f"day {number + 1} of {days}: {sizes[-1][0]}; without maintenance {sizes[-1][1]}")
    query = {name: ask(place, name, days // 2) for name in (TABLE, UNMAINTAINED)}
    return Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cores=os.cpu_count() or 0,
        load_average_before=round(load_average, 1),
        commits_a_table=days * COMMITS_A_DAY,
        commits_a_day=COMMITS_A_DAY,
        rows_a_commit=ROWS_A_COMMIT,
        commit_seconds={name: round(seconds, 3) for name, seconds in commits.items()},
        maintenance_seconds=round(statistics.median(maintenance), 2),
        query_seconds={name: round(seconds, 3) for name, seconds in query.items()},
        query_times_maintained=round(query[UNMAINTAINED] / query[TABLE], 2),
        days=sizes,
        within_budgets=not any(maintained.beyond_budget for maintained, _ in sizes),
    )


def of_a_short_day(length: timedelta) -> Budget:
    """The table's budget, with a day's snapshots to keep, which here are few."""
    whole = BUDGETS[TABLE]
    # and one commit more, of the compaction itself
    snapshots = math.ceil(COMMITS_A_DAY * SPARE) + 1
    return replace(
        whole,
        snapshots=snapshots,
        keep_snapshots=length,
        keep_orphans=timedelta(0),
        # the days are some of this month, and each of them is over
        leaves_today=False,
    )


def commit_day(place: Place, day: date) -> dict[str, float]:
    """Append a day's commits to both tables in turn; returns the median seconds of each."""
    there = [tables.load(place.catalog, place.database, name) for name in (TABLE, UNMAINTAINED)]
    schema = there[0].schema().as_arrow()
    seconds: dict[str, list[float]] = {TABLE: [], UNMAINTAINED: []}
    for number in range(COMMITS_A_DAY):
        rows = rows_of(day, number, schema)
        for table in there:
            began = time.monotonic()
            table.append(rows)
            seconds[table.name()[-1]].append(time.monotonic() - began)
    return {name: statistics.median(each) for name, each in seconds.items()}


def rows_of(day: date, commit: int, schema: pa.Schema) -> pa.Table:
    """A few detections of one camera, as ten seconds of it would bring."""
    first = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    first += commit * timedelta(days=1) / COMMITS_A_DAY
    row = {
        **{"store_id": "store_01", "camera_id": "cam_01", "stream_id": "stream_cam_01"},
        **{"run_id": f"store_01-cam_01-{day}", "image_width": 1280, "image_height": 720},
        **{"class_name": "person", "conf": 0.9, "track_id": commit, "zone_x": 3, "zone_y": 4},
        **{"x1": 400.0, "y1": 300.0, "x2": 500.0, "y2": 400.0},
    }
    rows = [
        {
            **row,
            "frame_index": commit * ROWS_A_COMMIT + number,
            "det_id": f"d_{number}",
            "capture_ts": first + timedelta(milliseconds=50 * number),
            "ingest_ts": first + timedelta(milliseconds=50 * number),
        }
        for number in range(ROWS_A_COMMIT)
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def size(place: Place, name: str, budget: Budget) -> Size:
    """What a table is made of now."""
    with session(place.lakehouse) as trino:
        found = figures(trino, name, SILVER_DETECTION)
    table = tables.load(place.catalog, place.database, name)
    fields = urlsplit(table.location())
    assert isinstance(table.io, PyArrowFileIO)
    bucket = table.io.fs_by_scheme(fields.scheme, fields.netloc)
    objects = bucket.get_file_info(FileSelector(f"{fields.netloc}{fields.path}", recursive=True))
    return Size(
        data_files=found.data_files,
        most_data_files_a_day=found.most_data_files_a_day,
        snapshots=found.snapshots,
        metadata_kib=len(table.io.new_input(table.metadata_location)) // 1024,
        objects=len(objects),
        stored_mib=round(sum(each.size or 0 for each in objects) / MIB, 1),
        beyond_budget=found.beyond(budget),
    )


def ask(place: Place, name: str, day_number: int) -> float:
    """Median seconds of a question about one day."""
    day = FIRST_DAY + timedelta(days=day_number)
    values = [day.isoformat(), (day + timedelta(days=1)).isoformat()]
    sql = (
        f"SELECT zone_x, count(*), avg(conf) FROM {name} "  # noqa: S608 - our names
        "WHERE capture_ts >= from_iso8601_timestamp(?) AND capture_ts < from_iso8601_timestamp(?) "
        "GROUP BY zone_x"
    )
    seconds = []
    with session(place.lakehouse) as trino:
        for _ in range(QUERIES):
            began = time.monotonic()
            answer = trino.ask(sql, values)
            seconds.append(time.monotonic() - began)
            assert sum(row[1] for row in answer.rows) == COMMITS_A_DAY * ROWS_A_COMMIT, answer
    return statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main())
