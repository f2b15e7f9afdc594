"""`python -m bench.soak`: a whole day without a cliff, a burst that drains, a night caught up.

First a day of twenty cameras, accelerated, through all three jobs, tidied five times as the DAG
`streams_maintenance` does it: state, memory, files and delay of the last third must be what
they were in the middle one, memory may grow up to its settings, and no table is beyond its budget.
Then, at the real rate of twenty cameras, a minute of ten times as much. Then Silver and Gold stand
still while a night's frames come into Bronze, and go on from their checkpoints: as many as the
day's cameras, with two frames a second, send in eight hours, or those of the burst, with thirty,
in half an hour. Each time every frame must be in every layer once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.burst import Burst, Night, burst_and_night
from bench.layers import Layers
from bench.long_day import Day, soak
from bench.outcome import conclude, machine
from bench.place import CANNOT_SAY, own_place

RESULT = "soak.json"
SPEED = 50.0
"""Of the day, times real time: it takes 29 minutes, with 2,000 frames/s."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """How much is done."""

    day_from: timedelta
    day_length: timedelta
    steadily: timedelta
    """Before the burst."""
    night: timedelta
    """Of capture by twenty cameras at 30 frames/s: how large the backlog is."""


FULL = Form(
    day_from=timedelta(0),
    day_length=timedelta(days=1),
    steadily=timedelta(seconds=90),
    night=timedelta(minutes=32),
)
QUICK = Form(
    day_from=timedelta(hours=12),
    day_length=timedelta(hours=2),
    steadily=timedelta(seconds=40),
    night=timedelta(minutes=2),
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run, and what it ran on."""

    measured_at: str
    machine: dict[str, Any]
    load_average_before: float
    seconds: float
    """Of the whole run."""
    day: Day
    burst: Burst
    night: Night
    burst_and_night: Layers
    holds: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the result; 1 if something does not hold, 2 if it cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="little of each: whether it is flat is not judged, and nothing is written",
    )
    parser.add_argument(
        "--speed", type=float, default=SPEED, help=f"of the day, times real time ({SPEED:g})"
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING)
    form = QUICK if arguments.quick else FULL
    load_average, began = os.getloadavg()[0], time.monotonic()
    try:
        with own_place() as place:
            day = soak(place, form.day_from, form.day_length, arguments.speed)
        with own_place() as place:
            burst, night, counted = burst_and_night(place, form.steadily, form.night)
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    # thirds of a minute tell nothing of a day
    stays_small = arguments.quick or day.stays_small
    result = Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        load_average_before=round(load_average, 1),
        seconds=round(time.monotonic() - began),
        day=day,
        burst=burst,
        night=night,
        burst_and_night=counted,
        holds=day.is_whole
        and stays_small
        and burst.is_one
        and counted.agree
        and night.times_real_time > 1,
    )
    show(result)
    return conclude(result, RESULT, is_good=result.holds, keep=not arguments.quick)


def show(result: Result) -> None:
    """Print the one table, and what there is to say beside it."""
    day, burst, night = result.day, result.burst, result.night
    table = Table("of the day", "middle third", "last third", "at most", "")
    for name, each in day.trends.items():
        numbers = (f"{value:,.1f}" for value in (each.middle, each.last, each.most))
        table.add_row(name, *numbers, "flat" if each.is_flat else "GROWS")
    console = Console(stderr=True, width=120)
    console.print(table)
    console.print(
        f"day: {day.frames:,} frames at {day.frames / day.seconds:,.0f} a second, drained in "
        f"{day.drained_seconds:.0f} s; {day.state_mib} MiB of state, {day.bytes_remembered} bytes "
        "of it for each message of Bronze, detection of Silver and track of Gold; Gold's in a week "
        f"{day.gold_state_in_a_week_mib} MiB of {day.gold_state_may_be_mib}"
    )
    for took in day.maintained:
        console.print(f"maintained in {took.seconds:.0f} s", *took.beyond_budget, sep="; beyond: ")
    console.print(
        f"burst: {burst.burst_frames_per_second:,} instead of {burst.steady_frames_per_second:,} "
        f"frames/s for {burst.burst_seconds:.0f} s; drained in {burst.drained_seconds:.0f} s"
    )
    console.print(
        f"night: {night.frames:,} frames caught up at {night.silver_frames_per_second:,} a second, "
        f"{night.times_real_time} times real time"
    )
    for name, counted in (("day", day.layers), ("burst and night", result.burst_and_night)):
        console.print(f"{name}: {counted}")


if __name__ == "__main__":
    sys.exit(main())
