"""Starting and stopping the whole stack."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from local_stack import ports, processes, readiness, supervision
from local_stack.errors import StackError, explain
from local_stack.fetch import Distributions, fetch_all
from local_stack.program import Program
from local_stack.server import Server
from local_stack.servers import AIRFLOW_SERVERS, ALL_SERVERS, SERVERS, airflow, pulsar
from local_stack.settings import StackSettings
from local_stack.supervision import Supervisor

log = logging.getLogger(__name__)

STOP_SECONDS = 90.0
FULL_DISK_SHARE = 0.985
"""Pulsar's bookie refuses to write at 0.99 (config/pulsar/standalone.properties)."""
LEAST_FREE_BYTES = 2 * 1024**3

DIRECTORIES = ("logs", "tmp", "flink/web/upload", "flink/blobs", "flink/pids", "flink/savepoints")


def up(settings: StackSettings, servers: Sequence[Server] = SERVERS) -> dict[str, float]:
    """Start what does not run and wait until each server answers; running it again is harmless.

    :param servers: of a stack with fewer servers
    :returns: seconds until each answered
    :raises StackError: a server cannot be started; names it, shows its log and what to do
    """
    if any(character.isspace() for character in str(settings.data_dir)):
        raise StackError(
            f"the path of the data folder has a space in it, which Flink's scripts cannot live "
            f"with: {settings.data_dir}; set RVA_DATA_DIR to another one in .env"
        )
    _check_data_folder(settings)
    places = fetch_all(settings)
    with _alone(settings):
        supervisor = Supervisor(settings)
        if not supervisor.alive:
            _end_leftovers(settings)
        _check_disk(settings)
        _check_ports(settings, _absent(supervisor, servers))
        _write(settings, places, servers)
        if supervisor.alive:
            _reload(supervisor)
        else:
            supervision.airflow_config_path(settings).unlink(missing_ok=True)
            supervisor.launch()
        return _start(settings, supervisor, servers)


def airflow_up(settings: StackSettings) -> dict[str, float]:
    """Start Airflow over the running stack.

    :returns: seconds until each of its processes answered
    :raises StackError: the stack does not run, a demonstration is at work, or as `up`
    """
    _running_supervisor(settings)
    places = fetch_all(settings)
    with _alone(settings):
        supervisor = _running_supervisor(settings)
        processes.reject_dag_at_work(settings.stack_dir)
        _check_ports(settings, _absent(supervisor, AIRFLOW_SERVERS))
        airflow.initialise(settings)
        if len(_absent(supervisor, AIRFLOW_SERVERS)) == len(AIRFLOW_SERVERS):
            airflow.end_dead_runs(settings)
        _write_airflow(settings, places)
        _reload(supervisor)
        return _start(settings, supervisor, AIRFLOW_SERVERS)


def restart(settings: StackSettings, names: Sequence[str]) -> None:
    """Stop some servers, start them again as they are set now, and wait until they answer.

    Others whose settings have changed restart too, as by `up`.

    :raises StackError: the stack does not run, or as `up`
    """
    _running_supervisor(settings)
    places = fetch_all(settings)
    with _alone(settings):
        supervisor = _running_supervisor(settings)
        for name in names:
            supervisor.stop(name)
        _check_ports(settings, [s for s in ALL_SERVERS if s.name in names])
        _write(settings, places, SERVERS)
        is_airflow = any(s.name in names for s in AIRFLOW_SERVERS)
        if is_airflow or supervision.airflow_config_path(settings).is_file():
            airflow.initialise(settings)
            _write_airflow(settings, places)
        again = {*names, *_reload(supervisor)}
        _start(settings, supervisor, [s for s in ALL_SERVERS if s.name in again])


def stop(settings: StackSettings, names: Sequence[str]) -> None:
    """Stop some servers; the others go on.

    :raises StackError: the stack does not run
    """
    supervisor = _running_supervisor(settings)
    for name in names:
        supervisor.stop(name)


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


def down(settings: StackSettings) -> int:
    """Stop everything that belongs to this checkout's stack, Airflow included.

    Running it again is harmless. Returns how many processes have ended.
    """
    everything = processes.members(settings.stack_dir)
    if everything:
        # first, so that a DAG does not try again what its servers no longer do
        processes.end(processes.runs(settings.stack_dir))
        supervisor = Supervisor(settings)
        if supervisor.alive:
            supervisor.shut_down(STOP_SECONDS)
        processes.end_members(settings.stack_dir)
    supervision.socket_path(settings).unlink(missing_ok=True)
    supervision.airflow_config_path(settings).unlink(missing_ok=True)
    return len(everything)


def is_up(settings: StackSettings) -> bool:
    """Whether any server of the stack runs."""
    return any(supervision.runs(state) for state in Supervisor(settings).states().values())


def reset(settings: StackSettings) -> None:
    """Stop the stack and delete what its servers have stored, Airflow's history included."""
    down(settings)
    for folder in reset_folders(settings):
        shutil.rmtree(folder, ignore_errors=True)


def reset_folders(settings: StackSettings) -> list[Path]:
    """What `reset` deletes, as far as it is there."""
    candidates = [settings.stack_dir, airflow.home(settings)]
    if not settings.checkpoint_dir.is_relative_to(settings.stack_dir):
        candidates.append(settings.checkpoint_dir)
    return [folder for folder in candidates if folder.is_dir()]


def _start(
    settings: StackSettings, supervisor: Supervisor, servers: Sequence[Server]
) -> dict[str, float]:
    for server in servers:
        supervisor.start(server.name)
    return readiness.wait(settings, supervisor, servers)


def _write(settings: StackSettings, places: Distributions, servers: Sequence[Server]) -> None:
    """Write what the servers and the supervisor read when they start."""
    for name in DIRECTORIES:
        (settings.stack_dir / name).mkdir(parents=True, exist_ok=True)
    settings.checkpoint_dir.mkdir(parents=True, exist_ok=True)
    programs = [s.program(settings, places) for s in servers]
    for program in programs:
        prepare(program)
    _write_secret(supervision.config_path(settings), supervision.render(settings, programs))


def _write_airflow(settings: StackSettings, places: Distributions) -> None:
    programs = [s.program(settings, places) for s in AIRFLOW_SERVERS]
    text = supervision.render_programs(settings, programs)
    _write_secret(supervision.airflow_config_path(settings), text)


def _reload(supervisor: Supervisor) -> list[str]:
    stopped = supervisor.reload()
    for name in stopped:
        log.info("%-*s its settings have changed: restarting it", readiness.NAME_WIDTH, name)
    return stopped


def _running_supervisor(settings: StackSettings) -> Supervisor:
    supervisor = Supervisor(settings)
    if not supervisor.alive:
        raise StackError("the stack does not run: start it with `make up`")
    return supervisor


def _absent(supervisor: Supervisor, servers: Sequence[Server]) -> list[Server]:
    states = supervisor.states()
    return [server for server in servers if not supervision.runs(states.get(server.name))]


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _alone(settings: StackSettings) -> Iterator[None]:
    """One start at a time in a checkout."""
    _check_data_folder(settings)
    guard = FileLock(settings.data_dir / "stack.lock")
    try:
        guard.acquire(timeout=0)
    except Timeout:
        log.info("another start of this checkout's stack is at work: waiting for it")
        guard.acquire()
    try:
        yield
    finally:
        guard.release()


def _check_data_folder(settings: StackSettings) -> None:
    folder = settings.stack_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    except OSError as error:
        raise StackError(
            explain(error, "the data folder cannot be used", "RVA_DATA_DIR")
        ) from error


def _end_leftovers(settings: StackSettings) -> None:
    left = processes.members(settings.stack_dir)
    if left:
        log.info("ending %d processes that an earlier run has left behind", len(left))
        processes.end(left)
    shutil.rmtree(settings.stack_dir / "tmp", ignore_errors=True)


def _check_ports(settings: StackSettings, absent: Sequence[Server]) -> None:
    wanted = [
        ports.Wanted(server.name, field, getattr(settings.ports, field))
        for server in absent
        for field in server.ports
    ]
    kept = pulsar.kept_bookie_port(settings)
    if kept is not None:
        wanted = [w._replace(port=kept) if w.setting == "pulsar_bookie" else w for w in wanted]
    ports.reject_twice(wanted)
    found = ports.busy(wanted, settings.stack_dir)
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
