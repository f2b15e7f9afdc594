import pytest

from vision.addresses import has_user, scrub, without_secrets
from vision.sources import StreamSource


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://10.0.0.7/ch1", "rtsp://10.0.0.7/ch1"),
        ("rtsp://10.0.0.7:8554/a@b", "rtsp://10.0.0.7:8554/a@b"),
        ("rtsp://admin@10.0.0.7/ch1", "rtsp://admin@10.0.0.7/ch1"),
        ("rtsp://admin:s3cret@10.0.0.7:554/ch1", "rtsp://admin:***@10.0.0.7:554/ch1"),
        ("RTSP://admin:s3cret@10.0.0.7/ch1", "RTSP://admin:***@10.0.0.7/ch1"),
        ("rtsp://admin:s3%2Fcr%40t@10.0.0.7/ch1", "rtsp://admin:***@10.0.0.7/ch1"),
        ("rtsp://admin:s3:cr@t@10.0.0.7/ch1", "rtsp://admin:***@10.0.0.7/ch1"),
        ("rtsp://admin:s3/cr@t@10.0.0.7/ch1", "rtsp://admin:***@10.0.0.7/ch1"),
        ("rtsp://admin:s3#cr?t@10.0.0.7/ch1", "rtsp://admin:***@10.0.0.7/ch1"),
        ("rtsp://admin:@10.0.0.7/ch1", "rtsp://admin:***@10.0.0.7/ch1"),
        ("rtsp://admin:s3cret@[fe80::1]:554/ch1", "rtsp://admin:***@[fe80::1]:554/ch1"),
        ("rtsp://[fe80::1]:554/ch1", "rtsp://[fe80::1]:554/ch1"),
        (
            "http://10.0.0.7/video.cgi?loginuse=admin&loginpas=s3cret&rate=5",
            "http://10.0.0.7/video.cgi?loginuse=admin&loginpas=***&rate=5",
        ),
        ("http://10.0.0.7/v?Token=s3cret", "http://10.0.0.7/v?Token=***"),
        ("http://a:s3cret@10.0.0.7/v?pwd=s3cret", "http://a:***@10.0.0.7/v?pwd=***"),
    ],
)
def test_what_is_secret_in_an_address_is_left_out(address: str, shown: str) -> None:
    assert without_secrets(address) == shown
    assert str(StreamSource(address)) == shown
    assert "s3" not in repr(StreamSource(address))


def test_password_is_taken_out_of_what_a_library_says_however_it_is_written_there() -> None:
    address = "rtsp://admin:s3%2Fcr%40t@10.0.0.7/ch1"
    said = "cannot open rtsp://admin:s3%2Fcr%40t@10.0.0.7/ch1 with s3/cr@t"
    assert scrub(said, address) == "cannot open rtsp://admin:***@10.0.0.7/ch1 with ***"
    assert scrub("no password here", "rtsp://10.0.0.7/") == "no password here"


@pytest.mark.parametrize(
    ("address", "has"),
    [("rtsp://10.0.0.7/a@b", False), ("rtsp://a@10.0.0.7/", True), ("rtsp://a:b@c/", True)],
)
def test_user_is_told_from_a_path(address: str, has: bool) -> None:
    assert has_user(address) is has
