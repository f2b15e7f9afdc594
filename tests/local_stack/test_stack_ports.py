import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack import ports
from local_stack.errors import StackError
from local_stack.ports import BusyPort, Wanted


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_busy_port_is_told_with_number_holder_and_what_to_set(taken: int) -> None:
    (found,) = ports.busy([Wanted("trino", "trino", taken)], Path("/here"))
    assert str(found).startswith(f"port {taken} (trino) is in use by process {os.getpid()} (")
    assert str(found).endswith("set RVA_PORT_TRINO to a free port in .env")


def test_port_that_listens_on_every_interface_is_busy_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        assert not ports.is_free(server.getsockname()[1])


def test_free_port_is_not_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert ports.busy([Wanted("trino", "trino", port)], Path("/here")) == []


def test_holder_that_cannot_be_known_is_another_process() -> None:
    text = str(BusyPort(Wanted("minio", "minio", 9000), holder=""))
    assert "is in use by another process:" in text


def test_stack_of_another_clone_is_named_by_its_place() -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"],
        env={"RVA_STACK": "/home/me/other/data/stack"},
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    try:
        # it has a pid before the kernel shows its environment
        other.stdout.readline()
        assert ports.describe(other.pid, Path("/here/data/stack")) == (
            "the stack of another clone (/home/me/other)"
        )
    finally:
        other.kill()
        other.communicate()


def test_two_servers_on_one_port_are_refused() -> None:
    wanted = [Wanted("pulsar", "pulsar_bookie", 8181), Wanted("catalog", "catalog", 8181)]
    with pytest.raises(StackError, match="RVA_PORT_PULSAR_BOOKIE or RVA_PORT_CATALOG"):
        ports.reject_twice(wanted)


@pytest.mark.parametrize(
    ("arguments", "short"),
    [
        (["/jdk/bin/java", "-Xmx1g", "-cp", "a:b", "-Dx=y", "org.Main", "--z"], "java org.Main"),
        (["nginx", "-g", "daemon off;"], "nginx -g daemon off;"),
        (["x" * 100], "x" * 69 + "…"),
    ],
    ids=["java by its main class", "as it is", "cut"],
)
def test_command_is_shortened_to_what_a_person_recognises(arguments: list[str], short: str) -> None:
    assert ports.short_command(arguments) == short
