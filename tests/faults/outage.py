"""Does a fault to its target, and says from when to when it lasted."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass

import psutil

from faults import isolation
from faults.catalogue import AIRFLOW_WORKER, REPLAY, SIMULATOR, Fault, Kind
from faults.nightly import NightlyRun
from faults.publishing import Frames
from faults.stage import Stage, StageFailed
from local_stack.servers import SERVERS

BALLAST = ".rva-ballast"
"""Fills MinIO's disk; its name is no bucket's."""
_BLOCK = bytes(1 << 20)


@dataclass(frozen=True)
class Outage:
    """A fault that was played. Times are epoch milliseconds; a kill begins and ends at once."""

    began_ms: int
    ended_ms: int

    @property
    def seconds(self) -> float:
        """How long the target was away by our doing."""
        return (self.ended_ms - self.began_ms) / 1000


def play(
    fault: Fault,
    stage: Stage,
    frames: Frames,
    nightly: NightlyRun | None,
    chance: random.Random,
) -> Outage:
    """Do it; for a fault that lasts, return when it is over.

    :param nightly: the run whose worker is meant, for a fault of that
    """
    lasts = chance.uniform(*fault.seconds)
    match fault.kind:
        case Kind.KILL:
            process = _target(fault.target, stage, frames, nightly)
            began = now_ms()
            process.send_signal(signal.SIGKILL)
            return Outage(began, began)
        case Kind.FREEZE:
            process = _target(fault.target, stage, frames, nightly)
            began = now_ms()
            process.send_signal(signal.SIGSTOP)
            try:
                time.sleep(lasts)
            finally:
                process.send_signal(signal.SIGCONT)
        case Kind.CUT:
            server = next(each for each in SERVERS if each.name == fault.target)
            ports = [getattr(stage.settings.ports, name) for name in server.ports]
            began = now_ms()
            isolation.cut_off(ports)
            try:
                time.sleep(lasts)
            finally:
                isolation.reconnect()
        case Kind.FILL:
            began = now_ms()
            _fill_disk(stage, lasts)
        case Kind.UNLOAD:
            began = now_ms()
            stage.unload_topic()
            return Outage(began, began)
    return Outage(began, now_ms())


def _target(name: str, stage: Stage, frames: Frames, nightly: NightlyRun | None) -> psutil.Process:
    if name == AIRFLOW_WORKER:
        assert nightly is not None
        return nightly.worker()
    if name in (SIMULATOR, REPLAY):
        return {each.name: each for each in frames.publishers}[name].running
    process = stage.process_of(name)
    if process is None:
        raise StageFailed(f"{name} does not run, so it cannot be killed or frozen")
    return process


def _fill_disk(stage: Stage, seconds: float) -> None:
    """Leave not one block free, for so long, whatever is deleted meanwhile."""
    ballast = stage.settings.stack_dir / "minio" / BALLAST
    over = time.monotonic() + seconds
    try:
        with ballast.open("wb", buffering=0) as file:
            while time.monotonic() < over:
                try:
                    file.write(_BLOCK)
                except OSError:
                    time.sleep(0.2)
    finally:
        ballast.unlink()


def now_ms() -> int:
    """Now, in epoch milliseconds, as snapshots have it."""
    return time.time_ns() // 1_000_000
