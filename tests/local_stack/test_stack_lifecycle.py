"""A small stack of its own (MinIO alone) is started, hurt, found again and stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local_stack import processes, stack, supervision
from local_stack.errors import StackError
from local_stack.ports import free_ports
from local_stack.servers import SERVERS
from local_stack.settings import CHECKOUT, Ports, StackSettings
from local_stack.supervision import Supervisor

# it starts servers of its own, and has no patience
pytestmark = [pytest.mark.integration, pytest.mark.alone]

MINIO = [server for server in SERVERS if server.name == "minio"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    ports = free_ports(len(Ports.__slots__))
    chosen = {
        f"RVA_PORT_{name.upper()}": str(port)
        for name, port in zip(Ports.__slots__, ports, strict=True)
    }
    kept = {k: v for k, v in os.environ.items() if k in ("RVA_CACHE_DIR", "XDG_CACHE_HOME")}
    return {
        **kept,
        **chosen,
        "RVA_DATA_DIR": str(tmp_path / "data"),
        "RVA_START_TIMEOUT_SECONDS": "60",
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Iterator[StackSettings]:
    made = StackSettings.load(environment)
    yield made
    stack.down(made)


def pids(settings: StackSettings) -> set[int]:
    return {p.pid for p in processes.members(settings.stack_dir)}


def left_behind(settings: StackSettings) -> int:
    """The process of a MinIO whose supervisor was killed."""
    stack.up(settings, MINIO)
    left = Supervisor(settings).states()["minio"].pid
    log = supervision.log_path(settings, "minio")
    deadline = time.monotonic() + 60
    # the last that it has to say: who still writes to a supervisor that is gone dies of it
    while "Docs: " not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (supervisord,) = (p for p in processes.members(settings.stack_dir) if p.pid != left)
    supervisord.kill()
    supervisord.wait()
    return left


def test_second_up_changes_nothing(settings: StackSettings) -> None:
    stack.up(settings, MINIO)
    before = pids(settings)
    stack.up(settings, MINIO)
    assert pids(settings) == before
    assert len(before) == 2  # supervisord and MinIO


def test_down_leaves_no_process_and_can_be_repeated(settings: StackSettings) -> None:
    stack.up(settings, MINIO)
    assert stack.down(settings) == 2
    assert pids(settings) == set()
    assert stack.down(settings) == 0


def test_what_a_server_stored_is_there_after_down_and_up(settings: StackSettings) -> None:
    stack.up(settings, MINIO)
    bucket = settings.stack_dir / "minio" / settings.bucket
    assert bucket.is_dir()
    stack.down(settings)
    stack.up(settings, MINIO)
    assert bucket.is_dir()


def test_killed_server_is_started_again(settings: StackSettings) -> None:
    stack.up(settings, MINIO)
    killed = Supervisor(settings).states()["minio"].pid
    psutil.Process(killed).kill()
    deadline = time.monotonic() + 30
    while Supervisor(settings).states()["minio"].pid in (killed, 0):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    stack.up(settings, MINIO)


def test_servers_that_a_killed_supervisor_left_behind_are_replaced(
    settings: StackSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    left = left_behind(settings)
    stack.up(settings, MINIO)
    assert "ending 1 processes that an earlier run has left behind" in caplog.messages
    assert not psutil.pid_exists(left)


def test_servers_that_a_killed_supervisor_left_behind_are_stopped_by_down(
    settings: StackSettings,
) -> None:
    left = left_behind(settings)
    assert stack.down(settings) == 1
    assert not psutil.pid_exists(left)


def test_child_that_left_its_group_is_stopped_by_down(settings: StackSettings) -> None:
    """Flink's Python workers and Airflow's tasks may do so."""
    stack.up(settings, MINIO)
    marks = {processes.MARK: str(settings.stack_dir)}
    code = "import time; print(flush=True); time.sleep(600)"
    stray = subprocess.Popen(
        [sys.executable, "-c", code], env=marks, stdout=subprocess.PIPE, start_new_session=True
    )
    assert stray.stdout is not None
    # it has a pid before the kernel shows its environment
    stray.stdout.readline()
    assert stack.down(settings) == 3
    assert not psutil.pid_exists(stray.pid)


def test_busy_port_stops_everything_before_it_starts(settings: StackSettings) -> None:
    with (
        socket.create_server(("127.0.0.1", settings.ports.minio)),
        pytest.raises(StackError, match=f"port {settings.ports.minio} .minio. is in use"),
    ):
        stack.up(settings, MINIO)
    assert pids(settings) == set()


def test_changed_setting_restarts_the_server(
    settings: StackSettings, environment: dict[str, str]
) -> None:
    stack.up(settings, MINIO)
    before = Supervisor(settings).states()["minio"].pid
    changed = StackSettings.load(environment | {"RVA_S3_SECRET_KEY": "another-secret"})
    stack.up(changed, MINIO)
    assert Supervisor(settings).states()["minio"].pid != before


def test_restart_takes_changed_settings(
    settings: StackSettings, environment: dict[str, str]
) -> None:
    stack.up(settings, MINIO)
    changed = StackSettings.load(environment | {"RVA_S3_REGION": "eu-north-1"})
    stack.restart(changed, ["minio"])
    server = psutil.Process(Supervisor(changed).states()["minio"].pid)
    assert server.environ()["MINIO_REGION"] == "eu-north-1"


def test_restart_with_the_same_settings_restarts_what_is_named(settings: StackSettings) -> None:
    stack.up(settings, MINIO)
    before = Supervisor(settings).states()["minio"].pid
    stack.restart(settings, ["minio"])
    assert Supervisor(settings).states()["minio"].pid not in (before, 0)


def test_run_of_a_killed_command_is_stopped_by_down(settings: StackSettings) -> None:
    """Such as a DAG, whose `make demo` was killed; with vision, which it has started."""
    inner = "import time; print(flush=True); time.sleep(600)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        env=processes.marks(settings.stack_dir),
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert run.stdout is not None
    run.stdout.readline()
    assert len(processes.runs(settings.stack_dir)) == 2
    assert stack.down(settings) == 2
    assert pids(settings) == set()
    run.communicate()


def test_server_that_cannot_start_is_named_with_its_log(
    settings: StackSettings, environment: dict[str, str]
) -> None:
    too_short = StackSettings.load(environment | {"RVA_S3_SECRET_KEY": "short"})
    with pytest.raises(StackError, match=r"minio ended by itself[\s\S]*the last lines of") as told:
        stack.up(too_short, MINIO)
    assert "secret key" in str(told.value).lower() or "credentials" in str(told.value).lower()
    assert "make logs S=minio" in str(told.value)
    stack.up(settings, MINIO)  # mended, it goes on from there


def test_interrupted_up_can_be_run_again(
    settings: StackSettings, environment: dict[str, str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "local_stack", "up"],
        cwd=CHECKOUT,
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not Supervisor(settings).states():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told
    stack.up(settings, MINIO)
    stack.down(settings)
    assert pids(settings) == set()


def test_credentials_are_readable_by_the_owner_only(settings: StackSettings) -> None:
    stack.up(settings, MINIO)
    assert supervision.config_path(settings).stat().st_mode & 0o077 == 0
