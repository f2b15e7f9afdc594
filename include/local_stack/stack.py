"""Starting, stopping and looking at the whole stack."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from local_stack import ports, processes, supervision
from local_stack.errors import NotReady, StackError
from local_stack.fetch import fetch_all, locate
from local_stack.program import Program
from local_stack.servers import SERVERS, Server
from local_stack.settings import LOOPBACK, StackSettings
from local_stack.supervision import ProcessState, Supervisor

log = logging.getLogger(__name__)

AIRFLOW = "airflow"
TAIL_LINES = 20
ASK_AGAIN_SECONDS = 0.5
STILL_WAITING_SECONDS = 15.0
STOP_SECONDS = 90.0
FULL_DISK_SHARE = 0.985
"""Pulsar's bookie refuses to write at 0.99 (config/pulsar/standalone.properties)."""
LEAST_FREE_BYTES = 2 * 1024**3
NAME_WIDTH = max(len(server.name) for server in SERVERS)

EXTRA_DIRECTORIES = ("tmp", "flink/web/upload", "flink/blobs", "flink/pids", "flink/savepoints")


def up(settings: StackSettings) -> None:
    """Start what does not run and wait until each server answers; running it again is harmless.

    :raises StackError: a server cannot be started; names it, shows its log and what to do
    """
    places = fetch_all(settings)
    settings.stack_dir.mkdir(parents=True, exist_ok=True)
    with _alone(settings):
        supervisor = Supervisor(settings)
        if not supervisor.alive:
            _end_leftovers(settings)
        states = supervisor.states()
        absent = [s for s in SERVERS if not _runs(states.get(s.name))]
        _check_disk(settings)
        _check_ports(settings, absent)
        programs = [s.program(settings, places) for s in SERVERS]
        for name in ("logs", *EXTRA_DIRECTORIES):
            (settings.stack_dir / name).mkdir(parents=True, exist_ok=True)
        settings.checkpoint_dir.mkdir(parents=True, exist_ok=True)
        for program in programs:
            prepare(program)
        conf = supervision.config_path(settings)
        conf.write_text(supervision.render(settings, programs), encoding="utf-8")
        conf.chmod(0o600)
        if supervisor.alive:
            for name in supervisor.reload():
                log.info("%s: its settings have changed, so it is restarted", name)
        else:
            supervisor.launch()
        for server in SERVERS:
            supervisor.start(server.name)
        wait_until_ready(settings, supervisor)


def prepare(program: Program) -> None:
    """Write a server's configuration and links; what is right already stays untouched."""
    program.directory.mkdir(parents=True, exist_ok=True)
    for path, text in program.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for folder in {link.parent for link in program.links}:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in folder.iterdir():
            if entry.is_symlink() and entry not in program.links:
                entry.unlink()
    for link, target in program.links.items():
        if link.is_symlink() and link.readlink() == target:
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def wait_until_ready(settings: StackSettings, supervisor: Supervisor) -> None:
    """One line for each server that answers, with the seconds that it took.

    :raises StackError: one ended, or did not answer in time
    """
    began = time.monotonic()
    gave_up = threading.Event()

    def wait(server: Server) -> str | None:
        deadline = began + settings.start_timeout_seconds
        last, reported = "", time.monotonic()
        while not gave_up.is_set():
            state = supervisor_state(settings, server.name)
            if state is None or state.state in ("FATAL", "EXITED", "STOPPED"):
                return f"{server.name} ended by itself {state.reason if state else ''}".strip()
            try:
                server.probe(settings)
            except NotReady as error:
                last = str(error)
            else:
                _say_ready(settings, server, time.monotonic() - began)
                return None
            now = time.monotonic()
            if now > deadline:
                return (
                    f"{server.name} did not answer within {settings.start_timeout_seconds:.0f} s: "
                    f"{last}"
                )
            if now - reported >= STILL_WAITING_SECONDS:
                reported = now
                log.info(
                    "%-*s waiting, %3.0f s: %s", NAME_WIDTH, server.name, now - began, last
                )
            time.sleep(ASK_AGAIN_SECONDS)
        return None

    with ThreadPoolExecutor(len(SERVERS)) as pool:
        waiting = {server.name: pool.submit(wait, server) for server in SERVERS}
        try:
            while not all(f.done() for f in waiting.values()):
                failed = [n for n, f in waiting.items() if f.done() and f.result()]
                if failed:
                    break
                time.sleep(0.1)
        finally:
            gave_up.set()
    problems = {n: text for n, f in waiting.items() if (text := f.result())}
    if problems:
        raise StackError("\n".join(_failure(settings, n, text) for n, text in problems.items()))


def supervisor_state(settings: StackSettings, name: str) -> ProcessState | None:
    """What supervisord knows of one server; each thread asks over a connection of its own."""
    return Supervisor(settings).states().get(name)


def _say_ready(settings: StackSettings, server: Server, seconds: float) -> None:
    port = getattr(settings.ports, server.ports[0])
    log.info("%-*s ready, %3.0f s, %s:%d", NAME_WIDTH, server.name, seconds, LOOPBACK, port)


def _failure(settings: StackSettings, name: str, problem: str) -> str:
    path = supervision.log_path(settings, name)
    return (
        f"{problem}\nthe last lines of {path}:\n"
        + "".join(f"  | {line}\n" for line in tail(path, TAIL_LINES))
        + f"Look at the whole log with `make logs S={name}`. Once the cause is gone, `make up` "
        "goes on from here; `make down` stops what was started"
    )


def tail(path: Path, count: int) -> list[str]:
    """The last lines of a file; empty when there is none."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", errors="replace") as lines:
        return [line.rstrip("\n") for line in deque(lines, maxlen=count)]


def down(settings: StackSettings) -> int:
    """Stop everything that belongs to this checkout's stack; returns how many processes ended.

    Running it again is harmless. Airflow of `make airflow` is stopped too.
    """
    everything = processes.members(settings.stack_dir)
    if not everything:
        return 0
    supervisor = Supervisor(settings)
    if supervisor.alive:
        supervisor.shut_down()
        guarded = [p for p in everything if _server_of(p) != AIRFLOW]
        psutil.wait_procs(guarded, timeout=STOP_SECONDS)
    processes.end(processes.members(settings.stack_dir))
    supervision.socket_path(settings).unlink(missing_ok=True)
    return len(everything)


def _server_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        return str(process.environ().get(processes.SERVER_MARK, ""))
    return ""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One line of `status`."""

    name: str
    state: str
    pid: int | None
    port: int
    memory_bytes: int
    uptime_seconds: int


def status(settings: StackSettings) -> list[ServerStatus]:
    """Every server, asked now whether it does what it is for."""
    states = Supervisor(settings).states()

    def look(server: Server) -> ServerStatus:
        known = states.get(server.name)
        running = known is not None and _runs(known)
        return ServerStatus(
            name=server.name,
            state=_in_words(settings, server, known),
            pid=known.pid if known and running else None,
            port=getattr(settings.ports, server.ports[0]),
            memory_bytes=processes.memory_bytes(processes.tree(known.pid))
            if known and known.pid
            else 0,
            uptime_seconds=known.uptime_seconds if known and running else 0,
        )

    with ThreadPoolExecutor(len(SERVERS)) as pool:
        return list(pool.map(look, SERVERS))


def _in_words(settings: StackSettings, server: Server, known: ProcessState | None) -> str:
    if known is None or known.state in ("STOPPED", "STOPPING"):
        return "stopped"
    if known.state in ("FATAL", "EXITED"):
        return "failed"
    try:
        server.probe(settings)
    except NotReady as error:
        return f"not ready: {error}"
    return "ready"


def reset(settings: StackSettings) -> None:
    """Stop the stack and delete what its servers have stored, Airflow's history included."""
    down(settings)
    for folder in reset_folders(settings):
        shutil.rmtree(folder, ignore_errors=True)


def reset_folders(settings: StackSettings) -> list[Path]:
    """What `reset` deletes, as far as it is there."""
    candidates = [settings.stack_dir, settings.data_dir / "airflow", settings.checkpoint_dir]
    return [folder for folder in candidates if folder.is_dir()]


def follow(path: Path, again_seconds: float = 0.3) -> Iterator[str]:
    """Lines that are added to a file from now on; goes on in the new file after a rotation."""
    handle = path.open(encoding="utf-8", errors="replace")
    handle.seek(0, 2)
    while True:
        line = handle.readline()
        if line:
            yield line
            continue
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino != _inode(handle.fileno()):
                handle.close()
                handle = path.open(encoding="utf-8", errors="replace")
                continue
        time.sleep(again_seconds)


def _inode(descriptor: int) -> int:
    import os

    return os.fstat(descriptor).st_ino


def _runs(state: ProcessState | None) -> bool:
    return state is not None and state.state in supervision.RUNNING


@contextlib.contextmanager
def _alone(settings: StackSettings) -> Iterator[None]:
    guard = FileLock(settings.stack_dir.parent / "stack.lock")
    try:
        guard.acquire(timeout=0)
    except Timeout:
        log.info("another `up` of this checkout is at work: waiting for it")
        guard.acquire()
    try:
        yield
    finally:
        guard.release()


def _end_leftovers(settings: StackSettings) -> None:
    left = processes.members(settings.stack_dir, besides=[AIRFLOW])
    if left:
        log.info("ending %d processes that an earlier run has left behind", len(left))
        processes.end(left)
    shutil.rmtree(settings.stack_dir / "tmp", ignore_errors=True)


def _check_ports(settings: StackSettings, absent: list[Server]) -> None:
    wanted = [(server.name, field) for server in absent for field in server.ports]
    found = ports.busy(settings.ports, wanted, settings.stack_dir)
    if found:
        raise StackError("\n".join(str(b) for b in found) + "\nnothing was started")


def _check_disk(settings: StackSettings) -> None:
    usage = shutil.disk_usage(settings.stack_dir)
    share = 1 - usage.free / usage.total
    if share > FULL_DISK_SHARE or usage.free < LEAST_FREE_BYTES:
        raise StackError(
            f"the disk of {settings.stack_dir} is {share:.1%} full, {usage.free / 1024**3:.1f} GB "
            "are free: Pulsar refuses to write at 99 %, and needs 2 GB. Free some space, or set "
            "RVA_DATA_DIR to a folder on another disk in .env"
        )


Reporter = Callable[[str], None]
_ = locate
