"""A network and mounts of our own: nothing that is killed, cut off or filled up is anybody else's.

The command runs again as the first process of new namespaces. There the stack's ports are free, a
packet filter concerns nobody else, and MinIO's folder can be a small disk. Without root a user
namespace gives the right to all this.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MARK = "RVA_FAULTS_ISOLATED"
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_TABLE = "rva_faults"


class CannotIsolate(Exception):
    """This machine does not let us make what the faults need; says what to do."""


def is_isolated() -> bool:
    """Whether this process runs in namespaces of its own."""
    return MARK in os.environ


def check() -> None:
    """See whether namespaces and a packet filter can be had.

    :raises CannotIsolate: they cannot
    """
    for program, package in (("unshare", "util-linux"), ("mount", "mount"), ("nft", "nftables")):
        if _find(program) is None:
            raise CannotIsolate(f"`{program}` is missing: on Debian, apt-get install {package}")
    tried = subprocess.run(
        [*_unshare(), _required("nft"), "list", "ruleset"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        cause = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotIsolate(
            f"no namespaces of our own ({cause}): run it as root, or allow them "
            "(sysctl kernel.unprivileged_userns_clone=1 or "
            "kernel.apparmor_restrict_unprivileged_userns=0)"
        )


def enter(command: Sequence[str]) -> None:
    """Run a command in place of this process, in new namespaces. Does not return."""
    names = {"USER": "root", "LOGNAME": "root"} if os.geteuid() != 0 else {}
    arguments = [*_unshare(), *command]
    os.execvpe(arguments[0], arguments, {**os.environ, **names, MARK: "1"})  # noqa: S606


def bring_up_loopback() -> None:
    """A new network begins with its loopback down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def mount_small_disk(folder: Path, mib: int) -> None:
    """Put an empty disk of that size, held in memory, at a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "tmpfs", str(folder))


def cut_off(ports: Sequence[int]) -> None:
    """Drop every packet to and from these TCP ports, of open connections too."""
    listed = "{ " + ", ".join(map(str, ports)) + " }"
    rules = f"""
    table inet {_TABLE} {{
      chain input {{
        type filter hook input priority 0;
        tcp dport {listed} drop
        tcp sport {listed} drop
      }}
    }}
    """
    _run("nft", "-f", "-", given=rules)


def reconnect() -> None:
    """Let all packets pass again."""
    _run("nft", "delete", "table", "inet", _TABLE)


def _unshare() -> list[str]:
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return [_required("unshare"), *rights, "--net", "--mount"]


def _find(program: str) -> str | None:
    # sbin is on the path of root only
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def _required(program: str) -> str:
    found = _find(program)
    if found is None:
        raise CannotIsolate(f"`{program}` is missing")
    return found


def _run(program: str, *arguments: str, given: str | None = None) -> None:
    done = subprocess.run(
        [_required(program), *arguments], input=given, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CannotIsolate(f"`{program} {' '.join(arguments)}` failed: {done.stderr.strip()}")


def again() -> list[str]:
    """The command line of this very process."""
    return [sys.executable, "-m", "faults", *sys.argv[1:]]
