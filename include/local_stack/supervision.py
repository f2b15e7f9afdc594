"""supervisord: its configuration, and talking to it over its socket."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from local_stack import processes
from local_stack.errors import StackError
from local_stack.program import Program
from local_stack.settings import StackSettings

LONGEST_SOCKET_PATH = 100
"""Bytes; the kernel takes 107, and supervisord adds a suffix of its own while it starts."""
OPEN_FILES = 65536
START_SECONDS = 15.0
STAYS_UP_SECONDS = 3
START_RETRIES = 2
LOG_SIZE = "10MB"
LOG_BACKUPS = 2

RUNNING = frozenset({"RUNNING", "STARTING", "BACKOFF"})
"""It runs, or supervisord is about to start it."""
ENDED = frozenset({"EXITED", "FATAL"})
"""It has ended and supervisord has given up."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What supervisord knows of a server."""

    name: str
    state: str
    """STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED or FATAL."""
    pid: int
    uptime_seconds: int
    reason: str
    """Why it could not be started, or empty."""


def runs(state: ProcessState | None) -> bool:
    """Whether a server runs or is about to."""
    return state is not None and state.state in RUNNING


def socket_path(settings: StackSettings) -> Path:
    """Where supervisord listens: in the data directory, or elsewhere if that path is too long."""
    preferred = settings.stack_dir / "supervisor.sock"
    if len(os.fsencode(preferred)) <= LONGEST_SOCKET_PATH:
        return preferred
    digest = hashlib.sha256(os.fsencode(settings.stack_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"rva-{digest}.sock"


def config_path(settings: StackSettings) -> Path:
    """supervisord's own configuration."""
    return settings.stack_dir / "supervisord.conf"


def log_path(settings: StackSettings, name: str) -> Path:
    """A server's log."""
    return settings.logs_dir / f"{name}.log"


def base_environment(settings: StackSettings) -> dict[str, str]:
    """What every server gets: the same, whoever starts it and from whichever shell."""
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "USER", "LOGNAME") if k in os.environ}
    return kept | {
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": str(settings.stack_dir / "tmp"),
        processes.MARK: str(settings.stack_dir),
    }


def airflow_config_path(settings: StackSettings) -> Path:
    """Airflow's part of the configuration; there from `make airflow` until `make down`."""
    return settings.stack_dir / "airflow.conf"


def render_programs(settings: StackSettings, programs: Iterable[Program]) -> str:
    """The part that says how servers run."""
    return "\n".join(_program_section(settings, p) for p in programs)


def render(settings: StackSettings, programs: Iterable[Program]) -> str:
    """supervisord.conf."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    stack = settings.stack_dir
    common = {
        "supervisord": {
            "logfile": str(settings.logs_dir / "supervisord.log"),
            "logfile_maxbytes": LOG_SIZE,
            "logfile_backups": "1",
            "pidfile": str(stack / "supervisord.pid"),
            "childlogdir": str(settings.logs_dir),
            "directory": str(stack),
            "identifier": "retail-video-analytics",
            "minfds": str(files),
            "umask": "022",
        }
        | ({"user": getpass.getuser()} if os.geteuid() == 0 else {}),
        "unix_http_server": {"file": str(socket_path(settings)), "chmod": "0700"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "include": {"files": airflow_config_path(settings).name},
    }
    sections = [_section(name, values) for name, values in common.items()]
    sections.append(render_programs(settings, programs))
    return "\n".join(sections)


def _program_section(settings: StackSettings, program: Program) -> str:
    digest = hashlib.sha256()
    for path, text in sorted(program.files.items()):
        digest.update(f"{path}\0{text}\0".encode())
    for link, target in sorted(program.links.items()):
        digest.update(f"{link}\0{target}\0".encode())
    environment = dict(program.environment) | {
        processes.SERVER_MARK: program.name,
        # a changed configuration file is a changed program, which a reload restarts
        "RVA_CONFIG_SHA256": digest.hexdigest(),
    }
    return _section(
        f"program:{program.name}",
        {
            "command": shlex.join(program.command),
            "directory": str(program.directory),
            "environment": ",".join(f"{k}={_quoted(k, v)}" for k, v in environment.items()),
            "autostart": "false",
            "autorestart": "true",
            "startsecs": str(STAYS_UP_SECONDS),
            "startretries": str(START_RETRIES),
            "stopsignal": "TERM",
            "stopwaitsecs": str(program.stop_seconds),
            "stopasgroup": "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(log_path(settings, program.name)),
            "stdout_logfile_maxbytes": LOG_SIZE,
            "stdout_logfile_backups": str(LOG_BACKUPS),
        },
    )


def _section(name: str, values: Mapping[str, str]) -> str:
    # supervisord expands %(…)s in values
    return f"[{name}]\n" + "".join(f"{k}={v.replace('%', '%%')}\n" for k, v in values.items())


def _quoted(name: str, value: str) -> str:
    """A value of `environment=`, whose quotes know no escapes.

    :raises StackError: it cannot be written
    """
    quote = "'" if '"' in value else '"'
    if quote in value or "\n" in value:
        raise StackError(f"{name} must not hold a line break or both kinds of quotes: {value!r}")
    return f"{quote}{value}{quote}"


class Supervisor:
    """A running supervisord of this checkout."""

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings

    def _call(self, method: str, *arguments: object) -> Any:
        from supervisor.xmlrpc import SupervisorTransport

        # a connection of its own for each call: one that has failed once never works again
        transport = SupervisorTransport(serverurl=f"unix://{socket_path(self._settings)}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        with contextlib.closing(transport):
            return getattr(proxy.supervisor, method)(*arguments)

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def launch(self) -> None:
        """Start supervisord in the background; it reads the configuration that was written.

        :raises StackError: it does not answer
        """
        socket_path(self._settings).unlink(missing_ok=True)
        environment = base_environment(self._settings) | {processes.SERVER_MARK: "supervisord"}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "supervisor.supervisord",
                "-c",
                str(config_path(self._settings)),
            ],
            env=environment,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )
        deadline = time.monotonic() + START_SECONDS
        while done.returncode == 0 and time.monotonic() < deadline:
            if self.alive:
                return
            time.sleep(0.1)
        log = self._settings.logs_dir / "supervisord.log"
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no answer"]
        raise StackError(f"supervisord did not start ({reason[0]}); its log is {log}")

    def states(self) -> dict[str, ProcessState]:
        """All servers that it knows, by name; empty when it does not run."""
        try:
            answer = self._call("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error):
            return {}
        return {
            info["name"]: ProcessState(
                name=info["name"],
                state=info["statename"],
                pid=info["pid"],
                uptime_seconds=max(0, info["now"] - info["start"]) if info["pid"] else 0,
                reason=info["spawnerr"],
            )
            for info in answer
        }

    def reload(self) -> list[str]:
        """Take in a changed configuration; returns the servers that this stopped.

        :raises StackError: it cannot be read
        """
        try:
            ((added, changed, removed),) = self._call("reloadConfig")
        except xmlrpc.client.Fault as fault:
            raise StackError(
                f"supervisord does not take {config_path(self._settings)}: {fault.faultString}"
            ) from fault
        for name in (*changed, *removed):
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in (*changed, *added):
            self._call("addProcessGroup", name)
        return [*changed, *removed]

    def start(self, name: str) -> None:
        """Start a server if it does not run."""
        # already started is what we want; a command that cannot be run shows in `states`
        with contextlib.suppress(xmlrpc.client.Fault):
            self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop one server and wait until it has ended."""
        with contextlib.suppress(xmlrpc.client.Fault):
            self._call("stopProcess", name, True)

    def shut_down(self, timeout_seconds: float) -> None:
        """Have it stop all servers and end, and wait for that."""
        with contextlib.suppress(OSError, xmlrpc.client.Error, psutil.Error):
            itself = psutil.Process(self._call("getPID"))
            self._call("shutdown")
            itself.wait(timeout_seconds)
