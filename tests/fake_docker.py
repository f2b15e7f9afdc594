"""A Docker engine of the tests' own: its HTTP API, scripted, for Docker's real client."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseServer, ThreadingTCPServer, ThreadingUnixStreamServer
from typing import Any

Ended = tuple[list[str], int]
"""The lines that a container has printed, and its exit code."""


@dataclass
class Container:
    """What was asked for, and what has become of it."""

    name: str
    spec: dict[str, Any]
    is_running: bool = False
    is_stopped: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    started: threading.Event = field(default_factory=threading.Event)
    code: int = 0

    @property
    def command(self) -> list[str]:
        return list(self.spec["Cmd"])

    @property
    def environment(self) -> dict[str, str]:
        return dict(each.split("=", 1) for each in self.spec["Env"])

    @property
    def mounts(self) -> dict[str, tuple[str, str, bool]]:
        """Target → type, source, whether it is read only."""
        return {
            each["Target"]: (each["Type"], each["Source"], bool(each.get("ReadOnly")))
            for each in self.spec["HostConfig"]["Mounts"]
        }


@dataclass
class FakeEngine:
    """Runs containers by a function of the test; keeps what it was asked."""

    run: Callable[[Container], Ended]
    images: list[str] = field(default_factory=lambda: ["rva/vision:1"])
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """`METHOD path-pattern` → status and message."""
    containers: dict[str, Container] = field(default_factory=dict)
    made: list[Container] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    removed_by_force: list[bool] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    """The part of the API that the operator uses."""

    protocol_version = "HTTP/1.1"
    engine: FakeEngine

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, status: int, body: Any = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        if body == "OK":  # the one answer that is no JSON
            content = b"OK"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Api-Version", "1.45")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _handle(self) -> None:
        engine = self.engine
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode()
        split = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v[\d.]+", "", split.path)
        asked = f"{self.command} {path}"
        engine.asked.append(asked)
        engine.bodies.append(body)
        for pattern, (status, message) in engine.refusals.items():
            if re.fullmatch(pattern, asked):
                self._answer(status, {"message": message})
                return
        query = urllib.parse.parse_qs(split.query)
        if path == "/version":
            self._answer(200, {"ApiVersion": "1.45", "Version": "27.0.0"})
        elif path == "/_ping":
            self._answer(200, "OK")
        elif path == "/images/json":
            self._answer(200, [{"RepoTags": [each]} for each in engine.images])
        elif path == "/containers/create":
            made = Container(query.get("name", ["?"])[0], json.loads(body))
            engine.containers["c1"] = made
            engine.made.append(made)
            self._answer(201, {"Id": "c1", "Warnings": []})
        else:
            self._of_container(path, query)

    def _of_container(self, path: str, query: dict[str, list[str]]) -> None:
        _, _, name, *action = path.split("/")
        engine = self.engine
        known = {**engine.containers, **{each.name: each for each in engine.containers.values()}}
        container = known.get(name)
        if container is None:
            self._answer(404, {"message": f"No such container: {name}"})
        elif self.command == "DELETE":
            container.is_stopped.set()
            engine.removed_by_force.append(query.get("force") == ["True"])
            engine.containers = {
                key: each for key, each in engine.containers.items() if each is not container
            }
            self._answer(204)
        elif action == ["json"]:
            self._answer(200, {"Id": "c1", "Config": {"Tty": False}})
        elif action == ["attach"]:
            self._attach(container)
        elif action == ["start"]:
            container.is_running = True
            container.started.set()
            self._answer(204)
        elif action == ["wait"]:
            container.ended.wait(20)
            self._answer(200, {"StatusCode": container.code})
        elif action == ["stop"]:
            container.is_stopped.set()
            self._answer(204)
        else:
            self._answer(404, {"message": path})

    def _attach(self, container: Container) -> None:
        """Give the container's output, in frames, on the connection itself."""
        self.send_response(101, "UPGRADED")
        self.send_header("Content-Type", "application/vnd.docker.multiplexed-stream")
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "tcp")
        self.end_headers()
        self.wfile.flush()
        container.started.wait(20)
        lines, container.code = self.engine.run(container)
        for line in lines:
            content = f"{line}\n".encode()
            self.wfile.write(struct.pack(">BxxxL", 2, len(content)) + content)
        self.wfile.flush()
        container.is_running = False
        container.ended.set()
        self.close_connection = True

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - names of the base class


@contextmanager
def engine(
    run: Callable[[Container], Ended], *, at: Path | None = None, **told: Any
) -> Iterator[FakeEngine]:
    """Serve an engine: on a unix socket in a folder, or else on a port of this machine."""
    fake = FakeEngine(run, **told)
    handler = type("EngineHandler", (Handler,), {"engine": fake})
    server: BaseServer
    if at is None:
        server = ThreadingTCPServer(("127.0.0.1", 0), handler)
        fake.url = f"tcp://127.0.0.1:{server.socket.getsockname()[1]}"
    else:
        server = ThreadingUnixStreamServer(str(at / "docker.sock"), handler)
        fake.url = f"unix://{at / 'docker.sock'}"
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
