"""`python -m bench.prove`: a noisy store through all layers, and the proof of what it left.

The jobs, the database and the topic are the benchmark's own, on a running stack; they are removed
at the end. Bronze is filled first, then Silver works through the backlog, then the day is closed.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.outcome import conclude
from bench.place import (
    CANNOT_SAY,
    Place,
    await_look,
    await_silence,
    await_that,
    own_place,
    published_messages,
    say,
)
from flink_rest.waits import JobFinishes, JobRuns
from lakehouse.closing import close_days
from lakehouse.proving.actual import gold_by_trino
from lakehouse.proving.prove import Proof, prove
from lakehouse.proving.scope import Scope
from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import workbench
from store_simulator.scenario_file import load

RESULT = "prove.json"
SCENARIO = "noisy"
QUICK_MINUTES = 5


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run; each identity as its left name, its two numbers and whether it holds."""

    measured_at: str
    cores: int
    load_average_before: float
    simulated_minutes: float
    messages: int
    publish_seconds: float
    silver_rows: int
    """Detections and quarantined things."""
    silver_seconds: float
    """From Silver's submission, with all of Bronze there, to its last commit."""
    silver_rows_per_second: int
    silver_messages_per_second: int
    gold_batch_seconds: float
    prove_seconds: float
    prove_peak_mib: int
    """Of the whole process: DuckDB, Arrow and Python."""
    identities: list[tuple[str, int, int, bool]]
    holds: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the result; 1 if an identity does not hold, 2 if one cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.prove", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less, and nothing is written")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING)
    try:
        with own_place() as place:
            result = measure(place, QUICK_MINUTES if arguments.quick else None)
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return conclude(result, RESULT, is_good=result.holds, keep=not arguments.quick)


def measure(place: Place, minutes: int | None) -> Result:
    """Publish, fill Bronze, Silver and Gold, and prove."""
    scenario = load(SCENARIO)
    load_average = os.getloadavg()[0]
    bronze = place.start("bronze_ingest", "--topic", place.topic)
    await_look(JobRuns(place.flink, bronze))
    messages, publish_seconds = publish(place, minutes)
    say(f"{messages:,} messages published in {publish_seconds:.0f} s")
    await_that("Bronze has all", lambda: place.rows("bronze_raw") >= messages)
    place.flink.cancel(bronze)

    began = time.time()
    silver = place.start("silver_detections")
    await_look(JobRuns(place.flink, silver))
    await_that("Silver has begun", lambda: place.rows("silver_detection") > 0)
    await_silence(place, silver, "silver_detection")
    rows = place.rows("silver_detection") + place.rows("silver_quarantine")
    silver_seconds = place.last_commit("silver_detection") - began
    say(f"{rows:,} rows in Silver in {silver_seconds:.0f} s")
    place.flink.cancel(silver)

    began = time.time()
    day = scenario.start.date()
    batch = place.start("gold_batch", "--day", day.isoformat())
    await_look(JobFinishes(place.flink, batch))
    batch_seconds = time.time() - began
    close_days(place.catalog, place.database, [day])
    say(f"Gold of {day} closed in {batch_seconds:.0f} s")

    began = time.time()
    proof = prove_all(place)
    prove_seconds = time.time() - began
    for identity in proof.identities:
        say(f"{identity}: {'holds' if identity.holds else 'DOES NOT HOLD'}")
    return Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cores=os.cpu_count() or 0,
        load_average_before=round(load_average, 1),
        simulated_minutes=minutes or scenario.duration_minutes,
        messages=messages,
        publish_seconds=round(publish_seconds, 1),
        silver_rows=rows,
        silver_seconds=round(silver_seconds, 1),
        silver_rows_per_second=round(rows / silver_seconds),
        silver_messages_per_second=round(messages / silver_seconds),
        gold_batch_seconds=round(batch_seconds, 1),
        prove_seconds=round(prove_seconds, 1),
        prove_peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        identities=[
            (f"{each.left_is} = {each.right_is}", each.left, each.right, each.holds)
            for each in proof.identities
        ],
        holds=proof.first_broken is None and not proof.open_days,
    )


def publish(place: Place, minutes: int | None) -> tuple[int, float]:
    """Run the simulator into the topic; returns messages and seconds."""
    command = place.simulator(SCENARIO, "--speed", "max")
    command += [] if minutes is None else ["--duration-minutes", str(minutes)]
    began = time.monotonic()
    messages = published_messages(command)
    return messages, time.monotonic() - began


def prove_all(place: Place) -> Proof:
    """As `python -m lakehouse prove` does."""
    settings = ProofSettings()
    with workbench(settings) as bench:
        read_gold = gold_by_trino(place.lakehouse)
        return prove(bench, place.catalog, place.database, read_gold, Scope(), [], settings)


if __name__ == "__main__":
    sys.exit(main())
