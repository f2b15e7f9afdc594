"""A camera on the network that needs no server of its own: pictures over HTTP, at some pace."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2


@contextmanager
def mjpeg_camera(
    pictures: Sequence[bytes] | Callable[[], Iterable[bytes]], gap_seconds: float
) -> Iterator[str]:
    """Its address without a path: `/mjpeg` plays the pictures once, each after `gap_seconds`.

    A function is asked for them at each connection.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if self.path == "/mjpeg":
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            shown = pictures() if callable(pictures) else pictures
            for picture in shown if self.path == "/mjpeg" else []:
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
                try:
                    self.wfile.write(head.encode() + b"\r\n\r\n" + picture + b"\r\n")
                except OSError:
                    return
                time.sleep(gap_seconds)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://user:s3cret@127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def pictures_of(video: Path, count: int, first: int = 0) -> list[bytes]:
    """Some frames of a video as JPEGs."""
    capture = cv2.VideoCapture(str(video))
    for _ in range(first):
        capture.grab()
    return [cv2.imencode(".jpg", capture.read()[1])[1].tobytes() for _ in range(count)]
