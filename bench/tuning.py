"""`python -m bench.tuning`: what each setting of the jobs is worth, against the jobs as they are.

Bronze's topic, Bronze and Silver are filled once. Then each job works through its backlog again
and again into fresh tables: as it is, with one thing changed, as it is, with another thing changed.
A change is compared with the runs right before and after it, since Java compiles ever more of a
job, and the machine is not always the same.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from pyiceberg.table.snapshots import Snapshot
from rich.console import Console
from rich.table import Table

from bench import streams
from bench.outcome import conclude, machine
from bench.place import CANNOT_SAY, Place, own_place, say
from bench.stages import flink, frames, publishing
from bench.stages.frames import Frames
from lakehouse import tables

RESULT = "tuning.json"
SECONDS, QUICK_SECONDS = 400, 100
AS_IT_IS = "as it is"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that is otherwise than in the job as it is."""

    job: str
    name: str
    options: dict[str, str] = field(default_factory=dict)
    """Of Flink's configuration."""
    source: dict[str, str] = field(default_factory=dict)
    """Of the table that it reads."""
    arguments: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    """Of the tables that it writes."""


_COPIES = {"pipeline.object-reuse": "false"}
_MINI_BATCH = {
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "500 ms",
    "table.exec.mini-batch.size": "5000",
}
_ON_THE_HEAP = {"state.backend.type": "hashmap"}
_ZSTD_9 = {"write.parquet.compression-level": "9"}
_TWO = ("--parallelism", "2")
_FETCHED = {"table.exec.iceberg.fetch-batch-record-count": "8192"}
_BUNDLE = "python.fn-execution.bundle.size"
CHANGES = (
    Change(job=streams.BRONZE, name="rows copied between operators", options=_COPIES),
    Change(job=streams.BRONZE, name="keys on the heap", options=_ON_THE_HEAP),
    Change(
        job=streams.BRONZE,
        name="1,000 messages a fetch instead of 100",
        source={"pulsar.source.maxFetchRecords": "1000"},
    ),
    Change(
        job=streams.BRONZE,
        name="a queue of 5,000 messages instead of 1,000",
        source={"pulsar.consumer.receiverQueueSize": "5000"},
    ),
    Change(job=streams.BRONZE, name="zstd level 9", properties=_ZSTD_9),
    Change(
        job=streams.BRONZE, name="snappy", properties={"write.parquet.compression-codec": "snappy"}
    ),
    Change(job=streams.SILVER, name="rows copied between operators", options=_COPIES),
    Change(job=streams.SILVER, name="bundles of 300", options={_BUNDLE: "300"}),
    Change(job=streams.SILVER, name="bundles of 1,000", options={_BUNDLE: "1000"}),
    Change(job=streams.SILVER, name="bundles of 10,000", options={_BUNDLE: "10000"}),
    Change(job=streams.SILVER, name="8,192 rows a fetch instead of 2,048", options=_FETCHED),
    Change(job=streams.SILVER, name="mini-batches", options=_MINI_BATCH),
    Change(job=streams.SILVER, name="keys on the heap", options=_ON_THE_HEAP),
    Change(job=streams.SILVER, name="parallelism 2", arguments=_TWO),
    Change(job=streams.SILVER, name="zstd level 9", properties=_ZSTD_9),
    Change(
        job=streams.SILVER,
        name="row groups of 16 MiB",
        properties={"write.parquet.row-group-size-bytes": str(16 * 1024**2)},
    ),
    Change(
        job=streams.SILVER,
        name="written by partition",
        properties={"write.distribution-mode": "hash"},
    ),
    Change(job=streams.GOLD, name="rows copied between operators", options=_COPIES),
    Change(job=streams.GOLD, name="8,192 rows a fetch instead of 2,048", options=_FETCHED),
    Change(job=streams.GOLD, name="mini-batches", options=_MINI_BATCH),
    Change(
        job=streams.GOLD,
        name="one-phase aggregation",
        options={"table.optimizer.agg-phase-strategy": "ONE_PHASE"},
    ),
    Change(job=streams.GOLD, name="parallelism 2", arguments=_TWO),
)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A job with one change, beside the job as it is: the mean of the runs before and after.

    A record is a frame of Bronze's, else a detection.
    """

    job: str
    name: str
    rate: float
    """Records a second."""
    rate_as_it_is: float
    cpu_us: float
    """Processor microseconds a record, of all servers."""
    cpu_us_as_it_is: float
    files_a_commit: float
    """Data files of a commit to the first of its tables."""
    bytes_a_record: float
    """Of Parquet, in all its tables."""
    bytes_a_record_as_it_is: float

    @property
    def rate_times(self) -> float:
        """This rate over that of the job as it is."""
        return self.rate / self.rate_as_it_is

    @property
    def cpu_times(self) -> float:
        """This processor time over that of the job as it is."""
        return self.cpu_us / self.cpu_us_as_it_is


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run, and what it ran on."""

    measured_at: str
    machine: dict[str, Any]
    load_average_before: float
    frames: int
    detections: int
    tried: list[dict[str, Any]]


def main(argv: Sequence[str] | None = None) -> int:
    """Try everything, print the table, and write the result; 2 if it cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.tuning", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less, and nothing is written")
    parser.add_argument("--job", choices=streams.WRITES, action="append", help="only this one")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING)
    load_average = os.getloadavg()[0]
    try:
        with tempfile.TemporaryDirectory(prefix="rva-bench-") as folder, own_place() as place:
            made = frames.make(Path(folder), QUICK_SECONDS if arguments.quick else SECONDS)
            tried = try_all(place, made, arguments.job or list(streams.WRITES))
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    show(tried)
    result = Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        load_average_before=round(load_average, 1),
        frames=made.frames,
        detections=made.detections,
        tried=[asdict(each) for each in tried],
    )
    keep = not arguments.quick and not arguments.job
    return conclude(result, RESULT, is_good=True, keep=keep)


def try_all(place: Place, made: Frames, jobs: Sequence[str]) -> list[Tried]:
    """Fill each layer, then try what is read from it."""
    publishing.by_replay(place.topic, made)
    say(f"{made.frames:,} frames published")
    tried: list[Tried] = []
    for job in streams.WRITES:
        # either leaves behind what the next job reads
        if job in jobs:
            tried += try_job(place, made, job)
        else:
            run(place, made, Change(job=job, name=AS_IT_IS))
    return tried


def try_job(place: Place, made: Frames, job: str) -> list[Tried]:
    """Each change between two runs of the job as it is; before all, one for Java to compile it."""
    as_it_is = Change(job=job, name=AS_IT_IS)
    run(place, made, as_it_is)
    before = run(place, made, as_it_is)
    tried: list[Tried] = []
    for change in (each for each in CHANGES if each.job == job):
        changed = run(place, made, change)
        after = run(place, made, as_it_is)
        tried.append(beside(change, changed, before, after))
        before = after
    return tried


def beside(change: Change, changed: Done, before: Done, after: Done) -> Tried:
    """What a change is worth."""
    return Tried(
        job=change.job,
        name=change.name,
        rate=round(changed.rate),
        rate_as_it_is=round(mean((before.rate, after.rate))),
        cpu_us=round(changed.cpu_us, 1),
        cpu_us_as_it_is=round(mean((before.cpu_us, after.cpu_us)), 1),
        files_a_commit=round(changed.files_a_commit, 1),
        bytes_a_record=round(changed.bytes_a_record, 1),
        bytes_a_record_as_it_is=round(mean((before.bytes_a_record, after.bytes_a_record)), 1),
    )


@dataclass(frozen=True, kw_only=True)
class Done:
    """One run through a backlog; see `Tried`."""

    rate: float
    cpu_us: float
    files_a_commit: float
    bytes_a_record: float


def run(place: Place, made: Frames, change: Change) -> Done:
    """Run the changed job over its backlog into fresh tables, to the last commit."""
    renew(place, change)
    of_bronze = change.job == streams.BRONZE
    measured = streams.through_backlog(
        place,
        change.job,
        made.frames if of_bronze else made.detections,
        *change.arguments,
        *(("--topic", place.topic) if of_bronze else ()),
        stand_in=(
            flink.STAND_IN,
            "changed",
            change.job,
            json.dumps(change.options),
            json.dumps(change.source),
        ),
    )
    say(f"{change.job}, {change.name}: {measured.rate:,.0f}/s, {measured.cpu_us_total:.1f} µs each")
    commits, files, size = written(place, change.job)
    return Done(
        rate=measured.rate,
        cpu_us=measured.cpu_us_total,
        files_a_commit=files / commits,
        bytes_a_record=size / measured.records,
    )


def renew(place: Place, change: Change) -> None:
    """Make the tables anew that the job writes."""
    for name in streams.WRITES[change.job]:
        place.catalog.purge_table((place.database, name))
    tables.ensure_tables(place.catalog, place.database)
    for name in streams.WRITES[change.job]:
        if change.properties:
            with tables.load(place.catalog, place.database, name).transaction() as transaction:
                transaction.set_properties(change.properties)


def written(place: Place, job: str) -> tuple[int, int, int]:
    """Commits to the first of a job's tables that brought data, their files; bytes in all tables.

    The tables are new, and nothing has been deleted from them.
    """
    first = tables.load(place.catalog, place.database, streams.WRITES[job][0])
    added = [told(each).get("added-data-files") for each in first.snapshots()]
    files = [int(each) for each in added if each]
    size = 0
    for name in streams.WRITES[job]:
        snapshot = tables.load(place.catalog, place.database, name).current_snapshot()
        size += int(told(snapshot).get("total-files-size", 0)) if snapshot else 0
    return len(files), sum(files), size


def told(snapshot: Snapshot) -> Mapping[str, str]:
    """What the commit tells of itself."""
    return snapshot.summary.additional_properties if snapshot.summary else {}


def show(tried: Sequence[Tried]) -> None:
    """Print the table; after the arrow, what is changed."""
    table = Table("job", "changed", "rate/s", "times", "µs of processor", "times")
    table.add_column("files/commit")
    table.add_column("bytes each")
    for each in tried:
        table.add_row(
            each.job,
            each.name,
            f"{each.rate_as_it_is:,.0f} → {each.rate:,.0f}",
            f"{each.rate_times:.2f}",
            f"{each.cpu_us_as_it_is:.1f} → {each.cpu_us:.1f}",
            f"{each.cpu_times:.2f}",
            f"{each.files_a_commit:.1f}",
            f"{each.bytes_a_record_as_it_is:.1f} → {each.bytes_a_record:.1f}",
        )
    Console(stderr=True, width=140).print(table)


if __name__ == "__main__":
    sys.exit(main())
