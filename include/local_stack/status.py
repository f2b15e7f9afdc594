"""What runs, where, with how much memory, and whether it does what it is for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local_stack import processes, supervision
from local_stack.errors import NotReady
from local_stack.server import Server
from local_stack.servers import ALL_SERVERS, SERVERS
from local_stack.settings import StackSettings
from local_stack.supervision import ProcessState, Supervisor


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One line of `status`."""

    name: str
    state: str
    pid: int | None
    port: int | None
    memory_bytes: int
    uptime_seconds: int


def status(settings: StackSettings) -> list[ServerStatus]:
    """Every server, asked now whether it does what it is for; Airflow's only where they run."""
    states = Supervisor(settings).states()
    shown = [s for s in ALL_SERVERS if s in SERVERS or supervision.runs(states.get(s.name))]

    def look(server: Server) -> ServerStatus:
        known = states.get(server.name)
        pid = known.pid if known is not None and known.pid else None
        return ServerStatus(
            name=server.name,
            state=_in_words(settings, server, known),
            pid=pid,
            port=getattr(settings.ports, server.ports[0]) if server.ports else None,
            memory_bytes=processes.memory_bytes(processes.tree(pid)) if pid else 0,
            uptime_seconds=known.uptime_seconds if known is not None else 0,
        )

    with ThreadPoolExecutor(len(shown)) as pool:
        return list(pool.map(look, shown))


def _in_words(settings: StackSettings, server: Server, known: ProcessState | None) -> str:
    if known is None or known.state in ("STOPPED", "STOPPING"):
        return "stopped"
    if known.state in supervision.ENDED:
        return "failed"
    try:
        server.probe(settings)
    except NotReady as error:
        return f"not ready: {error}"
    return "ready"
