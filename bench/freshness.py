"""`python -m bench.freshness`: from a frame's capture until a query in Trino sees it.

Twenty simulated cameras publish in real time while all three jobs run, with checkpoints every 1, 5,
10 and 60 s, and as they are shipped: 10 s, but streaming Gold 60 s. Trino is asked again and again
for each camera's newest picture; beside it stands what the interval costs: files, commits, and the
maintenance that these need.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench import streams
from bench.figures import a_day, percentile
from bench.outcome import conclude, machine
from bench.place import CANNOT_SAY, Place, in_background, own_place, say
from bench.stages.usage import Servers
from flink_rest.errors import DeadlinePassed
from lakehouse.query import Session, session
from store_simulator.scenario_file import load

HERE = Path(__file__).parent
RESULT = "freshness.json"
SCENARIO = HERE / "day_of_20_cameras.yaml"
FRAMES_PER_SECOND = 5.0
"""Of each camera. What is measured are delays, not rates."""
INTERVALS_SECONDS = ((1, 1), (5, 5), (10, 10), (10, 60), (60, 60))
"""Of Bronze and Silver, and of streaming Gold."""
LEAST_SECONDS = 180.0
"""As long is measured at least: three ends of minutes are in it."""
LEAST_INTERVALS = 6
QUICK_INTERVALS_SECONDS = ((2, 2), (10, 30))
QUICK_LEAST_SECONDS = 60.0
SLACK_SECONDS = 5.0
"""What may come to two checkpoint intervals, Bronze's and Silver's: 2 s until Silver looks for a
new snapshot, the commits, the query."""
PAUSE_SECONDS = 0.2
"""Between two polls."""
GOLD_PAUSE_SECONDS = 1.0
OVERLAP = timedelta(seconds=20)
"""Frames so much older than the newest one are looked for again by the next poll."""
MINUTE_SECONDS = 60
GIVE_UP_SECONDS = 300.0
"""Beside four intervals: how long the first rows may take, and the last."""
QUERIES = 7
QUESTIONS = {
    "silver_detection": "SELECT zone_x, count(*), avg(conf) FROM silver_detection GROUP BY zone_x",
    "gold_track_summary": "SELECT count(*), avg(duration_seconds) FROM gold_track_summary",
}
"""What somebody asks: the table into which most rows go, and the one with most files of deletes."""


@dataclass(frozen=True)
class Poll:
    """What a query's answer showed, and when it was there: seconds of the epoch."""

    at: float
    newest: Mapping[str, float]
    """The newest capture of each camera."""
    newest_minute: float
    """The start of Gold's newest minute; 0 for none."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """One interval. Seconds; files and commits are a day's, of all tables or by table."""

    interval_seconds: int
    gold_interval_seconds: int
    measured_seconds: float
    warm_up_seconds: float
    """From the start of the store until the first rows were visible; left out."""
    frames: int
    """Those with somebody in the picture: others leave no row."""
    p50_seconds: float
    p95_seconds: float
    max_seconds: float
    limit_seconds: float
    holds: bool
    gold_minutes: int
    gold_p50_seconds: float
    """From the end of a minute until its row is visible."""
    gold_max_seconds: float
    polls: int
    poll_seconds: float
    """The median query; it is part of the times above."""
    cores_used: dict[str, float]
    """Processor seconds a second, by server."""
    commits_a_day: int
    files_a_day: int
    by_table: dict[str, tuple[int, int]]
    """Commits and files a day."""
    maintenance_commits: int
    """What was maintained at the end, at once."""
    maintenance_seconds: float
    maintenance_again_seconds: float
    """With nothing left to do: what the look at the tables takes."""
    maintenance_a_day_seconds: float
    """A look and, for each of a day's commits, what one took beside it: more commits at once take
    more than that, since each file of deletes is held against more files of data (ADR 021)."""
    query_seconds: dict[str, tuple[float, float]]
    """Of each of `QUESTIONS`: before the maintenance, and after."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run, and what it ran on."""

    measured_at: str
    machine: dict[str, Any]
    load_average_before: float
    cameras: int
    frames_per_second: float
    """Of each camera."""
    intervals: list[Interval]
    holds: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the result; 1 if it is late, 2 if it cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.freshness", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="two intervals, some minutes; nothing is written"
    )
    quick: bool = parser.parse_args(argv).quick
    logging.basicConfig(level=logging.WARNING)
    load_average = os.getloadavg()[0]
    intervals = []
    try:
        for seconds, of_gold in QUICK_INTERVALS_SECONDS if quick else INTERVALS_SECONDS:
            least = QUICK_LEAST_SECONDS if quick else LEAST_SECONDS
            with own_place() as place:
                measured_seconds = max(least, LEAST_INTERVALS * seconds)
                intervals.append(measure(place, seconds, of_gold, measured_seconds))
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    scenario = load(str(SCENARIO))
    result = Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        load_average_before=round(load_average, 1),
        cameras=sum(len(store.cameras) for store in scenario.stores),
        frames_per_second=FRAMES_PER_SECOND,
        intervals=intervals,
        holds=all(each.holds for each in intervals),
    )
    show(result)
    return conclude(result, RESULT, is_good=result.holds, keep=not quick)


def measure(
    place: Place, interval_seconds: int, gold_interval_seconds: int, measured_seconds: float
) -> Interval:
    """Run the jobs with these intervals, watch, cancel them, and maintain what they have left."""
    every = ("--checkpoint-interval-seconds", str(interval_seconds))
    of_gold = ("--checkpoint-interval-seconds", str(gold_interval_seconds))
    ids = streams.start(place, *every, of_gold=of_gold)
    give_up_seconds = GIVE_UP_SECONDS + 2 * interval_seconds + 2 * gold_interval_seconds
    with live_store(place) as store, session(place.lakehouse) as trino:
        began = time.time()
        watch = Watch(trino, store)
        watch.until(lambda poll: bool(poll.newest), give_up_seconds)
        since = time.time()
        say(f"{interval_seconds} s: the first rows are visible after {since - began:.0f} s")
        servers = Servers()
        cpu_before = servers.cpu_seconds()
        watch.polls.clear()
        until = since + measured_seconds
        ends = minutes_ended(since, until)
        watch.until(
            lambda poll: (
                max(poll.newest.values(), default=0.0) >= until
                and poll.newest_minute >= ends[-1] - MINUTE_SECONDS
            ),
            measured_seconds + give_up_seconds,
        )
        watched_seconds = time.time() - since
        cpu = servers.cpu_seconds()
        behind = simulator_behind(trino)
        frames = frames_between(trino, since, until)
        # whatever is in that list is in the next answer
        watch.look()
    streams.cancel(place, list(ids.values()))

    polls = [Poll(each.at - behind, each.newest, each.newest_minute) for each in watch.polls]
    waits = waits_for_frames(frames, polls)
    gold = waits_for_minutes(ends, polls)
    p95 = percentile(waits, 0.95)
    limit = 2 * interval_seconds + SLACK_SECONDS
    say(
        f"{interval_seconds} s: p50 {percentile(waits, 0.5):.1f} s, p95 {p95:.1f} s "
        f"(at most {limit:.0f} s); Gold {statistics.median(gold):.0f} s after a minute's end"
    )
    by_table = {
        name: streams.written(place, name, since, since + watched_seconds)
        for name in streams.WRITTEN
    }
    counted = {
        name: (a_day(each.commits, watched_seconds), a_day(each.files, watched_seconds))
        for name, each in by_table.items()
    }
    commits_a_day = sum(commits for commits, _ in counted.values())
    return Interval(
        interval_seconds=interval_seconds,
        gold_interval_seconds=gold_interval_seconds,
        measured_seconds=round(measured_seconds, 1),
        warm_up_seconds=round(since - began, 1),
        frames=len(waits),
        p50_seconds=round(percentile(waits, 0.5), 2),
        p95_seconds=round(p95, 2),
        max_seconds=round(max(waits), 2),
        limit_seconds=limit,
        holds=p95 <= limit,
        gold_minutes=len(gold),
        gold_p50_seconds=round(percentile(gold, 0.5), 1),
        gold_max_seconds=round(max(gold), 1),
        polls=len(polls),
        poll_seconds=round(statistics.median(watch.seconds), 2),
        cores_used={
            name: round((cpu[name] - before) / watched_seconds, 2)
            for name, before in cpu_before.items()
        },
        commits_a_day=commits_a_day,
        files_a_day=sum(files for _, files in counted.values()),
        by_table=counted,
        **maintained(place, commits_a_day),
    )


@contextmanager
def live_store(place: Place) -> Iterator[subprocess.Popen[str]]:
    """The cameras publish from now on, in real time, whatever the hour; at the end they stop."""
    scenario = load(str(SCENARIO))
    stores = [
        msgspec.structs.replace(store, opens="00:00", closes="24:00", hourly_profile=(1.0,) * 24)
        for store in scenario.stores
    ]
    scenario = msgspec.structs.replace(
        scenario,
        stores=tuple(stores),
        start=datetime.now(UTC).replace(microsecond=0),
        frames_per_second=FRAMES_PER_SECOND,
    )
    with tempfile.TemporaryDirectory(prefix="rva-bench-") as folder:
        path = Path(folder) / "live.yaml"
        # JSON is YAML
        path.write_bytes(msgspec.json.encode(scenario))
        command = place.simulator(str(path), "--speed", "1")
        with in_background(command) as run:
            yield run


class Watch:
    """Trino, asked again and again for what is newest."""

    def __init__(self, trino: Session, store: subprocess.Popen[str]) -> None:
        self._trino, self._store = trino, store
        self._newest: dict[str, float] = {}
        self._newest_minute = 0.0
        self._gold_due = 0.0
        self.polls: list[Poll] = []
        self.seconds: list[float] = []
        """What each query for the frames took."""

    def until(self, condition: Callable[[Poll], bool], give_up_seconds: float) -> None:
        """Poll until the condition holds of a poll.

        :raises DeadlinePassed: it does not come about
        :raises CalledProcessError: the store has stopped
        """
        give_up_at = time.monotonic() + give_up_seconds
        while not condition(self.look()):
            if self._store.poll() is not None:
                raise subprocess.CalledProcessError(self._store.returncode, "store_simulator")
            if time.monotonic() > give_up_at:
                raise DeadlinePassed("what was published is visible", give_up_seconds, "not yet")
            time.sleep(PAUSE_SECONDS)

    def look(self) -> Poll:
        """Ask once."""
        newest = max(self._newest.values(), default=0.0)
        since = datetime.fromtimestamp(newest, UTC) - OVERLAP
        began = time.monotonic()
        answer = self._trino.ask(
            "SELECT store_id, camera_id, max(capture_ts) FROM silver_detection "
            "WHERE capture_ts > from_iso8601_timestamp(?) GROUP BY store_id, camera_id",
            [since.isoformat()],
        )
        self.seconds.append(time.monotonic() - began)
        for store, camera, captured in answer.rows:
            self._newest[f"{store}/{camera}"] = captured.timestamp()
        at = time.time()
        if time.monotonic() >= self._gold_due:
            [(minute,)] = self._trino.ask("SELECT max(ts_minute) FROM gold_people_per_minute").rows
            self._newest_minute = minute.timestamp() if minute else 0.0
            self._gold_due = time.monotonic() + GOLD_PAUSE_SECONDS
        self.polls.append(Poll(at, dict(self._newest), self._newest_minute))
        return self.polls[-1]


def simulator_behind(trino: Session) -> float:
    """Seconds by which the simulated cameras' clocks are slow: what the simulator's start took."""
    [(least,)] = trino.ask(
        "SELECT min(date_diff('millisecond', from_iso8601_timestamp(capture_ts), publish_ts)) "
        "FROM bronze_raw"
    ).rows
    return float(least) / 1000


def frames_between(trino: Session, since: float, until: float) -> dict[str, list[float]]:
    """Moments of capture of the frames in Silver, by camera."""
    rows = trino.ask(
        "SELECT DISTINCT store_id, camera_id, capture_ts FROM silver_detection "
        "WHERE capture_ts BETWEEN from_iso8601_timestamp(?) AND from_iso8601_timestamp(?)",
        [datetime.fromtimestamp(moment, UTC).isoformat() for moment in (since, until)],
    ).rows
    frames: dict[str, list[float]] = {}
    for store, camera, captured in rows:
        frames.setdefault(f"{store}/{camera}", []).append(captured.timestamp())
    return frames


def waits_for_frames(frames: Mapping[str, Sequence[float]], polls: Sequence[Poll]) -> list[float]:
    """Seconds from each frame's capture to the first answer that shows it.

    :raises IndexError: a frame is in no answer
    """
    waits = []
    for camera, captures in frames.items():
        shown = [poll.newest.get(camera, 0.0) for poll in polls]
        waits += [polls[bisect_left(shown, captured)].at - captured for captured in captures]
    return waits


def minutes_ended(since: float, until: float) -> list[float]:
    """The ends of minutes in a time."""
    first = int(-(-since // MINUTE_SECONDS)) * MINUTE_SECONDS
    return [float(end) for end in range(first, int(until) + 1, MINUTE_SECONDS)]


def waits_for_minutes(ends: Sequence[float], polls: Sequence[Poll]) -> list[float]:
    """Seconds from each minute's end to the first answer that shows it.

    :raises IndexError: a minute is in no answer
    """
    shown = [poll.newest_minute for poll in polls]
    return [polls[bisect_left(shown, end - MINUTE_SECONDS)].at - end for end in ends]


def maintained(place: Place, commits_a_day: int) -> dict[str, Any]:
    """Maintain everything as if a day were over; nobody writes. The fields of `Interval`."""
    commits = sum(streams.written(place, name, 0, time.time()).commits for name in streams.WRITTEN)
    before = {name: ask(place, question) for name, question in QUESTIONS.items()}
    at_once = timedelta(0)
    took = streams.maintain_all(place, at_once, jobs_run=False).seconds
    again = streams.maintain_all(place, at_once, jobs_run=False).seconds
    after = {name: ask(place, question) for name, question in QUESTIONS.items()}
    say(f"{commits} commits are maintained in {took:.1f} s, nothing in {again:.1f} s")
    return {
        "maintenance_commits": commits,
        "maintenance_seconds": round(took, 1),
        "maintenance_again_seconds": round(again, 1),
        "maintenance_a_day_seconds": round(maintenance_a_day(took, again, commits, commits_a_day)),
        "query_seconds": {name: (round(before[name], 2), round(after[name], 2)) for name in before},
    }


def maintenance_a_day(took: float, again: float, commits: int, commits_a_day: int) -> float:
    """Seconds for a day's commits, if each takes as long as those that were maintained.

    :param took: with so many commits
    :param again: with none
    """
    return again + max(took - again, 0.0) / commits * commits_a_day


def ask(place: Place, question: str) -> float:
    """Median seconds of Trino's answer."""
    seconds = []
    with session(place.lakehouse) as trino:
        for _ in range(QUERIES):
            began = time.monotonic()
            trino.ask(question)
            seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def show(result: Result) -> None:
    """Print the one table."""
    table = Table(
        "checkpoints", "p50 s", "p95 s", "max s", "at most", "Gold s", "cores", "files/day"
    )
    for name in ("commits/day", "maintenance s/day", "Silver s", "Gold's tracks s"):
        table.add_column(name)
    for each in result.intervals:
        table.add_row(
            f"{each.interval_seconds} s, Gold {each.gold_interval_seconds} s",
            f"{each.p50_seconds:.1f}",
            f"{each.p95_seconds:.1f}",
            f"{each.max_seconds:.1f}",
            f"{each.limit_seconds:.0f} {'holds' if each.holds else 'MISSED'}",
            f"{each.gold_p50_seconds:.0f} ({each.gold_minutes})",
            f"{sum(each.cores_used.values()):.2f}",
            f"{each.files_a_day:,}",
            f"{each.commits_a_day:,}",
            f"{each.maintenance_a_day_seconds:,.0f}",
            *(f"{before:.2f} → {after:.2f}" for before, after in each.query_seconds.values()),
        )
    Console(stderr=True, width=150).print(table)


if __name__ == "__main__":
    sys.exit(main())
