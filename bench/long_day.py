"""A day of twenty cameras, accelerated: whether anything grows that must not."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import layers, streams
from bench.figures import Trend, seconds_behind, trend
from bench.layers import Layers
from bench.place import Place, await_that, in_background, messages_of, part_of, say
from bench.sampling import Lag, Sizes, sampled
from bench.stages.usage import MIB, PYTHON_WORKERS
from lakehouse.schema import BRONZE_RAW, GOLD_TRACK_SUMMARY, TABLES
from local_stack.memory import Memory
from local_stack.settings import StackSettings
from store_simulator.scenario_file import load

SCENARIO = Path(__file__).parent / "day_of_20_cameras.yaml"
PARTS = 6
"""Of the day, between which what the streams write is maintained: as many in each third."""
LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What the last third of the day may be, over the middle third."""

    times: float
    slack: float
    """In the unit of what is measured: so much more is nothing, however little there was."""


BESIDE_THE_HEAP_MIB = 256
"""What a JVM takes for classes, code and threads, which no setting of ours bounds."""
BESIDE_GO_MIB = 105
"""The pages of MinIO's program itself, which are resident too once they have been used."""
FULL_BUNDLES_MIB = 300
"""Of Silver's Python when each of its bundles has as many messages as it may: `make bench` finds
some 250. Over a million messages at an even rate it does not grow."""
COMMIT_SECONDS = 10
"""Between two of Bronze and Silver; streaming Gold has fewer."""
COMMITS_TO_SPARE = 1.2
"""Maintenance takes a while, and its own commits are snapshots too."""
LARGEST_SHARE_OF_STATE = 0.03
"""Of a TaskManager's memory, for what a checkpoint of streaming Gold has after a week; on the heap
it takes some four times that."""
DAYS_OF_GOLD = 7
"""How long it remembers visits: `state_ttl_seconds` of its settings."""
LIMITS = {
    "seconds behind": Limit(times=1.5, slack=10),
    "memory MiB": Limit(times=1.1, slack=32),
    "state bytes each": Limit(times=1.1, slack=2),
    # streaming Gold commits five times between two tidyings
    "data files": Limit(times=1.5, slack=5),
    "delete files": Limit(times=1.5, slack=5),
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
    maintained: list[streams.Maintenance]
    """Between the parts of the day the hourly part of it, and all of it after the end."""
    trends: dict[str, Trend]
    """Medians of the middle and the last third, by what is measured and of what."""
    not_flat: list[str]
    state_mib: dict[str, float]
    """At the end, by job."""
    bytes_remembered: dict[str, float]
    """State by job, over what it must remember."""
    gold_state_in_a_week_mib: float
    """The most that it had, as many times as it remembers days like this one."""
    gold_state_may_be_mib: float
    failures: dict[str, int]
    """Of each job: none is meant to be."""
    layers: Layers

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost, and no job failed."""
        return self.layers.agree and not any(self.failures.values())

    @property
    def stays_small(self) -> bool:
        """Whether nothing has grown that must not, and no table is beyond its budget."""
        return (
            not self.not_flat
            and not any(each.beyond_budget for each in self.maintained)
            and self.gold_state_in_a_week_mib <= self.gold_state_may_be_mib
        )


def soak(place: Place, day_from: timedelta, length: timedelta, speed: float) -> Day:
    """Publish the day, maintain the tables meanwhile, and let everything come to rest."""
    jobs = streams.start(place)
    start = load(str(SCENARIO)).start + day_from
    command = place.simulator(str(SCENARIO), *part_of(start, length), "--speed", f"{speed:g}")
    apart = length / PARTS / speed
    maintained: list[streams.Maintenance] = []
    with sampled(place, jobs, with_sizes=True) as sampler:
        began = time.monotonic()
        with in_background(command) as run:
            while run.poll() is None:
                time.sleep(LOOK_AGAIN_SECONDS)
                due = apart.total_seconds() * (len(maintained) + 1)
                if len(maintained) < PARTS - 1 and time.monotonic() - began > due:
                    maintained.append(streams.tidy_all(place, apart))
                    say(f"maintained in {maintained[-1].seconds:.0f} s; {sampler.newest}")
            published = messages_of(run)
        seconds = time.monotonic() - began
        say(f"{published:,} frames published in {seconds:.0f} s; {sampler.newest}")
        lags, sizes = list(sampler.lags), list(sampler.sizes)
        await_that("Bronze has all", lambda: place.committed_rows(BRONZE_RAW.name) >= published)
        streams.await_committed(place, jobs, published)
        drained = time.monotonic() - began - seconds
    maintained.append(streams.maintain_all(place, apart, jobs_run=True))
    memory = StackSettings.load().memory
    found = measured(lags, sizes)
    trends = judged(found, granted(found, memory, apart))
    newest = sampler.sizes[-1]
    state_mib = {job: round(state / MIB, 1) for job, state in newest.state_bytes.items()}
    counted = layers.count(place, published)
    say(f"drained in {drained:.0f} s; {counted}")
    return Day(
        simulated_hours=length / timedelta(hours=1),
        speed=speed,
        frames=published,
        seconds=round(seconds, 1),
        drained_seconds=round(drained, 1),
        maintained=maintained,
        trends=trends,
        not_flat=[name for name, each in trends.items() if not each.is_flat],
        state_mib=state_mib,
        bytes_remembered=remembered(newest),
        gold_state_in_a_week_mib=round(
            DAYS_OF_GOLD
            * max(each.state_bytes[streams.GOLD] for each in sizes)
            / MIB
            / (length / timedelta(days=1)),
            1,
        ),
        gold_state_may_be_mib=round(LARGEST_SHARE_OF_STATE * memory.flink_taskmanager, 1),
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
    }
    for job in sizes[0].state_bytes:
        found["state bytes each", job] = [remembered(each)[job] for each in sizes]
    for server in sizes[0].memory_mib:
        found["memory MiB", server] = [each.memory_mib[server] for each in sizes]
    for name in streams.WRITTEN:
        tables = [each.tables[name] for each in sizes]
        if TABLES[name].upserted:
            # those of others are many until the day is over, and are judged by the budget then
            found["data files", name] = [each.data_files for each in tables]
            found["delete files", name] = [each.delete_files for each in tables]
        found["snapshots", name] = [each.snapshots for each in tables]
        found["metadata KiB", name] = [each.metadata_kib for each in tables]
    return found


def judged(
    found: Mapping[tuple[str, str], Sequence[float]], may_be: Mapping[tuple[str, str], float]
) -> dict[str, Trend]:
    """Whether each is flat, by what is measured and of what."""
    return {
        f"{what}: {of}": trend(
            values,
            most_times=LIMITS[what].times,
            slack=LIMITS[what].slack,
            granted=may_be.get((what, of), 0),
        )
        for (what, of), values in found.items()
    }


def granted(
    names: Iterable[tuple[str, str]], memory: Memory, kept: timedelta
) -> dict[tuple[str, str], float]:
    """What may grow up to a bound of its own, and that bound, of what is measured.

    Servers' memory by the settings that bound it. Snapshots by how long they are kept, and as long
    again until they are let go: a closed store has next to none, so that the evening has more than
    the morning.
    """
    mib = {
        "pulsar": memory.pulsar_heap + memory.pulsar_direct + BESIDE_THE_HEAP_MIB,
        "catalog": memory.catalog_heap + BESIDE_THE_HEAP_MIB,
        "trino": memory.trino_heap + BESIDE_THE_HEAP_MIB,
        "flink-jobmanager": memory.flink_jobmanager,
        "flink-taskmanager": memory.flink_taskmanager,
        "minio": memory.minio + BESIDE_GO_MIB,
        PYTHON_WORKERS: FULL_BUNDLES_MIB,
    }
    snapshots = 2 * kept.total_seconds() / COMMIT_SECONDS * COMMITS_TO_SPARE
    may_be: dict[tuple[str, str], float] = {}
    for what, of in names:
        if what == "memory MiB" and of in mib:
            may_be[what, of] = mib[of]
        if what == "snapshots":
            may_be[what, of] = snapshots
    return may_be


def remembered(sizes: Sizes) -> dict[str, float]:
    """Bytes of state over what must be remembered: messages, detections, tracks.

    It grows with what comes in until it is as old as is remembered (of Bronze message ids for two
    hours, of Silver frames and of Gold the visits of tracks for seven days), so that the whole of
    it says nothing. Gold's is of its open windows besides.
    """
    return {
        job: round(sizes.state_bytes[job] / max(remembers, 1), 1)
        for job, remembers in (
            (streams.BRONZE, sizes.lag.in_bronze),
            (streams.SILVER, sizes.lag.in_silver),
            (streams.GOLD, sizes.tables[GOLD_TRACK_SUMMARY.name].rows),
        )
    }
