"""Finds ports that something else holds, before anything starts."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from local_stack import processes
from local_stack.settings import LOOPBACK, Ports

COMMAND_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class BusyPort:
    """A port that is needed and taken."""

    server: str
    setting: str
    """Field of `Ports`."""
    port: int
    holder: str
    """Who holds it, in words; empty when that cannot be known."""

    def __str__(self) -> str:
        by = f" by {self.holder}" if self.holder else " by another process"
        return (
            f"port {self.port} ({self.server}) is in use{by}: "
            f"stop it, or set RVA_PORT_{self.setting.upper()} to a free port in .env"
        )


def is_free(port: int) -> bool:
    """Whether a server could listen on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def busy(ports: Ports, wanted: Iterable[tuple[str, str]], stack_dir: Path) -> list[BusyPort]:
    """Those of the wanted ports that are taken.

    :param wanted: pairs of server name and field of `Ports`
    """
    taken = [(s, f, getattr(ports, f)) for s, f in wanted if not is_free(getattr(ports, f))]
    if not taken:
        return []
    pids = {listener.port: listener.pid for listener in processes.listeners()}
    return [BusyPort(s, f, port, describe(pids.get(port), stack_dir)) for s, f, port in taken]


def describe(pid: int | None, stack_dir: Path) -> str:
    """A process in words: another clone's stack by its place, others by number and command."""
    if pid is None:
        return ""
    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return f"process {pid}"
    stack = processes.stack_of(process)
    if stack and stack != str(stack_dir):
        return f"the stack of another clone, {Path(stack).parents[1]} (`make down` there stops it)"
    if len(command) > COMMAND_CHARACTERS:
        command = command[:COMMAND_CHARACTERS] + "…"
    return f"process {pid} ({command})"
