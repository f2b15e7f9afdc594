"""A Flink job over what is there: how fast it goes once it runs, and what it costs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.place import Place, await_that
from bench.stages.usage import Usage, watched
from flink_rest.errors import FlinkRestError
from flink_rest.records import JobStatus

STAND_IN = str(Path(__file__).parent / "job.py")
LOOK_EVERY_SECONDS = 0.25
FROM, TO = 0.1, 0.95
"""Between which parts of the whole the rate is taken: it has warmed up, and nothing has run dry."""
GIVE_UP_SECONDS = 1800.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One job over its input."""

    records: int
    rate: float
    """Records a second in the middle of the run, `FROM` to `TO`."""
    late_over_early: float
    """The rate of the second half of that middle over the first half's: below 1 it slows down."""
    cpu_us: dict[str, float]
    """Processor microseconds a record in the same time, by server."""
    peak_mib: dict[str, int]

    @property
    def cpu_us_total(self) -> float:
        """Of all servers together."""
        return sum(self.cpu_us.values())


def run(
    place: Place, job: str, records: int, *arguments: str, stand_in: Sequence[str] = ()
) -> tuple[str, Run]:
    """Start a job and watch it until an operator has taken in so many records; it runs on.

    :param stand_in: as `Place.start` has it; `STAND_IN` is the script of ceilings and alternatives
    :returns: the job's id and what was measured
    :raises FlinkRestError: it failed, or does not come to an end
    """
    began = time.monotonic()
    job_id = place.start(job, *arguments, stand_in=stand_in)
    with watched() as usage, httpx.Client(base_url=place.flink.url, timeout=30) as rest:
        done = 0
        looks: list[Look] = [(time.monotonic(), done, usage.servers.cpu_seconds())]
        while done < records:
            if time.monotonic() - began > GIVE_UP_SECONDS:
                raise FlinkRestError(f"{job} has taken in {done:,} of {records:,} records")
            time.sleep(LOOK_EVERY_SECONDS)
            _refuse_failed(place, job_id)
            done = _taken_in(rest, job_id)
            looks.append((time.monotonic(), done, usage.servers.cpu_seconds()))
    return job_id, _measured(records, looks, usage)


def cancel(place: Place, job_id: str) -> None:
    """Cancel a job and wait until it has ended."""
    place.flink.cancel(job_id)
    await_that("the job is cancelled", lambda: place.flink.job(job_id).status.is_terminal)


def _refuse_failed(place: Place, job_id: str) -> None:
    if place.flink.failures(job_id) or place.flink.job(job_id).status is JobStatus.FAILED:
        raise FlinkRestError(place.flink.failure(job_id))


def _taken_in(rest: httpx.Client, job_id: str) -> int:
    """Records of the operator that has taken in most: what a chain does inside shows only there."""
    return max((records for _, records in records_in(rest, job_id)), default=0)


def records_in(rest: httpx.Client, job_id: str) -> Iterator[tuple[str, int]]:
    """What each operator has taken in since the job was started: its metric, all subtasks' sum."""
    for vertex in rest.get(f"/jobs/{job_id}").raise_for_status().json()["vertices"]:
        path = f"/jobs/{job_id}/vertices/{vertex['id']}/metrics"
        names = [
            each["id"]
            for each in rest.get(path).raise_for_status().json()
            if each["id"].endswith(".numRecordsIn")
        ]
        if names:
            answer = rest.get(path, params={"get": ",".join(names)}).raise_for_status()
            yield from by_operator(answer.json()).items()


def by_operator(of_vertex: Iterable[Mapping[str, str]]) -> Counter[str]:
    """Metrics of one vertex's subtasks (`0.Calc[3].numRecordsIn`), added up over these."""
    sums: Counter[str] = Counter()
    for each in of_vertex:
        _, _, metric = each["id"].partition(".")
        sums[metric] += int(each["value"])
    return sums


Look = tuple[float, int, dict[str, float]]
"""When, the records by then, and processor seconds by server."""


def _measured(records: int, looks: Sequence[Look], usage: Usage) -> Run:
    inside = [look for look in looks if FROM * records <= look[1] <= TO * records]
    if not inside or inside[0][1] == inside[-1][1]:
        # over before it could be looked at twice: from the last look at which nothing was done
        inside = [[look for look in looks if look[1] == 0][-1], looks[-1]]
    first, last = inside[0], inside[-1]
    halfway = (first[1] + last[1]) / 2
    between = next(look for look in inside if look[1] >= halfway)
    done = last[1] - first[1]
    return Run(
        records=records,
        rate=_rate(first, last),
        late_over_early=_rate(between, last) / _rate(first, between) if between != last else 1.0,
        cpu_us={name: (last[2][name] - first[2][name]) / done * 1e6 for name in last[2]},
        peak_mib=usage.peak_mib,
    )


def _rate(first: Look, last: Look) -> float:
    return (last[1] - first[1]) / (last[0] - first[0])
