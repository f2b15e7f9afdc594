"""Namespaces of our own: a cut lets nothing through, a disk fills, nobody else is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from faults import isolation
from local_stack.settings import CHECKOUT

CUT = """
import socket
from faults import isolation
isolation.bring_up_loopback()
server = socket.create_server(("127.0.0.1", 9000))
other = socket.create_server(("127.0.0.1", 9001))
client = socket.create_connection(("127.0.0.1", 9000), timeout=60)
accepted, _ = server.accept()

def arrives(within):
    accepted.settimeout(within)
    try:
        return accepted.recv(1)
    except TimeoutError:
        return b""

client.send(b"a")
print("before", arrives(60))
isolation.cut_off([9000])
client.send(b"b")
print("cut", arrives(0.5))
try:
    socket.create_connection(("127.0.0.1", 9000), timeout=0.5)
except TimeoutError:
    print("nobody answers")
socket.create_connection(("127.0.0.1", 9001), timeout=60)
isolation.reconnect()
print("after", arrives(60))
"""
ROOTS = ":".join(str(CHECKOUT / each) for each in ("tests", "include", "plugins"))
DISK = """
import sys
from pathlib import Path
from faults import isolation
folder = Path(sys.argv[1])
isolation.mount_small_disk(folder, 1)
try:
    (folder / "file").write_bytes(bytes(2 << 20))
except OSError as error:
    print(error.strerror)
"""
FILL = """
import os, sys, threading, time
from pathlib import Path
from types import SimpleNamespace
from faults import isolation, outage
now = 0.0
# its three seconds are over when we say so
outage.time = SimpleNamespace(monotonic=lambda: now, sleep=time.sleep)
stack_dir = Path(sys.argv[1])
disk = stack_dir / "minio"
isolation.mount_small_disk(disk, 3)
(disk / "old").write_bytes(bytes(1 << 20))
def await_full():
    while os.statvfs(disk).f_bavail:
        time.sleep(0.01)
stage = SimpleNamespace(settings=SimpleNamespace(stack_dir=stack_dir))
filling = threading.Thread(target=outage._fill_disk, args=(stage, 3.0))
filling.start()
await_full()
(disk / "old").unlink()
await_full()
print("full again", filling.is_alive())
now = 3.0
filling.join()
print("room", os.statvfs(disk).f_bavail * 4096 >> 20, list(disk.iterdir()))
"""


def isolated(program: str, *arguments: str) -> list[str]:
    """Run a program in namespaces of its own; returns the lines that it printed."""
    try:
        isolation.check()
    except isolation.CannotIsolate as error:
        pytest.skip(str(error))
    command = [sys.executable, "-c", program, *arguments]
    launch = f"from faults import isolation; isolation.enter({command!r})"
    done = subprocess.run(
        [sys.executable, "-c", launch],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ROOTS},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return done.stdout.splitlines()


def test_cut_lets_no_packet_through_and_keeps_the_connection() -> None:
    assert isolated(CUT) == ["before b'a'", "cut b''", "nobody answers", "after b'b'"]


def test_small_disk_is_full_and_nobody_else_sees_it(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    assert isolated(DISK, str(folder)) == ["No space left on device"]
    assert list(folder.iterdir()) == []


def test_filled_disk_stays_full_whatever_is_deleted_and_is_left_as_it_was(tmp_path: Path) -> None:
    assert isolated(FILL, str(tmp_path)) == ["full again True", "room 3 []"]


def test_missing_program_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_find", lambda program: None if program == "nft" else program)
    with pytest.raises(isolation.CannotIsolate, match=r"`nft` is missing: .* install nftables"):
        isolation.check()
