"""Finding YOLO's weights: the file that was named, the cache, or Ultralytics' own download."""

import importlib
import os
import threading
import zipfile
from pathlib import Path

from vision.environment import OFFLINE_BY_USER, cache_directory
from vision.errors import WeightsError
from vision.paths import telling, user_path

DEFAULT_WEIGHTS = "yolo11n.pt"

ANSWER_TIMEOUT_SECONDS = 6.0
"""How long to wait for a sign of the network before the download is given up."""

_DOWNLOADS = "https://github.com/ultralytics/assets/releases"


class WeightsUnavailableError(WeightsError):
    """They are not here and cannot be fetched; `auto` then does without."""


def find_weights(named: str | None) -> Path:
    """The weights file of `--weights`, else of `RVA_WEIGHTS`, else yolo11n.pt.

    What is no file but a bare name that Ultralytics publishes (`yolo11s.pt`) is fetched into the
    cache. Raises `WeightsError` for a file that was named and is not there, and
    `WeightsUnavailableError` for weights that cannot be fetched.
    """
    origin = "--weights" if named else "RVA_WEIGHTS"
    text = named or os.environ.get("RVA_WEIGHTS") or ""
    name = text or DEFAULT_WEIGHTS
    path = user_path(name, WeightsError, origin)
    cached = cache_directory() / "weights" / name
    if text:
        with telling(WeightsError, f"cannot read {text} (from {origin})"):
            if path.is_file():
                return path
            # before the list of published names, which takes Ultralytics' import to read
            is_bare_name = path.name == name
            if is_bare_name and not path.exists() and cached.is_file():
                return cached
            if path.exists():
                raise WeightsError(f"{origin} {text} is no file: give a YOLO weights file (.pt)")
        if not (is_bare_name and _is_published(name)):
            raise WeightsError(
                f"no such weights file: {text} (from {origin}); give the path of a .pt file, or a "
                f"name that Ultralytics publishes such as {DEFAULT_WEIGHTS}"
            )
    if not cached.is_file():
        _fetch(cached)
    return cached


def check_weights(weights: Path) -> None:
    """What is plainly no weights file, told before seconds are spent on importing PyTorch."""
    try:
        with weights.open("rb") as file:
            beginning = file.read(4)
        is_whole = not beginning.startswith(b"PK") or zipfile.is_zipfile(weights)
    except OSError as error:
        raise WeightsError(
            f"cannot read {weights}: {error.strerror}; may you read it, and is its disk there?"
        ) from None
    if not beginning:
        raise WeightsError(f"{weights} is empty (0 bytes): fetch it again")
    # PyTorch writes zip archives, and wrote pickles before 1.6
    if not beginning.startswith((b"PK", b"\x80")):
        raise WeightsError(f"{weights} holds no PyTorch weights: give a YOLO weights file (.pt)")
    if not is_whole:
        raise WeightsError(f"{weights} is cut off or damaged: delete it and fetch it again")


def _is_published(name: str) -> bool:
    return name in importlib.import_module("ultralytics.utils.downloads").GITHUB_ASSETS_NAMES


def _fetch(target: Path) -> None:
    if OFFLINE_BY_USER:
        raise WeightsUnavailableError(
            f"{target.name} is not in {target.parent}, and YOLO_OFFLINE is set"
        )
    if not _network_answers():
        raise WeightsUnavailableError(
            f"{target.name} is not in {target.parent}, and where Ultralytics would fetch it from "
            "cannot be reached"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        downloads = importlib.import_module("ultralytics.utils.downloads")
        downloads.attempt_download_asset(target, retry=1)
    except Exception as error:  # noqa: BLE001  whatever goes wrong in there, the weights are not here
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsUnavailableError(f"fetching {target.name} failed: {reason}") from None
    if not target.is_file():
        raise WeightsUnavailableError(f"fetching {target.name} failed: nothing arrived")


def _network_answers() -> bool:
    """Whether the download's server says anything, through the user's proxies, soon."""
    answered = threading.Event()

    def ask() -> None:
        requests = importlib.import_module("requests")
        try:
            requests.head(_DOWNLOADS, timeout=ANSWER_TIMEOUT_SECONDS)
        except requests.RequestException:
            return
        answered.set()

    # in a thread, for a name server that does not answer knows no timeout
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_TIMEOUT_SECONDS)
    return answered.is_set()
