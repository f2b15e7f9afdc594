"""Between a job and the REST catalogue: lets everything through, and commits as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from lakehouse.snapshots import FLINK_CHECKPOINT_ID

_HOP_BY_HOP = {"connection", "content-length", "host", "transfer-encoding", "content-encoding"}
_ANSWER_SECONDS = 60.0


class Commits(Enum):
    """What becomes of a commit that arrives."""

    PASS = auto()
    REFUSE = auto()
    """The connection ends before the catalogue has seen it."""
    LOSE_ANSWER = auto()
    """The catalogue commits, and the connection ends before the job hears of it."""
    LOSE_ANSWER_AND_NAME = auto()
    """The same, with a snapshot that does not say which checkpoint of which job it holds."""


@dataclass(frozen=True)
class Commit:
    """One snapshot that a job asked the catalogue for."""

    checkpoint_id: int
    added_rows: int
    treated: Commits


class CatalogueProxy:
    """Passes on what it gets; `commits` says what becomes of commits with rows."""

    def __init__(self, catalogue: str) -> None:
        self.commits = Commits.PASS
        self.before_commit: Callable[[], None] = lambda: None
        """Called, in a thread of the proxy's, when a commit with rows has arrived."""
        self.seen: list[Commit] = []
        self.let_go = threading.Event()
        """Unset, commits with rows wait for it, and the job with them."""
        self.let_go.set()
        self.waiting = threading.Event()
        """A commit with rows has come and waits for `let_go`."""
        self._client = httpx.Client(base_url=catalogue, timeout=_ANSWER_SECONDS)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                proxy.handle(self)

            do_GET = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815 - http.server's

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[CatalogueProxy]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self.let_go.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()
            self._client.close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Pass one request on, or not."""
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        commit = self._commit_in(request, body)
        if commit is not None:
            self.seen.append(commit)
            self.before_commit()
            if not self.let_go.is_set():
                self.waiting.set()
                self.let_go.wait()
        if commit is not None and commit.treated is Commits.REFUSE:
            request.close_connection = True
            return
        if commit is not None and commit.treated is Commits.LOSE_ANSWER_AND_NAME:
            body = _without_names(body)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        try:
            answer = self._client.request(
                request.command, request.path, content=body, headers=headers
            )
        except httpx.HTTPError:
            request.close_connection = True
            return
        if commit is not None and commit.treated is not Commits.PASS:
            assert answer.is_success, answer.text
            request.close_connection = True
            return
        request.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer.content)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(answer.content)

    def _commit_in(self, request: BaseHTTPRequestHandler, body: bytes) -> Commit | None:
        if request.command != "POST" or b'"add-snapshot"' not in body:
            return None
        summary = _summary(json.loads(body))
        added = int(summary.get("added-records", 0))
        if not added:
            return None
        return Commit(int(summary[FLINK_CHECKPOINT_ID]), added, self.commits)


def _summary(body: dict[str, Any]) -> dict[str, str]:
    [added] = [each for each in body["updates"] if each["action"] == "add-snapshot"]
    summary: dict[str, str] = added["snapshot"]["summary"]
    return summary


def _without_names(body: bytes) -> bytes:
    commit = json.loads(body)
    summary = _summary(commit)
    for name in [each for each in summary if each.startswith("flink.")]:
        del summary[name]
    return json.dumps(commit).encode()
