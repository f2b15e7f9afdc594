"""Finds ports that something else holds, before anything starts."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil

from local_stack import processes
from local_stack.errors import StackError
from local_stack.settings import LOOPBACK

COMMAND_CHARACTERS = 70


class Wanted(NamedTuple):
    """A port that a server needs."""

    server: str
    setting: str
    """Field of `Ports`."""
    port: int


@dataclass(frozen=True, slots=True)
class BusyPort:
    """A port that is needed and taken."""

    wanted: Wanted
    holder: str
    """Who holds it, in words; empty when that cannot be known."""

    def __str__(self) -> str:
        server, setting, port = self.wanted
        return (
            f"port {port} ({server}) is in use by {self.holder or 'another process'}: "
            f"stop it, or set RVA_PORT_{setting.upper()} to a free port in .env"
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


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens, each another one."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def reject_twice(wanted: Iterable[Wanted]) -> None:
    """Refuse settings that give one port to two servers.

    :raises StackError: names both settings
    """
    seen: dict[int, Wanted] = {}
    for want in wanted:
        other = seen.setdefault(want.port, want)
        if other is not want:
            raise StackError(
                f"port {want.port} is needed by {other.server} and by {want.server}: set "
                f"RVA_PORT_{other.setting.upper()} or RVA_PORT_{want.setting.upper()} to another "
                "one in .env (the bookie's port stays as it was first started, until `make reset`)"
            )


def busy(wanted: Iterable[Wanted], stack_dir: Path) -> list[BusyPort]:
    """Those of the wanted ports that are taken, and by whom."""
    taken = [w for w in wanted if not is_free(w.port)]
    if not taken:
        return []
    pids = {listener.port: listener.pid for listener in processes.listeners()}
    return [BusyPort(w, describe(pids.get(w.port), stack_dir)) for w in taken]


def describe(pid: int | None, stack_dir: Path) -> str:
    """A process in words: another clone's stack by its place, others by number and command."""
    if pid is None:
        return ""
    try:
        process = psutil.Process(pid)
        command = short_command(process.cmdline()) or process.name()
    except psutil.Error:
        return f"process {pid}"
    stack = processes.stack_of(process)
    if stack and stack != str(stack_dir):
        return f"the stack of another clone ({Path(stack).parents[1]})"
    return f"process {pid} ({command})"


def short_command(arguments: Sequence[str]) -> str:
    """A command line that a person recognises; of Java only the main class."""
    if arguments and Path(arguments[0]).name == "java":
        rest = iter(arguments[1:])
        for argument in rest:
            if argument in ("-cp", "-classpath", "--class-path"):
                next(rest, None)
            elif not argument.startswith("-"):
                return f"java {argument}"
    text = " ".join(arguments)
    return text if len(text) <= COMMAND_CHARACTERS else text[: COMMAND_CHARACTERS - 1] + "…"
