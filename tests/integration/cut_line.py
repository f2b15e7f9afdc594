"""A line to a server that can be cut and mended: the server is gone for who is behind it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_BYTES = 1 << 16


class Line:
    """Passes on what comes at `url`; while it is cut, nothing answers there.

    :param target: the server's address, `http://host:port`
    """

    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        assert address.hostname
        assert address.port
        self._target = (address.hostname, address.port)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self.taken = 0
        """Connections so far."""
        self._listening: socket.socket | None = None
        self._listen(0)

    def _listen(self, port: int) -> None:
        listening = socket.create_server(("127.0.0.1", port))
        self._port = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """End every connection, those with a query under way too, and take no more."""
        assert self._listening
        # a thread in accept() keeps the port open until it is woken
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            self._is_cut = True
            ends, self._open = self._open, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Take connections again, at the same address."""
        self._is_cut = False
        self._listen(self._port)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
                far = socket.create_connection(self._target)
            except OSError:
                return
            with self._lock:
                if self._is_cut:
                    near.close()
                    far.close()
                    return
                self._open |= {near, far}
                self.taken += 1
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(_BYTES):
                sink.sendall(content)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()
        with self._lock:
            self._open.discard(source)


@contextmanager
def line_to(target: str) -> Iterator[Line]:
    """A line until the block ends."""
    line = Line(target)
    try:
        yield line
    finally:
        with suppress(OSError):
            line.cut()
