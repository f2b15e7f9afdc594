"""`python -m bench.soak`: a whole day without a cliff, a burst that drains, a night caught up.

First a day of twenty cameras, accelerated, through all three jobs, tidied five times as the DAG
`streams_maintenance` does it: state, memory, files and delay of the last third must be what
they were in the middle one, memory may grow up to its settings, and no table is beyond its budget.
Then, at the rate of twenty cameras with 10 frames/s, a minute of ten times as much. Then Silver and
Gold stand still while a night's frames come into Bronze, and go on from their checkpoints: as many
as the day's cameras, with two frames a second, send in eight hours, or with thirty in half an hour.
Each time every frame must be in every layer once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.burst import Burst, Night, burst_and_night
from bench.layers import Layers
from bench.long_day import Day, soak
from bench.outcome import conclude, machine
from bench.place import CANNOT_SAY, own_place

DAY_RESULT, BURST_RESULT = "soak.json", "burst.json"
SPEED = 50.0
"""Of the day, times real time: it takes 29 minutes, with 2,000 frames/s."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """How much is done."""

    day_from: timedelta
    day_length: timedelta
    steadily: timedelta
    """Of capture, before the burst."""
    night: timedelta
    """Of capture by twenty cameras at 30 frames/s: how large the backlog is."""


FULL = Form(
    day_from=timedelta(0),
    day_length=timedelta(days=1),
    steadily=timedelta(seconds=40),
    night=timedelta(minutes=32),
)
QUICK = Form(
    day_from=timedelta(hours=12),
    day_length=timedelta(hours=2),
    steadily=timedelta(seconds=20),
    night=timedelta(minutes=2),
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a part ran on, and when it ended."""

    measured_at: str
    machine: dict[str, Any]
    load_average_before: float


@dataclass(frozen=True, kw_only=True)
class DayResult:
    """The accelerated day."""

    run: Run
    day: Day
    holds: bool


@dataclass(frozen=True, kw_only=True)
class BurstResult:
    """The burst and the night."""

    run: Run
    burst: Burst
    night: Night
    layers: Layers
    holds: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the results; 1 if something does not hold, 2 if it cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="little of each: whether it is flat is not judged, and nothing is written",
    )
    parser.add_argument("--only", choices=("day", "burst"), help="one part; default: both")
    parser.add_argument(
        "--speed", type=float, default=SPEED, help=f"of the day, times real time ({SPEED:g})"
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING)
    form = QUICK if arguments.quick else FULL
    codes = []
    try:
        if arguments.only != "burst":
            codes.append(run_day(form, arguments.speed, keep=not arguments.quick))
        if arguments.only != "day":
            codes.append(run_burst(form, keep=not arguments.quick))
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return max(codes)


def run_day(form: Form, speed: float, *, keep: bool) -> int:
    """Measure the day; returns the exit code.

    :param keep: whether it is judged and written: thirds of a minute tell nothing of a day
    """
    at_the_end = beginning()
    with own_place() as place:
        day = soak(place, form.day_from, form.day_length, speed)
    holds = day.is_whole and (not keep or day.stays_small)
    show_day(day)
    return conclude(
        DayResult(run=at_the_end(), day=day, holds=holds), DAY_RESULT, is_good=holds, keep=keep
    )


def run_burst(form: Form, *, keep: bool) -> int:
    """Measure the burst and the night; returns the exit code."""
    at_the_end = beginning()
    with own_place() as place, tempfile.TemporaryDirectory() as folder:
        burst, night, counted = burst_and_night(place, Path(folder), form.steadily, form.night)
    holds = burst.is_one and counted.agree and night.times_real_time > 1
    show_burst(burst, night, counted)
    result = BurstResult(run=at_the_end(), burst=burst, night=night, layers=counted, holds=holds)
    return conclude(result, BURST_RESULT, is_good=holds, keep=keep)


def beginning() -> Callable[[], Run]:
    """Take the load; what is returned tells of the run when it has ended."""
    load_average = os.getloadavg()[0]
    return lambda: Run(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        load_average_before=round(load_average, 1),
    )


def show_day(day: Day) -> None:
    """Print the one table, and what there is to say beside it."""
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
    console.print(f"day: {day.layers}")


def show_burst(burst: Burst, night: Night, counted: Layers) -> None:
    """Print what there is to say."""
    console = Console(stderr=True, width=120)
    console.print(
        f"burst: {burst.burst_frames_per_second:,} instead of {burst.steady_frames_per_second:,} "
        f"frames/s for {burst.burst_seconds:.0f} s; drained in {burst.drained_seconds:.0f} s"
    )
    console.print(
        f"night: {night.frames:,} frames caught up at {night.silver_frames_per_second:,} a second, "
        f"{night.times_real_time} times real time"
    )
    console.print(f"burst and night: {counted}")


if __name__ == "__main__":
    sys.exit(main())
