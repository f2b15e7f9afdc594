import socket
from pathlib import Path

import pytest

from vision.errors import SourceError
from vision.sources import (
    CameraSource,
    FileSource,
    StreamSource,
    check_reachable,
    parse_source,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", CameraSource(0)),
        ("12", CameraSource(12)),
        ("./0", FileSource(Path("0"))),
        ("visit.mp4", FileSource(Path("visit.mp4"))),
        ("/data/shop 1/visit.mp4", FileSource(Path("/data/shop 1/visit.mp4"))),
        ("file:///data/visit.mp4", FileSource(Path("/data/visit.mp4"))),
        ("-1", FileSource(Path("-1"))),
        ("rtsp://10.0.0.7/ch1", StreamSource("rtsp://10.0.0.7/ch1")),
        ("RTSP://10.0.0.7/ch1", StreamSource("RTSP://10.0.0.7/ch1")),
        ("https://cam.example/mjpeg", StreamSource("https://cam.example/mjpeg")),
    ],
)
def test_input_is_a_camera_a_stream_or_else_a_file(text: str, expected: object) -> None:
    assert parse_source(text) == expected


def test_address_of_no_camera_is_refused_with_those_that_are() -> None:
    with pytest.raises(SourceError, match=r"ftp://.*rtsp://"):
        parse_source("ftp://host/video.mp4")


def test_password_is_never_printed() -> None:
    source = parse_source("rtsp://admin:s3cret@10.0.0.7:554/ch1")
    assert str(source) == "rtsp://admin:***@10.0.0.7:554/ch1"


def test_stream_that_nobody_serves_is_told_with_host_and_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match=rf"cannot reach 127\.0\.0\.1:{port} .*refused") as error:
        check_reachable(parse_source(f"rtsp://admin:s3cret@127.0.0.1:{port}/ch1"))
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("address", ["rtsp:///ch1", "rtsp://host:port/ch1", "rtsp://host:99999/"])
def test_address_without_a_usable_host_or_port_is_refused(address: str) -> None:
    with pytest.raises(SourceError):
        check_reachable(parse_source(address))
