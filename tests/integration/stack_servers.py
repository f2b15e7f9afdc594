"""The servers of the stack that a test runs against, to be killed; the stack starts them again."""

from __future__ import annotations

import contextlib
import os

import psutil

from integration.conftest import Deployment, wait_until
from lakehouse import tables
from local_stack import processes
from local_stack.settings import StackSettings


def kill(server: str) -> None:
    """SIGKILL to a server, by the name that the stack gives it, and to all that it has started.

    The Python workers of Flink's jobs are among them.
    """
    assert "PYTEST_XDIST_WORKER" not in os.environ, "other tests use it: mark the module `alone`"
    killed = []
    for process in processes.members(StackSettings.load().stack_dir):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.environ().get(processes.SERVER_MARK) == server:
                process.kill()
                killed.append(process)
    assert killed, f"no process carries the mark of {server}"
    psutil.wait_procs(killed, timeout=15)


def kill_while_bronze_fills(deployment: Deployment) -> int:
    """Kill the TaskManager once Bronze has committed more than now; returns the rows by then."""

    def committed() -> int:
        return tables.row_count(deployment.catalog, deployment.database, "bronze_raw")

    before = committed()
    wait_until("Bronze has committed more", lambda: committed() > before)
    at_kill = committed()
    kill("flink-taskmanager")
    return at_kill
