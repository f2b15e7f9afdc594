"""`python -m bench.small`: the stack as it is usually and in its small profile, server by server.

Each profile gets a stack of its own, with nothing in it, in a network of its own (as `make faults`
does). It is started; it rests without jobs, then with the three streaming jobs and nobody who
sends; it runs the demonstration, a batch of Gold included; then Airflow is started over it, whose
DAGs make up for the night before. Told are the seconds of each start, the processor's share at
rest, and the memory, shared pages counted once (PSS). Seconds depend on what else the machine
does; processor time and memory hardly do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

import psutil

from bench.outcome import conclude
from bench.place import say
from faults import isolation
from local_stack import processes, stack
from local_stack.errors import StackError
from local_stack.fetch import fetch_all
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.supervision import Supervisor

RESULT = "small.json"
FITS_MIB = 4096
SAMPLE_SECONDS = 2.0
"""How often memory is summed while the demonstration runs."""
SUPERVISOR = "supervisord"
EXEC = [sys.executable, "-m", "local_stack", "exec"]


@dataclass(frozen=True, kw_only=True)
class Rests:
    """How long a stack is left alone before, and while, it is watched at rest."""

    settle_seconds: float
    watch_seconds: float


FULL = Rests(settle_seconds=45, watch_seconds=90)
QUICK = Rests(settle_seconds=5, watch_seconds=10)


@dataclass(frozen=True, kw_only=True)
class OfServer:
    """One server. Percent are of one core; with jobs: the three streams, and nobody sends."""

    setting: str
    start_seconds: float
    start_processor_seconds: float
    """Until the last server answered."""
    idle_percent: float
    idle_percent_with_jobs: float
    pss_mib: float
    pss_mib_with_jobs: float
    peak_mib: float
    """While the demonstration ran; 0 where it did not run."""


@dataclass(frozen=True, kw_only=True)
class OfProfile:
    """One profile; totals are of all servers and the supervisor."""

    task_slots: int
    start_seconds: float
    start_processor_seconds: float
    servers: dict[str, OfServer]
    idle_percent: float
    idle_percent_with_jobs: float
    pss_mib: float
    pss_mib_with_jobs: float
    peak_mib: float
    """Of the demonstration: the stack's, at one moment."""
    peak_mib_with_vision: float
    """The same with the DAG's process and vision, which the demonstration starts beside it."""
    airflow_percent: float
    """Of the stack with Airflow over it, which makes up for the night before."""
    airflow_pss_mib: float
    """The same."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run; `small_of_default` are quotients of the totals."""

    measured_at: str
    cores: int
    memory_gib: float
    load_average: tuple[float, float]
    """Of the machine, before and at the end; more than its cores: others were at work too."""
    watch_seconds: float
    default: OfProfile
    small: OfProfile
    small_of_default: dict[str, float]
    small_fits_4_gib: bool
    """The stack at work, and with Airflow over it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write the result; 1 if the small one does not fit, 2 if one cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.small", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="short rests, neither demonstration nor Airflow"
    )
    arguments = parser.parse_args(argv)
    os.environ["RVA_DATA_DIR"] = str(CHECKOUT / "data" / "small")
    os.environ.pop("RVA_CHECKPOINT_DIR", None)
    try:
        if not isolation.is_isolated():
            isolation.check()
            # what must be downloaded comes now: inside there is no way out
            fetch_all(StackSettings.load())
            isolation.enter([sys.executable, "-m", "bench.small", *sys.argv[1:]])
        isolation.bring_up_loopback()
        result = measure(is_quick=arguments.quick)
    except (isolation.CannotIsolate, StackError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    show(result)
    return conclude(result, RESULT, is_good=result.small_fits_4_gib, keep=not arguments.quick)


def measure(*, is_quick: bool) -> Result:
    """One profile after the other."""
    before = os.getloadavg()[0]
    default, small = (measure_profile(is_small, is_quick=is_quick) for is_small in ("0", "1"))
    totals = (
        "start_processor_seconds",
        "idle_percent",
        "idle_percent_with_jobs",
        "pss_mib",
        "pss_mib_with_jobs",
        "peak_mib",
        "airflow_pss_mib",
    )
    return Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cores=os.cpu_count() or 0,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        load_average=(round(before, 1), round(os.getloadavg()[0], 1)),
        watch_seconds=(QUICK if is_quick else FULL).watch_seconds,
        default=default,
        small=small,
        small_of_default={
            name: round(getattr(small, name) / getattr(default, name), 2)
            for name in totals
            if getattr(default, name)
        },
        small_fits_4_gib=max(small.pss_mib_with_jobs, small.peak_mib, small.airflow_pss_mib)
        <= FITS_MIB,
    )


def measure_profile(is_small: str, *, is_quick: bool) -> OfProfile:
    """A stack of its own, from its start to its end.

    :raises StackError: a server does not start
    :raises subprocess.CalledProcessError: the jobs do not run, or the demonstration fails
    """
    os.environ["RVA_SMALL"] = is_small
    settings = StackSettings.load()
    rests = QUICK if is_quick else FULL
    say(f"RVA_SMALL={is_small}")
    stack.down(settings)
    shutil.rmtree(settings.data_dir, ignore_errors=True)
    try:
        starts = stack.up(settings)
        processor = processor_seconds(settings)
        alone = at_rest(settings, rests)
        run("store_pipeline", "ensure", PYTHONPATH="plugins")
        streaming = at_rest(settings, rests)
        peak = Peak({}, 0.0, 0.0)
        with_airflow = Rest({}, {})
        if not is_quick:
            peak = demonstrate(settings)
            stack.airflow_up(settings)
            with_airflow = at_rest(settings, rests)
    finally:
        stack.down(settings)
        shutil.rmtree(settings.data_dir, ignore_errors=True)
    return OfProfile(
        task_slots=settings.task_slots,
        start_seconds=round(max(starts.values()), 1),
        start_processor_seconds=round(sum(processor.values()), 1),
        servers={
            name: OfServer(
                setting=setting_of(settings, name),
                start_seconds=round(starts.get(name, 0.0), 1),
                start_processor_seconds=round(processor[name], 1),
                idle_percent=round(alone.percent[name], 2),
                idle_percent_with_jobs=round(streaming.percent[name], 2),
                pss_mib=round(alone.mib[name]),
                pss_mib_with_jobs=round(streaming.mib[name]),
                peak_mib=round(peak.mib.get(name, 0.0)),
            )
            for name in alone.percent
        },
        idle_percent=round(sum(alone.percent.values()), 1),
        idle_percent_with_jobs=round(sum(streaming.percent.values()), 1),
        pss_mib=round(sum(alone.mib.values())),
        pss_mib_with_jobs=round(sum(streaming.mib.values())),
        peak_mib=round(peak.total_mib),
        peak_mib_with_vision=round(peak.total_mib_with_vision),
        airflow_percent=round(sum(with_airflow.percent.values()), 1),
        airflow_pss_mib=round(sum(with_airflow.mib.values())),
    )


@dataclass(frozen=True)
class Rest:
    """A watched rest, by server: percent of a core, and MiB at its end."""

    percent: Mapping[str, float]
    mib: Mapping[str, float]


@dataclass(frozen=True)
class Peak:
    """The most that was seen: of each server, and of all at one moment."""

    mib: Mapping[str, float]
    total_mib: float
    total_mib_with_vision: float


def at_rest(settings: StackSettings, rests: Rests) -> Rest:
    """Leave the stack alone, then watch it."""
    time.sleep(rests.settle_seconds)
    before, began = processor_seconds(settings), time.monotonic()
    time.sleep(rests.watch_seconds)
    seconds = time.monotonic() - began
    after = processor_seconds(settings)
    percent = {name: 100 * (used - before.get(name, 0.0)) / seconds for name, used in after.items()}
    mib = memory_mib(settings)
    say(f"at rest: {sum(percent.values()):.1f} % of a core, {sum(mib.values()):,.0f} MiB")
    return Rest(percent, mib)


def processor_seconds(settings: StackSettings) -> dict[str, float]:
    """What each server and its children have used, those that have ended included."""
    return {
        name: sum(sum(each.cpu_times()[:4]) for each in members)
        for name, members in members_of(settings).items()
    }


def memory_mib(settings: StackSettings) -> dict[str, float]:
    """What each server and its children hold, shared pages counted once."""
    return {
        name: processes.memory_bytes(members) / 2**20
        for name, members in members_of(settings).items()
    }


def members_of(settings: StackSettings) -> dict[str, list[psutil.Process]]:
    """The processes of each server, and the supervisor itself."""
    supervisor = int((settings.stack_dir / "supervisord.pid").read_text(encoding="utf-8"))
    states = Supervisor(settings).states()
    of_servers = {name: processes.tree(state.pid) for name, state in states.items() if state.pid}
    return of_servers | {SUPERVISOR: [psutil.Process(supervisor)]}


def demonstrate(settings: StackSettings) -> Peak:
    """Run the demonstration and keep the most memory that was seen meanwhile."""
    ended = threading.Event()
    highest: dict[str, float] = {}
    totals = [0.0, 0.0]

    def look() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            now = memory_mib(settings)
            for name, mib in now.items():
                highest[name] = max(highest.get(name, 0.0), mib)
            beside = processes.memory_bytes(processes.runs(settings.stack_dir)) / 2**20
            totals[0] = max(totals[0], sum(now.values()))
            totals[1] = max(totals[1], sum(now.values()) + beside)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        subprocess.run([sys.executable, "-m", "local_stack", "demo"], check=True, cwd=CHECKOUT)
    finally:
        ended.set()
        looking.join()
    say(f"demonstration: {totals[0]:,.0f} MiB, with vision {totals[1]:,.0f} MiB")
    return Peak(highest, *totals)


def run(module: str, *arguments: str, **variables: str) -> None:
    """Run one of our commands on the stack."""
    command = [*EXEC, sys.executable, "-m", module, *arguments]
    subprocess.run(command, check=True, cwd=CHECKOUT, env=os.environ | variables, stdout=sys.stderr)


def setting_of(settings: StackSettings, server: str) -> str:
    """The settings that say how much memory a server is given, as they are; empty for none."""
    prefix = server.replace("-", "_")
    return " ".join(
        f"RVA_MEMORY_{each.name.upper()}={getattr(settings.memory, each.name)}"
        for each in fields(settings.memory)
        if each.name.startswith(prefix)
    )


def show(result: Result) -> None:
    """A table of both profiles, as Markdown."""
    print("| server | start, s | idle, % of a core | PSS, MiB | peak, MiB | setting |")
    print("|---|---|---|---|---|---|")
    for label, profile in (("", result.default), (", small", result.small)):
        for name, each in profile.servers.items():
            print(
                f"| {name}{label} | {each.start_seconds} | {each.idle_percent_with_jobs} | "
                f"{each.pss_mib_with_jobs:.0f} | {each.peak_mib:.0f} | {each.setting} |"
            )
        print(
            f"| **all{label}** | {profile.start_seconds} | {profile.idle_percent_with_jobs} | "
            f"{profile.pss_mib_with_jobs:.0f} | {profile.peak_mib:.0f} | "
            f"{profile.task_slots} task slots |"
        )


if __name__ == "__main__":
    sys.exit(main())
