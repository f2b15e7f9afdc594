"""Waiting until servers answer what they are for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from local_stack import logs, supervision
from local_stack.errors import NotReady, StackError
from local_stack.server import Server
from local_stack.settings import LOOPBACK, StackSettings
from local_stack.supervision import Supervisor

log = logging.getLogger(__name__)

TAIL_LINES = 20
ASK_AGAIN_SECONDS = 0.5
STILL_WAITING_SECONDS = 15.0
NAME_WIDTH = 21
"""Of the longest name, `airflow-dag-processor`."""


def wait(
    settings: StackSettings, supervisor: Supervisor, servers: Sequence[Server]
) -> dict[str, float]:
    """One line for each server that answers, with the seconds that it took; returns these.

    :raises StackError: one ended, or did not answer in time
    """
    began = time.monotonic()
    give_up = threading.Event()
    seconds: dict[str, float] = {}

    def ask_until_ready(server: Server) -> str | None:
        reported = began
        while not give_up.is_set():
            state = supervisor.states().get(server.name)
            if state is None or state.state in supervision.ENDED:
                return f"{server.name} ended by itself ({state.reason if state else 'unknown'})"
            if state.state in ("STOPPED", "STOPPING"):
                return f"{server.name} was stopped meanwhile"
            try:
                server.probe(settings)
            except NotReady as error:
                answer = str(error)
            else:
                seconds[server.name] = time.monotonic() - began
                _say_ready(settings, server, seconds[server.name])
                return None
            waited = time.monotonic() - began
            if waited > settings.start_timeout_seconds:
                return f"{server.name} did not answer within {waited:.0f} s: {answer}"
            if time.monotonic() - reported >= STILL_WAITING_SECONDS:
                reported = time.monotonic()
                log.info("%-*s waiting, %3.0f s: %s", NAME_WIDTH, server.name, waited, answer)
            time.sleep(ASK_AGAIN_SECONDS)
        return None

    with ThreadPoolExecutor(len(servers)) as pool:
        waiting = {server.name: pool.submit(ask_until_ready, server) for server in servers}
        try:
            while not all(w.done() for w in waiting.values()):
                if any(w.done() and w.result() for w in waiting.values()):
                    break
                time.sleep(0.1)
        finally:
            give_up.set()
    problems = {name: text for name, w in waiting.items() if (text := w.result())}
    if problems:
        raise StackError("\n".join(_failure(settings, n, text) for n, text in problems.items()))
    return seconds


def _say_ready(settings: StackSettings, server: Server, seconds: float) -> None:
    where = f", {LOOPBACK}:{getattr(settings.ports, server.ports[0])}" if server.ports else ""
    log.info("%-*s ready, %3.0f s%s", NAME_WIDTH, server.name, seconds, where)


def _failure(settings: StackSettings, name: str, problem: str) -> str:
    path = supervision.log_path(settings, name)
    return (
        f"{problem}\nthe last lines of {path}:\n"
        + "".join(f"  | {line}\n" for line in logs.tail(path, TAIL_LINES))
        + f"`make logs S={name}` shows more. Once the cause is gone, `make up` goes on from here; "
        "`make down` stops what was started"
    )
