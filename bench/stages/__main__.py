"""`python -m bench.stages`: each stage beside its ceiling, beside an alternative, and by size.

Twenty simulated cameras' frames go through the whole pipeline, stage after stage, each over all
that the one before it has left. A ceiling is the same source with nothing done; an alternative is
what a user would take instead. What is compared is within one run: a rate of another machine, or of
another hour of this one, says nothing.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import layers, streams
from bench.backfill import duckdb_gold
from bench.outcome import conclude, machine
from bench.place import CANNOT_SAY, Place, await_look, own_place, say
from bench.stages import flink, frames, publishing
from bench.stages.frames import Frames
from bench.stages.usage import watched
from flink_rest.waits import JobFinishes
from lakehouse import tables
from lakehouse.query import session
from lakehouse.schema import DAILY_GOLD
from store_page.numbers import Numbers
from store_page.selection import Selection, span

HERE = Path(__file__).parent
RESULT = "stages.json"
SECONDS = (80, 320, 1280)
"""Of twenty cameras: 1, 4 and 16 times 48,000 frames."""
QUICK_SECONDS = SECONDS[:1]
CLIENT_MESSAGES = 60_000
PERF_MESSAGES = 3 * CLIENT_MESSAGES
"""More, since Java has to compile it first."""
PAGE_QUERIES = ("people", "totals", "zones", "dwell")
PAGE_ASKS = 5
ALTERNATIVES_WRITE = {"silver_by_sql": ("silver_detection",)}
"""What they leave behind, by their name."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage at one size. Rates are a second, of `unit`."""

    name: str
    size: int
    unit: str
    rate: float
    beside: dict[str, float]
    """Rates of the ceiling and of alternatives, over the same input, in the same unit."""
    late_over_early: float | None = None
    """How fast the second half went, over the first; of a Flink job only."""
    cpu_us: dict[str, float] = field(default_factory=dict)
    """Processor microseconds a unit, by server."""
    peak_mib: dict[str, int] = field(default_factory=dict)

    def share_of(self, other: str) -> float:
        """This rate over the other's."""
        return self.rate / self.beside[other]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run, and what it ran on."""

    measured_at: str
    machine: dict[str, Any]
    load_average_before: float
    quick: bool
    frames: dict[int, int]
    """Frames by size; a size counts 48,000 frames, or, in the quick form, is the one there is."""
    detections: dict[int, int]
    stages: list[dict[str, Any]]
    gold_streaming_rows: int
    gold_streaming_deletes: int
    targets: dict[str, tuple[float, float, bool]]
    """What was reached, what must be, and whether it was."""
    all_rows_there: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the result; 1 if rows are missing, 2 if it cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="the least size, under five minutes; nothing is written",
    )
    quick: bool = parser.parse_args(argv).quick
    logging.basicConfig(level=logging.WARNING)
    try:
        with tempfile.TemporaryDirectory(prefix="rva-bench-") as folder:
            result, stages = measure(Path(folder), QUICK_SECONDS if quick else SECONDS, quick=quick)
    except (*CANNOT_SAY, publishing.NotAllSent) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    show(result, stages)
    return conclude(result, RESULT, is_good=result.all_rows_there, keep=not quick)


def measure(folder: Path, sizes: Sequence[int], *, quick: bool) -> tuple[Result, list[Stage]]:
    """Bring each size through all stages."""
    load_average = os.getloadavg()[0]
    stages: list[Stage] = []
    of_size: dict[int, Frames] = {}
    complete = True
    for number, seconds in enumerate(sizes):
        size = seconds // sizes[0]
        made = of_size[size] = frames.make(folder, seconds)
        say(f"{size}x: {made.frames:,} frames with {made.detections:,} detections")
        with own_place() as place:
            # ceilings and alternatives are the same at any size: they are measured at the middle,
            # as warm as ours is by then
            asked = number + 1 if number == len(sizes) // 2 else 0
            done, of_stream = through_all_stages(place, made, size, folder, asked=asked)
            stages += done
            complete &= of_stream.is_whole and all_there(place, made)
        made.path.unlink()
    return (
        Result(
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine(),
            load_average_before=round(load_average, 1),
            quick=quick,
            frames={size: each.frames for size, each in of_size.items()},
            detections={size: each.detections for size, each in of_size.items()},
            stages=[as_dict(each) for each in stages],
            gold_streaming_rows=of_stream.rows,
            gold_streaming_deletes=of_stream.deletes,
            targets=targets(stages, of_stream),
            all_rows_there=complete,
        ),
        stages,
    )


def through_all_stages(
    place: Place, made: Frames, size: int, folder: Path, *, asked: int
) -> tuple[list[Stage], OfStream]:
    """Measure each stage over what the one before it has left.

    :param asked: how often a ceiling or an alternative runs, of which the last time counts; 0: none
    """
    stages: list[Stage] = []

    def done(name: str, unit: str, rate: float, others: dict[str, float], **of: Any) -> None:
        stages.append(Stage(name=name, size=size, unit=unit, rate=rate, beside=others, **of))
        say(
            f"{size}x {name}: {rate:,.0f} {unit}/s"
            + "".join(f"; {other} {of_other:,.0f}" for other, of_other in others.items())
        )

    def others(*which: tuple[str, Callable[[], float]]) -> dict[str, float]:
        return {name: ask() for name, ask in which} if asked else {}

    alone = others(
        (
            "pulsar-perf",
            lambda: publishing.by_pulsar_perf(
                f"{place.topic}-perf", PERF_MESSAGES, made.bytes // made.frames
            ),
        ),
    )
    if asked:
        client = publishing.by_client_alone(f"{place.topic}-client", made, CLIENT_MESSAGES)
        done("publish", "frames", client, alone)
        alone = {"publish": client}
    done("replay", "frames", publishing.by_replay(place.topic, made), alone)

    def streamed(name: str, unit: str, of: flink.Run, others: dict[str, float]) -> None:
        more = {"cpu_us": of.cpu_us, "peak_mib": of.peak_mib}
        done(name, unit, of.rate, others, late_over_early=of.late_over_early, **more)

    topic = ("--topic", place.topic)
    ceiling = others(("ceiling", lambda: ran(place, "bronze_ceiling", asked, made.frames, *topic)))
    bronze = streams.through_backlog(place, streams.BRONZE, made.frames, *topic)
    streamed("bronze", "frames", bronze, ceiling)

    # in detections: of the ceiling, which knows frames only, as many as its frames have
    share = made.detections / made.frames
    ceiling = others(
        ("ceiling", lambda: ran(place, "silver_ceiling", asked, made.frames) * share),
        ("SQL alone", lambda: ran(place, "silver_by_sql", asked, made.detections)),
    )
    silver = streams.through_backlog(place, streams.SILVER, made.detections)
    streamed("silver", "detections", silver, ceiling)

    ceiling = others(("ceiling", lambda: ran(place, "gold_ceiling", asked, made.detections)))
    often = ("--checkpoint-interval-seconds", "10")
    gold = streams.through_backlog(place, streams.GOLD, made.detections, *often)
    streamed("gold streaming", "detections", gold, ceiling)
    of_stream = what_stream_wrote(place)

    began = time.monotonic()
    with watched() as usage:
        job = place.start("gold_batch", "--day", made.day)
        await_look(JobFinishes(place.flink, job))
    seconds = time.monotonic() - began
    apart = folder / f"duckdb-{size}"
    apart.mkdir()
    by_duckdb = duckdb_gold(place, apart)["seconds"]
    rates = {"DuckDB": made.detections / by_duckdb}
    rates |= others(("Trino", lambda: made.detections / by_trino(place, asked)))
    done("gold batch", "detections", made.detections / seconds, rates, peak_mib=usage.peak_mib)
    if asked:
        of_page, nothing = page_queries(place, made)
        done("page queries", "queries", of_page, {"SELECT 1": nothing})
    return stages, of_stream


def ran(place: Place, variant: str, times: int, records: int, *arguments: str) -> float:
    """The rate of a ceiling or an alternative, the last of so many times."""
    for _ in range(times):
        job_id, run = flink.run(
            place, variant, records, *arguments, stand_in=(flink.STAND_IN, variant)
        )
        flink.cancel(place, job_id)
        for table in ALTERNATIVES_WRITE.get(variant, ()):
            place.catalog.purge_table((place.database, table))
        tables.ensure_tables(place.catalog, place.database)
    return run.rate


def by_trino(place: Place, times: int) -> float:
    """Seconds that Trino takes for the four tables of Gold, all rows fetched; the last time."""
    queries = [path.read_text(encoding="utf-8") for path in sorted((HERE / "trino").glob("*.sql"))]
    with session(place.lakehouse) as trino:
        for _ in range(times):
            began = time.monotonic()
            for query in queries:
                trino.ask(query)
            seconds = time.monotonic() - began
    return seconds


def page_queries(place: Place, made: Frames) -> tuple[float, float]:
    """Queries a second, one after the other: of the store page, and such as ask for nothing."""
    with session(place.lakehouse) as trino:
        cameras = trino.ask("SELECT store_id, camera_id FROM gold_people_per_minute LIMIT 1")
        [(store, camera)] = cameras.rows
        nothing = statistics.median(_seconds(lambda: trino.ask("SELECT 1")) for _ in range(9))
    chosen = Selection(store, camera, span(made.day, None, None, datetime.now(UTC)))
    taken = [
        _seconds(lambda query=query: Numbers(place.lakehouse).ask(query, chosen.values))  # type: ignore[misc]
        for query in PAGE_QUERIES
        for _ in range(PAGE_ASKS)
    ]
    return 1 / statistics.median(taken), 1 / nothing


def _seconds(ask: Callable[[], object]) -> float:
    began = time.monotonic()
    ask()
    return time.monotonic() - began


@dataclass(frozen=True, kw_only=True)
class OfStream:
    """What streaming Gold has written, before the batch has overwritten it."""

    rows: int
    deletes: int
    """Of equality and of position, over all commits of all tables."""
    is_whole: bool
    """Whether each detection of a closed minute is counted, and none left out."""


def what_stream_wrote(place: Place) -> OfStream:
    """Add up the commits, and compare people per minute with Silver."""
    rows = deletes = 0
    for name in DAILY_GOLD:
        for snapshot in tables.load(place.catalog, place.database, name).snapshots():
            told = {} if snapshot.summary is None else snapshot.summary.additional_properties
            rows += int(told.get("added-records", 0))
            deletes += int(told.get("added-equality-deletes", 0))
            deletes += int(told.get("added-position-deletes", 0))
    with session(place.lakehouse) as trino:
        in_silver, in_gold, late = layers.closed_minutes(trino)
    if in_silver != in_gold or late:
        say(f"NOT ALL IS IN STREAMING GOLD: {in_gold} of {in_silver} detections, {late} late")
    return OfStream(rows=rows, deletes=deletes, is_whole=in_silver == in_gold > 0 and not late)


def all_there(place: Place, made: Frames) -> bool:
    """Whether every frame is in Bronze, and every detection in Silver and in the batch's Gold."""
    with session(place.lakehouse) as trino:
        [(counted,)] = trino.ask("SELECT sum(detections) FROM gold_people_per_minute").rows
    found = (place.rows("bronze_raw"), place.rows("silver_detection"), counted)
    expected = (made.frames, made.detections, made.detections)
    if found != expected:
        say(f"NOT ALL ROWS ARE THERE: {found} instead of {expected}")
    return found == expected


def targets(stages: Sequence[Stage], of_stream: OfStream) -> dict[str, tuple[float, float, bool]]:
    """What is to be reached, by the largest size of each stage and what stood beside it."""
    by_name = {each.name: each for each in stages if each.beside}
    largest = {each.name: each for each in stages}
    wanted = {
        "bronze over its ceiling": (by_name["bronze"].share_of("ceiling"), 0.8),
        "silver detections/s": (largest["silver"].rate, 100_000),
        "gold streaming detections/s": (largest["gold streaming"].rate, 60_000),
        "gold rows over delete rows": (of_stream.rows / max(of_stream.deletes, 1), 1.0),
        "gold batch over DuckDB": (largest["gold batch"].share_of("DuckDB"), 1 / 3),
    }
    return {name: (round(has, 3), least, has >= least) for name, (has, least) in wanted.items()}


def as_dict(stage: Stage) -> dict[str, Any]:
    """Plain types with few digits, for the result."""
    return {
        "name": stage.name,
        "size": stage.size,
        "unit": stage.unit,
        "rate": round(stage.rate, 1),
        "beside": {name: round(rate, 1) for name, rate in stage.beside.items()},
        "ratio": {name: round(stage.share_of(name), 3) for name in stage.beside},
        "late_over_early": stage.late_over_early and round(stage.late_over_early, 2),
        "cpu_us": {name: round(us, 2) for name, us in stage.cpu_us.items()},
        "peak_mib": stage.peak_mib,
    }


def show(result: Result, stages: Sequence[Stage]) -> None:
    """Print the one table, and what was to be reached."""
    table = Table(
        "stage", "size", "rate/s", "unit", "late/early", "µs of processor", "MiB", "beside"
    )
    for each in stages:
        table.add_row(
            each.name,
            f"{each.size}x",
            f"{each.rate:,.0f}" if each.rate >= 100 else f"{each.rate:.1f}",
            each.unit,
            f"{each.late_over_early:.2f}" if each.late_over_early else "",
            f"{sum(each.cpu_us.values()):.1f}" if each.cpu_us else "",
            f"{each.peak_mib['flink-taskmanager']:,}" if each.peak_mib else "",
            ", ".join(f"{each.share_of(name):.2f} of {name}" for name in each.beside),
        )
    console = Console(stderr=True, width=120)
    console.print(table)
    for name, (has, least, holds) in result.targets.items():
        console.print(
            f"{'reached' if holds else 'MISSED'}: {name}: {has:,} (at least {least:,.2f})"
        )


if __name__ == "__main__":
    sys.exit(main())
