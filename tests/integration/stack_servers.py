"""The servers of the stack that a test runs against, to be killed; the stack starts them again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil

from integration.conftest import ROOT
from local_stack import processes


def kill(server: str) -> None:
    """Kill -9 every process of a server, by the name that the stack gives it."""
    stack_dir = Path(os.environ.get("RVA_DATA_DIR") or ROOT / "data").resolve() / "stack"
    killed = 0
    for process in processes.members(stack_dir):
        try:
            if process.environ().get(processes.SERVER_MARK) == server:
                process.send_signal(signal.SIGKILL)
                killed += 1
        except psutil.NoSuchProcess:
            continue
    assert killed, f"no process of {server} in {stack_dir}"
