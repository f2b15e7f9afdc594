"""Ten times as much for a minute; and a night that Silver and Gold have missed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import layers, streams
from bench.layers import Layers
from bench.place import (
    Place,
    await_that,
    in_background,
    messages_of,
    part_of,
    published_messages,
    say,
)
from bench.sampling import sampled
from bench.stages import frames, publishing
from lakehouse.schema import BRONZE_RAW, GOLD_PEOPLE_PER_MINUTE, SILVER_DETECTION
from store_simulator.scenario_file import load

REAL_FRAMES_PER_SECOND = 600
"""Of its twenty cameras at 30 frames/s."""
STEADY_FRAMES_PER_SECOND = 200
"""Of twenty cameras at 10 frames/s."""
STEADY = f"{STEADY_FRAMES_PER_SECOND / REAL_FRAMES_PER_SECOND:g}"
MAX = "max"
TIMES = 10
BURST_SECONDS = 60
LEAST_TIMES = 8
"""A burst that is published more slowly is none: on two busy cores that may be."""
AFTERWARDS = timedelta(minutes=30)
"""How long it goes on steadily at most: until the burst has drained."""


@dataclass(frozen=True, kw_only=True)
class Burst:
    """A minute of ten times as much.

    A lag is what Silver has not read, in frames, or Gold, in detections.
    """

    steady_frames_per_second: float
    burst_frames_per_second: float
    """As the simulator got it done, its own start included."""
    burst_seconds: float
    lag_before: int
    """The highest of the steady time before."""
    gold_lag_before: int
    most_lag: int
    drained_seconds: float
    """From the end of the burst until both lags were what they had been."""

    @property
    def is_one(self) -> bool:
        """Whether nearly as much was published as was meant."""
        return self.burst_frames_per_second >= LEAST_TIMES * self.steady_frames_per_second


@dataclass(frozen=True, kw_only=True)
class Night:
    """Silver and Gold stood still; frames went to Bronze all the same."""

    frames: int
    """That came into Bronze meanwhile."""
    detections: int
    silver_seconds: float
    """From the submission to the last commit."""
    silver_frames_per_second: float
    times_real_time: float
    """Over what twenty cameras send."""
    gold_seconds: float
    """From the same submission to Gold's last commit."""
    gold_detections_per_second: float


def burst_and_night(
    place: Place, folder: Path, steadily: timedelta, night: timedelta
) -> tuple[Burst, Night, Layers]:
    """Run steadily, ten times as much, steadily; cancel Silver and Gold, and bring them back."""
    burst_rate = TIMES * STEADY_FRAMES_PER_SECOND
    burst = timedelta(seconds=burst_rate * BURST_SECONDS / REAL_FRAMES_PER_SECOND)
    # before the jobs run: real cameras do not want the servers' processors
    of_burst = frames.make(folder, int(burst.total_seconds()), steadily)
    jobs = streams.start(place)
    with sampled(place, jobs) as sampler:
        began = time.monotonic()
        published = published_messages(cameras(place, timedelta(0), steadily, STEADY))
        steady_seconds = time.monotonic() - began
        steady_rate = published / steady_seconds
        # the first half is the jobs' own start
        settled = sampler.lags[len(sampler.lags) // 2 :]
        lag_before = max(each.of_silver for each in settled)
        gold_lag_before = max(each.of_gold for each in settled)
        say(
            f"steady: {steady_rate:,.0f} frames/s; at most, Silver lacks {lag_before:,} messages, "
            f"Gold {gold_lag_before:,} detections"
        )

        reached = publishing.by_replay(place.topic, of_burst, burst_rate)
        say(f"burst: {reached:,.0f} frames/s; {sampler.newest}")

        began = time.monotonic()
        with in_background(cameras(place, steadily + burst, AFTERWARDS, STEADY)) as run:
            await_that(
                "the burst has drained",
                lambda: (
                    sampler.newest.of_silver <= lag_before
                    and sampler.newest.of_gold <= gold_lag_before
                ),
            )
            drained_seconds = time.monotonic() - began
            say(f"drained in {drained_seconds:.0f} s; {sampler.newest}")
            run.terminate()
            published += of_burst.frames + messages_of(run)

    await_that("Bronze has all", lambda: place.committed_rows(BRONZE_RAW.name) >= published)
    # so that what they have read is known to the last one when they go on
    streams.await_committed(place, jobs, published)
    detections = place.committed_rows(SILVER_DETECTION.name)
    streams.cancel(place, [jobs[streams.SILVER], jobs[streams.GOLD]])
    missed = published_messages(cameras(place, steadily + burst + AFTERWARDS, night, MAX))
    published += missed
    await_that("Bronze has all", lambda: place.committed_rows(BRONZE_RAW.name) >= published)
    say(f"{missed:,} frames are in Bronze and not in Silver")
    began = time.time()
    resumed = streams.resume(place, streams.SILVER, streams.GOLD)
    streams.await_committed(place, resumed, missed, detections)
    silver_seconds = place.last_commit(SILVER_DETECTION.name) - began
    gold_seconds = place.last_commit(GOLD_PEOPLE_PER_MINUTE.name) - began
    missed_detections = place.committed_rows(SILVER_DETECTION.name) - detections
    say(f"caught up: Silver in {silver_seconds:.0f} s, Gold in {gold_seconds:.0f} s")
    rate = missed / silver_seconds
    return (
        Burst(
            steady_frames_per_second=round(steady_rate),
            burst_frames_per_second=round(reached),
            burst_seconds=round(of_burst.frames / reached, 1),
            lag_before=lag_before,
            gold_lag_before=gold_lag_before,
            most_lag=max(each.of_silver for each in sampler.lags),
            drained_seconds=round(drained_seconds, 1),
        ),
        Night(
            frames=missed,
            detections=missed_detections,
            silver_seconds=round(silver_seconds, 1),
            silver_frames_per_second=round(rate),
            times_real_time=round(rate / REAL_FRAMES_PER_SECOND, 2),
            gold_seconds=round(gold_seconds, 1),
            gold_detections_per_second=round(missed_detections / gold_seconds),
        ),
        layers.count(place, published),
    )


def cameras(place: Place, after: timedelta, lasting: timedelta, speed: str) -> list[str]:
    """The command that publishes a part of the scenario, so long after its start."""
    start = load(str(frames.SCENARIO)).start + after
    return place.simulator(str(frames.SCENARIO), *part_of(start, lasting), "--speed", speed)
