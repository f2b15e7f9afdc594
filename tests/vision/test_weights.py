import socket
import threading
import time
from pathlib import Path

import pytest

from vision import weights
from vision.errors import WeightsError
from vision.weights import WeightsUnavailableError, find_weights


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RVA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("RVA_WEIGHTS", raising=False)
    return tmp_path / "cache" / "weights"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.pt"
    path.touch()
    return path


def test_named_file_comes_before_the_variable(
    own: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pt"
    other.touch()
    monkeypatch.setenv("RVA_WEIGHTS", str(other))
    assert find_weights(str(own)) == own
    assert find_weights(None) == other


def test_cache_is_used_where_nothing_is_named(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "yolo11n.pt").touch()
    assert find_weights(None) == cache / "yolo11n.pt"
    assert find_weights("yolo11n.pt") == cache / "yolo11n.pt"


@pytest.mark.parametrize("name", ["missing.pt", "folder/yolo11n.pt", "/nowhere/yolo11n.pt"])
def test_named_file_that_is_missing_is_an_error_and_no_fallback(cache: Path, name: str) -> None:
    with pytest.raises(WeightsError, match="no such weights file") as error:
        find_weights(name)
    assert not isinstance(error.value, WeightsUnavailableError)


def test_variable_that_names_a_missing_file_is_told_by_its_name(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVA_WEIGHTS", "/nowhere/own.pt")
    with pytest.raises(WeightsError, match="RVA_WEIGHTS"):
        find_weights(None)


def test_folder_is_no_weights_file(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is no file"):
        find_weights(str(tmp_path))


def test_user_who_is_offline_on_purpose_is_not_made_to_wait(cache: Path) -> None:
    with pytest.raises(WeightsUnavailableError, match="YOLO_OFFLINE"):
        find_weights(None)


def test_server_that_never_answers_is_given_up_in_time(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "OFFLINE_BY_USER", False)
    monkeypatch.setattr(weights, "ANSWER_TIMEOUT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(weights, "_DOWNLOADS", f"http://127.0.0.1:{port}/")
        began = time.monotonic()
        with pytest.raises(WeightsUnavailableError, match="cannot be reached"):
            find_weights(None)
        # a machine that stands still for a while makes it no longer than this
        assert time.monotonic() - began < 60


def test_name_server_that_never_answers_is_given_up_in_time(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "OFFLINE_BY_USER", False)
    monkeypatch.setattr(weights, "ANSWER_TIMEOUT_SECONDS", 0.3)
    given_up, has_waited = threading.Event(), threading.Event()

    def look_up(*_: object, **__: object) -> None:
        # which knows no timeout
        given_up.wait(60)
        has_waited.set()

    monkeypatch.setattr("requests.head", look_up)
    with pytest.raises(WeightsUnavailableError, match="cannot be reached"):
        find_weights(None)
    assert not has_waited.is_set()
    given_up.set()


def test_download_that_fails_leaves_no_file_behind(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("cut\noff")

    monkeypatch.setattr(weights, "OFFLINE_BY_USER", False)
    monkeypatch.setattr(weights, "_network_answers", lambda: True)
    monkeypatch.setattr("ultralytics.utils.downloads.attempt_download_asset", fail)
    with pytest.raises(WeightsUnavailableError, match=r"fetching yolo11n\.pt failed: cut off"):
        find_weights(None)
    assert list(cache.iterdir()) == []


def test_download_goes_into_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "OFFLINE_BY_USER", False)
    monkeypatch.setattr(weights, "_network_answers", lambda: True)
    monkeypatch.setattr(
        "ultralytics.utils.downloads.attempt_download_asset",
        lambda target, **_: target.write_bytes(b"weights"),
    )
    assert find_weights("yolo11s.pt") == cache / "yolo11s.pt"
    assert (cache / "yolo11s.pt").read_bytes() == b"weights"
