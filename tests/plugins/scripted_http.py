"""A real HTTP server whose answers are scripted, for code that makes its own client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]


class ScriptedServer:
    """Answers each path, or `METHOD path`, with its script's next entry; the last one stays.

    `asked` has every request as `METHOD path`, `headers` those of each, `sent` the JSON of each
    that had some.
    """

    def __init__(self, answers: dict[str, list[Answer]]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.headers: list[Message] = []
        self.sent: list[Any] = []
        self.url = ""

    def answer(self, method: str, path: str) -> Answer:
        self.asked.append(f"{method} {path}")
        plain = path.partition("?")[0]
        script = self.answers.get(f"{method} {plain}") or self.answers.get(
            plain, [(404, {"errors": [f"{path} not found"]})]
        )
        return script.pop(0) if len(script) > 1 else script[0]


@contextmanager
def serving(answers: dict[str, list[Answer]]) -> Iterator[ScriptedServer]:
    scripted = ScriptedServer(answers)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            scripted.headers.append(self.headers)
            length = int(self.headers.get("content-length") or 0)
            content = self.rfile.read(length)
            if self.headers.get("content-type") == "application/json":
                scripted.sent.append(json.loads(content))
            status, body = scripted.answer(self.command, self.path)
            content = b"" if status == 204 else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    scripted.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
