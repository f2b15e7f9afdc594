"""Killing the TaskManager of the stack that the tests run on; its supervisor starts it again."""

from __future__ import annotations

import contextlib

import psutil

from integration.bronze_counts import bronze_count
from integration.conftest import Deployment, wait_until
from local_stack import processes
from local_stack.settings import StackSettings

SERVER = "flink-taskmanager"


def kill_taskmanager() -> None:
    """SIGKILL to it and to all that it has started; the job's Python workers are among them."""
    killed = []
    for process in processes.members(StackSettings.load().stack_dir):
        with contextlib.suppress(psutil.Error):
            if process.environ().get(processes.SERVER_MARK) == SERVER:
                process.kill()
                killed.append(process)
    assert killed, f"no process carries the mark of {SERVER}"
    psutil.wait_procs(killed, timeout=15)


def kill_while_bronze_fills(deployment: Deployment) -> int:
    """Kill it once Bronze has committed more than it has now; returns the rows committed then."""
    before = bronze_count(deployment)
    wait_until("Bronze has committed more", lambda: bronze_count(deployment) > before)
    at_kill = bronze_count(deployment)
    kill_taskmanager()
    return at_kill
