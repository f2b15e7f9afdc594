"""Which processes belong to this checkout's stack: all that carry its mark in their environment.

The mark is inherited, so that a server's children (Flink's Python workers) have it too, and it
outlives the supervisor, so that what a killed supervisor left behind is still known.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "RVA_STACK"
SERVER_MARK = "RVA_SERVER"
TERM_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket."""

    address: str
    port: int
    pid: int | None


def stack_of(process: psutil.Process) -> str | None:
    """The data directory of the stack that a process belongs to, if any can be known."""
    try:
        mark: str | None = process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
    return mark


def members(stack_dir: Path) -> list[psutil.Process]:
    """All processes of a stack."""
    return [p for p in psutil.process_iter() if stack_of(p) == str(stack_dir)]


def end(processes: list[psutil.Process]) -> None:
    """SIGTERM, and SIGKILL for those that stay."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=TERM_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=TERM_SECONDS)


def memory_bytes(processes: Iterable[psutil.Process]) -> int:
    """Memory of several processes, shared pages counted once (PSS)."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            try:
                total += process.memory_full_info().pss
            except (psutil.AccessDenied, AttributeError):
                total += process.memory_info().rss
    return total


def tree(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it; empty when it has ended."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def listeners() -> list[Listener]:
    """All listening TCP sockets of this machine that we may see."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return []
    return [
        Listener(c.laddr.ip, c.laddr.port, c.pid)
        for c in connections
        if c.status == psutil.CONN_LISTEN and c.laddr
    ]
