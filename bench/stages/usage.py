"""What the servers of the stack use: processor seconds and resident memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from local_stack.settings import StackSettings
from local_stack.supervision import Supervisor

MIB = 1024**2
PYTHON_WORKERS = "python-workers"
_TASKMANAGER = "flink-taskmanager"
SAMPLE_SECONDS = 1.0


class Servers:
    """The processes of the running stack."""

    def __init__(self) -> None:
        states = Supervisor(StackSettings.load()).states()
        self._parents = {
            name: psutil.Process(state.pid) for name, state in states.items() if state.pid
        }

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time so far."""
        return self._sums(lambda process: sum(process.cpu_times()[:2]))

    def resident_mib(self) -> dict[str, int]:
        """Memory now."""
        sums = self._sums(lambda process: process.memory_info().rss)
        return {name: int(value) // MIB for name, value in sums.items()}

    def _sums(self, value_of: Callable[[psutil.Process], float]) -> dict[str, float]:
        sums = dict.fromkeys((*self._parents, PYTHON_WORKERS), 0.0)
        for name, parent in self._parents.items():
            for process in (parent, *parent.children(recursive=True)):
                try:
                    is_worker = name == _TASKMANAGER and "python" in process.name()
                    sums[PYTHON_WORKERS if is_worker else name] += value_of(process)
                except psutil.Error:
                    continue
        return sums


@dataclass(frozen=True)
class Usage:
    """What is watched."""

    servers: Servers
    peak_mib: dict[str, int]
    """Resident, the highest of what was sampled."""


@contextmanager
def watched() -> Iterator[Usage]:
    """Yields the servers; `peak_mib` is complete at the end."""
    servers, over = Servers(), threading.Event()
    usage = Usage(servers, servers.resident_mib())

    def sample() -> None:
        while not over.wait(SAMPLE_SECONDS):
            for name, mib in servers.resident_mib().items():
                usage.peak_mib[name] = max(usage.peak_mib[name], mib)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield usage
    finally:
        over.set()
        sampler.join()
