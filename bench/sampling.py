"""What is looked at again and again while jobs run: how far each layer is, what it all takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from bench import streams
from bench.place import CANNOT_SAY, Place, published_so_far
from bench.stages.usage import Servers
from lakehouse.schema import BRONZE_RAW, SILVER_DETECTION

LAG_EVERY_SECONDS = 2.0
LAGS_A_SIZE = 5
"""Sizes cost more to look at: they are looked at each so many times."""


@dataclass(frozen=True, kw_only=True)
class Lag:
    """How far each layer is; messages, or rows of Silver."""

    at: float
    """Seconds of the monotonic clock."""
    published: int
    in_bronze: int
    read_by_silver: int
    in_silver: int
    read_by_gold: int

    @property
    def of_silver(self) -> int:
        """Messages that Silver has not read."""
        return self.published - self.read_by_silver

    @property
    def of_gold(self) -> int:
        """Rows of Silver that Gold has not read."""
        return self.in_silver - self.read_by_gold

    def __str__(self) -> str:
        """For people."""
        return f"Silver lacks {self.of_silver:,} messages, Gold {self.of_gold:,} detections"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What is held at one moment."""

    lag: Lag
    state_bytes: Mapping[str, int]
    """In the newest checkpoint, by job."""
    memory_mib: Mapping[str, int]
    """Resident, by server."""
    tables: Mapping[str, streams.Held]


class Sampler:
    """Looks at a place's jobs in a thread of its own; made by `sampled`."""

    def __init__(self, place: Place, jobs: Mapping[str, str]) -> None:
        self._place, self._jobs = place, jobs
        self.lags: list[Lag] = []
        self.sizes: list[Sizes] = []
        self.error: Exception | None = None
        """What ended it early."""

    @property
    def newest(self) -> Lag:
        """The last look.

        :raises FlinkRestError: and whatever else of `CANNOT_SAY` has ended it early
        """
        if self.error is not None:
            raise self.error
        return self.lags[-1]

    def run(self, over: threading.Event, *, with_sizes: bool) -> None:
        """Sample until it is over."""
        servers = Servers()
        try:
            with httpx.Client(base_url=self._place.flink.url, timeout=30) as rest:
                while not over.wait(LAG_EVERY_SECONDS):
                    self.lags.append(self._lag(rest))
                    if with_sizes and len(self.lags) % LAGS_A_SIZE == 0:
                        self.sizes.append(self._sizes(rest, servers))
        except CANNOT_SAY as error:
            self.error = error

    def _lag(self, rest: httpx.Client) -> Lag:
        # from the end to the beginning: what moves on meanwhile makes a lag larger, never negative
        read_by_gold = streams.read_by(rest, streams.GOLD, self._jobs)
        in_silver = self._place.committed_rows(SILVER_DETECTION.name)
        read_by_silver = streams.read_by(rest, streams.SILVER, self._jobs)
        in_bronze = self._place.committed_rows(BRONZE_RAW.name)
        published = published_so_far(self._place.topic)
        return Lag(
            at=time.monotonic(),
            published=published,
            in_bronze=in_bronze,
            read_by_silver=read_by_silver,
            in_silver=in_silver,
            read_by_gold=read_by_gold,
        )

    def _sizes(self, rest: httpx.Client, servers: Servers) -> Sizes:
        return Sizes(
            lag=self.lags[-1],
            state_bytes={job: streams.state_bytes(rest, each) for job, each in self._jobs.items()},
            memory_mib=servers.resident_mib(),
            tables={name: streams.held(self._place, name) for name in streams.WRITTEN},
        )


@contextmanager
def sampled(
    place: Place, jobs: Mapping[str, str], *, with_sizes: bool = False
) -> Iterator[Sampler]:
    """Yields the sampler, which goes on until the end.

    :raises FlinkRestError: as `Sampler.newest`
    """
    sampler, over = Sampler(place, jobs), threading.Event()
    thread = threading.Thread(
        target=sampler.run, args=(over,), kwargs={"with_sizes": with_sizes}, daemon=True
    )
    thread.start()
    try:
        yield sampler
    finally:
        over.set()
        thread.join()
    _ = sampler.newest
