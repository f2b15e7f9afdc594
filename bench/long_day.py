"""A day of twenty cameras, accelerated: whether anything grows that must not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import layers, streams
from bench.figures import Trend, seconds_behind, trend
from bench.layers import Layers
from bench.place import Place, await_that, in_background, messages_of, part_of, say
from bench.sampling import Lag, Sizes, sampled
from bench.stages.usage import MIB
from lakehouse.schema import BRONZE_RAW
from store_simulator.scenario_file import load

SCENARIO = Path(__file__).parent / "day_of_20_cameras.yaml"
PARTS = 4
"""Of the day: between them streaming Gold is compacted, and all is maintained after the half."""
LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What the last third of the day may be, over the middle third."""

    times: float
    slack: float
    """In the unit of what is measured: so much more is nothing, however little there was."""


LIMITS = {
    "seconds behind": Limit(times=1.5, slack=10),
    "memory MiB": Limit(times=1.1, slack=32),
    "state MiB": Limit(times=1.5, slack=2),
    "state bytes each": Limit(times=1.1, slack=2),
    "data files": Limit(times=1.5, slack=20),
    "delete files": Limit(times=1.5, slack=20),
    "snapshots": Limit(times=1.5, slack=20),
    "metadata KiB": Limit(times=1.5, slack=50),
}
"""By what is measured."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """The accelerated day."""

    simulated_hours: float
    speed: float
    frames: int
    seconds: float
    """Until all was published."""
    drained_seconds: float
    """From then until all was in all layers."""
    maintenance_seconds: list[float]
    trends: dict[str, Trend]
    """Medians of the middle and the last third, by what is measured and of what."""
    not_flat: list[str]
    state_mib: dict[str, float]
    """At the end, by job."""
    bytes_remembered: dict[str, float]
    """State by job, over what it must remember: of Bronze a message, of Silver a detection."""
    failures: dict[str, int]
    """Of each job: none is meant to be."""
    layers: Layers

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost, and no job failed."""
        return self.layers.agree and not any(self.failures.values())


def soak(place: Place, day_from: timedelta, length: timedelta, speed: float) -> Day:
    """Publish the day, maintain the tables meanwhile, and let everything come to rest."""
    jobs = streams.start(place)
    start = load(str(SCENARIO)).start + day_from
    command = place.simulator(str(SCENARIO), *part_of(start, length), "--speed", f"{speed:g}")
    apart = length / PARTS / speed
    maintained: list[float] = []
    with sampled(place, jobs, with_sizes=True) as sampler:
        began = time.monotonic()
        with in_background(command) as run:
            while run.poll() is None:
                time.sleep(LOOK_AGAIN_SECONDS)
                due = apart.total_seconds() * (len(maintained) + 1)
                if len(maintained) < PARTS - 1 and time.monotonic() - began > due:
                    is_half = len(maintained) + 1 == PARTS // 2
                    names = streams.WRITTEN if is_half else streams.UPSERTED
                    took = streams.maintain_all(place, apart, jobs_run=True, names=names)
                    maintained.append(took)
                    say(f"maintained in {maintained[-1]:.0f} s; {sampler.newest}")
            published = messages_of(run)
        seconds = time.monotonic() - began
        say(f"{published:,} frames published in {seconds:.0f} s; {sampler.newest}")
        lags, sizes = list(sampler.lags), list(sampler.sizes)
        await_that("Bronze has all", lambda: place.committed_rows(BRONZE_RAW.name) >= published)
        streams.await_committed(place, jobs, published)
        drained = time.monotonic() - began - seconds
    trends = {
        f"{what}: {of}": trend(values, most_times=LIMITS[what].times, slack=LIMITS[what].slack)
        for (what, of), values in measured(lags, sizes).items()
    }
    newest = sampler.sizes[-1]
    counted = layers.count(place, published)
    say(f"drained in {drained:.0f} s; {counted}")
    return Day(
        simulated_hours=length / timedelta(hours=1),
        speed=speed,
        frames=published,
        seconds=round(seconds, 1),
        drained_seconds=round(drained, 1),
        maintenance_seconds=[round(each, 1) for each in maintained],
        trends=trends,
        not_flat=[name for name, each in trends.items() if not each.is_flat],
        state_mib={job: round(state / MIB, 1) for job, state in newest.state_bytes.items()},
        bytes_remembered=remembered(newest),
        failures={job: len(place.flink.failures(each)) for job, each in jobs.items()},
        layers=counted,
    )


def measured(lags: Sequence[Lag], sizes: Sequence[Sizes]) -> dict[tuple[str, str], list[float]]:
    """What is judged, as it went: by what is measured, and of what."""
    moments = [each.at for each in lags]
    published = [each.published for each in lags]
    in_silver = [each.in_silver for each in lags]
    found: dict[tuple[str, str], list[float]] = {
        ("seconds behind", streams.SILVER): [
            round(seconds_behind(moments[:upto], published[:upto], each.read_by_silver), 1)
            for upto, each in enumerate(lags, 1)
        ],
        ("seconds behind", streams.GOLD): [
            round(seconds_behind(moments[:upto], in_silver[:upto], each.read_by_gold), 1)
            for upto, each in enumerate(lags, 1)
        ],
        # its windows end, and with them its state
        ("state MiB", streams.GOLD): [
            round(each.state_bytes[streams.GOLD] / MIB, 1) for each in sizes
        ],
    }
    for job in (streams.BRONZE, streams.SILVER):
        found["state bytes each", job] = [remembered(each)[job] for each in sizes]
    for server in sizes[0].memory_mib:
        found["memory MiB", server] = [each.memory_mib[server] for each in sizes]
    for name in streams.WRITTEN:
        tables = [each.tables[name] for each in sizes]
        found["data files", name] = [each.data_files for each in tables]
        found["delete files", name] = [each.delete_files for each in tables]
        found["snapshots", name] = [each.snapshots for each in tables]
        found["metadata KiB", name] = [each.metadata_kib for each in tables]
    return found


def remembered(sizes: Sizes) -> dict[str, float]:
    """Bytes of state over what must be remembered.

    It grows with what comes in until it is as old as is remembered (of Bronze message ids for two
    hours, of Silver frames for seven days), so that the whole of it says nothing.
    """
    return {
        job: round(sizes.state_bytes[job] / max(remembers, 1), 1)
        for job, remembers in (
            (streams.BRONZE, sizes.lag.in_bronze),
            (streams.SILVER, sizes.lag.in_silver),
        )
    }
