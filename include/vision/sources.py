"""Where frames come from: a file, a folder, a camera of this machine or one on the network."""

import glob
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from vision.addresses import without_secrets
from vision.errors import SourceError
from vision.folder import check_folder
from vision.paths import user_path

STREAM_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""The addresses that a camera on the network can have, and the port each means."""

CONNECT_TIMEOUT_SECONDS = 5.0

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


@dataclass(frozen=True)
class FileSource:
    """A video file: every frame is read, timed by its place in the file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class FolderSource:
    """A folder of videos, or of pictures, read one after another as one video."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class CameraSource:
    """A camera of this machine, counted from 0."""

    index: int

    def __str__(self) -> str:
        return f"camera {self.index}"


@dataclass(frozen=True)
class StreamSource:
    """A camera on the network. Its text, and its repr, leave the password out."""

    address: str

    def __str__(self) -> str:
        return without_secrets(self.address)

    def __repr__(self) -> str:
        return f"StreamSource({str(self)!r})"


RecordedSource = FileSource | FolderSource
LiveSource = CameraSource | StreamSource
Source = RecordedSource | LiveSource


def parse_source(text: str) -> Source:
    """`0` is a camera, `rtsp://…` a stream, all else a folder or a file (`./0`, if it is named 0).

    Raises `SourceError` for an address that is no camera's.
    """
    if text.isascii() and text.isdecimal():
        return CameraSource(int(text))
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _recorded(user_path(text, SourceError, "--input"))
    name = scheme[1].lower()
    if name == "file":
        return _recorded(Path(urlsplit(text).path))
    if name not in STREAM_PORTS:
        known = ", ".join(f"{known}://" for known in STREAM_PORTS)
        raise SourceError(f"{name}:// is no address of a camera that can be read: use {known}")
    return StreamSource(text)


def check_reachable(source: Source, *, wait_for_source: bool = False) -> None:
    """Say early, before a detector is loaded, what plainly cannot be read. Raises `SourceError`.

    Of a live source that may be away for now, only what can never be right is told.
    """
    if isinstance(source, FileSource):
        _check_file(source.path)
    elif isinstance(source, FolderSource):
        check_folder(source.path)
    elif isinstance(source, StreamSource):
        host, port = _host_and_port(source)
        if not wait_for_source:
            _check_stream(source, host, port)
    elif not wait_for_source:
        _check_camera(source.index)


def _recorded(path: Path) -> RecordedSource:
    try:
        return FolderSource(path) if path.is_dir() else FileSource(path)
    except (OSError, ValueError):
        return FileSource(path)


def _check_file(path: Path) -> None:
    try:
        if not path.exists():
            raise SourceError(f"no such file: {path}; check the path")
        if not path.is_file():
            raise SourceError(
                f"{path} is no regular file: give a video file, a folder, a camera or an address"
            )
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError(f"{path} is empty (0 bytes): was the recording cut off?")
    except OSError as error:
        raise SourceError(
            f"cannot read {path}: {error.strerror}; may you read it, and is its disk there?"
        ) from None
    except ValueError as error:
        raise SourceError(f"--input {str(path)!r} is no path: {error}") from None


def _check_camera(index: int) -> None:
    # elsewhere only opening it tells
    if sys.platform == "linux" and not Path(f"/dev/video{index}").exists():
        raise SourceError(f"no such camera: {index} ({_cameras_in_words()})")


def _cameras_in_words() -> str:
    devices = glob.glob("/dev/video*")  # noqa: PTH207
    indices = sorted(
        int(name) for d in devices if (name := d.removeprefix("/dev/video")).isdecimal()
    )
    if not indices:
        return "this machine has no /dev/video*: is the camera plugged in?"
    return "there are: " + ", ".join(str(index) for index in indices)


def _host_and_port(source: StreamSource) -> tuple[str, int]:
    try:
        parts: SplitResult = urlsplit(source.address)
        host, port = parts.hostname, parts.port or STREAM_PORTS[parts.scheme.lower()]
    except ValueError:
        # the text of the error may quote a part of the password
        raise SourceError(
            f"{source} is no address: write {source.address.partition('://')[0]}://"
            "USER:PASSWORD@HOST:PORT/PATH, with %40 for @, %2F for / and %3A for : in the password"
        ) from None
    if not host:
        raise SourceError(f"{source} names no host: write {parts.scheme}://HOST/PATH")
    return host, port


def _check_stream(source: StreamSource, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_SECONDS).close()
    except (socket.gaierror, UnicodeError):
        raise SourceError(
            f"no address is known for the host {host} of {source}: "
            "is its name spelled right, and is the network up?"
        ) from None
    except ConnectionRefusedError:
        raise SourceError(
            f"cannot reach {host}:{port} for {source}: connection refused, nothing listens there; "
            "is the camera on, and the port right?"
        ) from None
    except OSError as error:
        raise SourceError(
            f"cannot reach {host}:{port} for {source}: {error.strerror or 'no answer'}; "
            "is the camera on, and the address right?"
        ) from None
