"""`python -m bench.ten_days`: ten days backfilled in one command while all jobs stream.

It runs on a stack with Airflow of its own, in a network of its own (as `make faults`). Ten minutes
of each of ten ended days are published, and streamed through all layers; then, while a store goes
on publishing the frames of the day after, one `airflow backfill create` rebuilds the ten days. At
the end every layer must be what the messages say.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from bench import place
from bench.outcome import conclude
from bench.place import await_that, published_messages, say
from faults import isolation
from lakehouse import tables
from lakehouse.catalog import connect
from lakehouse.settings import LakehouseSettings
from local_stack import stack
from local_stack.errors import StackError
from local_stack.fetch import fetch_all
from local_stack.servers import airflow
from local_stack.settings import CHECKOUT, StackSettings

RESULT = "ten_days.json"
DAG = "gold_nightly_backfill"
SCENARIO = "small"
DAYS, QUICK_DAYS = 10, 3
AT_ONCE = 3
COMMAND_ATTEMPTS = 5
MINUTES_A_DAY = 10
DAY_AFTER_MINUTES = 120
LOOK_AGAIN_SECONDS = 2.0
PROOF_SECONDS = 180.0
"""Streaming Gold commits after the Silver that it is compared with."""
EXEC = [sys.executable, "-m", "local_stack", "exec"]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run; `run_seconds` from a run's start to its end, waits for others included."""

    measured_at: str
    cores: int
    days: int
    frames: int
    backfill_seconds: float
    run_seconds: dict[str, float]
    runs_at_once: int
    """The most that were at work at one time."""
    frames_published_meanwhile: int
    proof: list[str]
    """What `lakehouse prove` printed."""
    holds: bool


class Failed(Exception):
    """A step did not come about; says which."""


CANNOT_SAY = (
    isolation.CannotIsolate,
    StackError,
    Failed,
    *place.CANNOT_SAY,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the result; 1 if an identity does not hold, 2 if one cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.ten_days", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three days, and nothing is written")
    arguments = parser.parse_args(argv)
    os.environ["RVA_DATA_DIR"] = str(CHECKOUT / "data" / "ten_days")
    os.environ.pop("RVA_CHECKPOINT_DIR", None)
    settings = StackSettings.load()
    try:
        if not isolation.is_isolated():
            isolation.check()
            # what must be downloaded comes now: inside there is no way out
            fetch_all(settings)
            isolation.enter([sys.executable, "-m", "bench.ten_days", *sys.argv[1:]])
        isolation.bring_up_loopback()
        shutil.rmtree(settings.data_dir, ignore_errors=True)
        try:
            result = measure(settings, QUICK_DAYS if arguments.quick else DAYS)
        finally:
            stack.down(settings)
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return conclude(result, RESULT, is_good=result.holds, keep=not arguments.quick)


def measure(settings: StackSettings, days: int) -> Result:
    """Stream the days, backfill them while the day after streams, and prove."""
    stack.up(settings)
    stack.airflow_up(settings)
    of_airflow = Airflow(settings)
    # the night before is done at once, of tables that are empty yet
    await_that(
        "the first night's run has ended", lambda: not of_airflow.active(), LOOK_AGAIN_SECONDS
    )
    done = command("store_pipeline", "ensure", PYTHONPATH="plugins")
    if done.returncode:
        raise Failed(f"the streams: {done.stdout}{done.stderr}")
    day_after = datetime.now(UTC).date() - timedelta(days=1)
    wanted = [day_after - timedelta(days=ago) for ago in range(days, 0, -1)]
    frames = sum(publish(settings, day) for day in wanted)
    catalog = connect(LakehouseSettings.from_env(settings.environment()))
    await_that("Bronze has all", lambda: tables.row_count(catalog, "rva", "bronze_raw") == frames)
    say(f"{frames:,} frames of {days} days streamed")

    publishing = subprocess.Popen(simulator(settings, day_after, DAY_AFTER_MINUTES, "5"))
    try:
        before = tables.row_count(catalog, "rva", "bronze_raw")
        began = time.monotonic()
        of_airflow.command(
            *("backfill", "create", "--dag-id", DAG, "--max-active-runs", str(AT_ONCE)),
            *("--from-date", wanted[0].isoformat(), "--to-date", wanted[-1].isoformat()),
        )
        most = 0

        def over() -> bool:
            nonlocal most
            states = of_airflow.states()
            most = max(most, sum(state == "running" for state in states.values()))
            if failed := [day for day, state in states.items() if state == "failed"]:
                raise Failed(f"the backfill of {', '.join(failed)} failed")
            return len(states) == days and set(states.values()) == {"success"}

        await_that("all days are rebuilt", over, LOOK_AGAIN_SECONDS)
        seconds = time.monotonic() - began
        meanwhile = tables.row_count(catalog, "rva", "bronze_raw") - before
        say(f"{days} days rebuilt in {seconds:.0f} s, {most} at once")
    finally:
        publishing.terminate()
        publishing.wait()
    holds, proof = prove_in_time()
    return Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cores=os.cpu_count() or 0,
        days=days,
        frames=frames,
        backfill_seconds=round(seconds, 1),
        run_seconds=of_airflow.run_seconds(),
        runs_at_once=most,
        frames_published_meanwhile=meanwhile,
        proof=proof,
        holds=holds and most > 1 and meanwhile > 0,
    )


class Airflow:
    """The running Airflow, by its API and its command."""

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self._api = httpx.Client(base_url=airflow.base_url(settings), timeout=30, trust_env=False)
        user, password = airflow.login(settings)
        token = self._api.post("/auth/token", json={"username": user, "password": password})
        token.raise_for_status()
        self._api.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def command(self, *arguments: str) -> None:
        """Run an `airflow` command as `make airflow-cli` does, again where SQLite was busy.

        :raises Failed: it did not succeed
        """
        program = [*EXEC, str(airflow.COMMAND), *arguments]
        for _ in range(COMMAND_ATTEMPTS):
            done = subprocess.run(
                program, capture_output=True, text=True, cwd=CHECKOUT, check=False
            )
            if "database is locked" not in done.stdout + done.stderr:
                break
        if done.returncode:
            raise Failed(f"airflow {' '.join(arguments)}: {done.stdout[-800:]}{done.stderr[-800:]}")

    def active(self) -> bool:
        """Whether the DAG has not run yet, or is at it."""
        states = [each["state"] for each in self._runs()]
        return not states or bool({"queued", "running"} & set(states))

    def states(self) -> dict[str, str]:
        """States of the backfill's runs, by day."""
        return {each["logical_date"][:10]: each["state"] for each in self._runs("backfill")}

    def run_seconds(self) -> dict[str, float]:
        """How long each run of the backfill took."""
        return {
            each["logical_date"][:10]: round(
                (_moment(each["end_date"]) - _moment(each["start_date"])).total_seconds(), 1
            )
            for each in self._runs("backfill")
        }

    def _runs(self, kind: str | None = None) -> list[dict[str, Any]]:
        answer = self._api.get(f"/api/v2/dags/{DAG}/dagRuns", params={"limit": 100})
        answer.raise_for_status()
        runs: list[dict[str, Any]] = answer.json()["dag_runs"]
        return [each for each in runs if kind in (None, each["run_type"])]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def publish(settings: StackSettings, day: date) -> int:
    """Publish some minutes of a day as fast as it goes; returns the frames."""
    return published_messages(simulator(settings, day, MINUTES_A_DAY, "max"))


def simulator(settings: StackSettings, day: date, minutes: int, speed: str) -> list[str]:
    """The command that publishes so much of a day, from ten in the morning on."""
    variables = settings.environment()
    topic = variables["RVA_TOPIC"].removeprefix("persistent://")
    return [
        *(sys.executable, "-m", "store_simulator", SCENARIO, "--speed", speed),
        *("--start", f"{day}T10:00:00Z", "--duration-minutes", str(minutes)),
        *("--to", f"{variables['RVA_PULSAR_URL']}/{topic}"),
    ]


def command(module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one of our commands on the stack; its output is kept."""
    return subprocess.run(
        [*EXEC, sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env=os.environ | variables,
        check=False,
    )


def prove_in_time() -> tuple[bool, list[str]]:
    """Prove everything; whether it holds, and what was printed."""
    give_up_at = time.monotonic() + PROOF_SECONDS
    while True:
        done = command("lakehouse", "prove", COLUMNS="150")
        if done.returncode == 0 or time.monotonic() > give_up_at:
            return done.returncode == 0, (done.stdout + done.stderr).splitlines()


if __name__ == "__main__":
    sys.exit(main())
