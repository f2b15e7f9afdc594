"""Which processes belong to this checkout's stack: all that carry its mark in their environment.

The mark is inherited, so that a server's children (Flink's Python workers) have it too, and it
outlives the supervisor, so that what a killed supervisor left behind is still known.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from local_stack.errors import StackError

MARK = "RVA_STACK"
SERVER_MARK = "RVA_SERVER"
RUN = "run"
"""In place of a server's name: what a command has started, such as a DAG and its vision."""
TERM_SECONDS = 15.0
CTRL_C_SECONDS = 3.0
ROUNDS = 3


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


def marks(stack_dir: Path, name: str = RUN) -> dict[str, str]:
    """The variables by which a process, and what it starts, is known as the stack's."""
    return {MARK: str(stack_dir), SERVER_MARK: name}


def runs(stack_dir: Path) -> list[psutil.Process]:
    """Those of a stack that are no servers: what commands have started."""
    found = []
    for process in members(stack_dir):
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(SERVER_MARK) == RUN:
                found.append(process)
    return found


def reject_dag_at_work(stack_dir: Path) -> None:
    """Refuse to start what would disturb a DAG that a command has started.

    :raises StackError: there is one, of another terminal or of a command that was killed
    """
    for process in runs(stack_dir):
        with contextlib.suppress(psutil.Error):
            if "dags test" in " ".join(process.cmdline()):
                raise StackError(
                    f"a DAG is at work in this checkout (process {process.pid}): wait until it "
                    "has ended, or stop it and the servers with `make down`"
                )


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> int:
    """Run a command to its end; returns its exit status.

    If this process is interrupted, the command and all that it has started end too.
    """
    with subprocess.Popen(command, env=environment, cwd=folder) as child:
        try:
            return child.wait()
        except BaseException:
            # a terminal has interrupted them too: a second time at once would disturb their ending
            _, alive = psutil.wait_procs(tree(child.pid), timeout=CTRL_C_SECONDS)
            interrupt(alive)
            raise


def end_members(stack_dir: Path) -> None:
    """End all processes of a stack, those too that others start while they end."""
    for _ in range(ROUNDS):
        if not (left := members(stack_dir)):
            return
        end(left)


def end(processes: list[psutil.Process]) -> None:
    """SIGTERM, and SIGKILL for those that stay."""
    _signal(processes, signal.SIGTERM)


def interrupt(processes: list[psutil.Process]) -> None:
    """SIGINT, as a terminal sends it, and SIGKILL for those that stay."""
    _signal(processes, signal.SIGINT)


def _signal(processes: list[psutil.Process], first: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(first)
    alive = processes
    try:
        _, alive = psutil.wait_procs(processes, timeout=TERM_SECONDS)
    finally:
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
