"""Models exported from YOLO weights: made once for each weights and input size, then kept.

`<cache>/exports/<weights>-<content>-<height>x<width>-<versions>/` holds `model.onnx` and what is
to be known of it; OpenVINO and ONNX Runtime both read that. Whoever finds it there imports neither
torch nor ultralytics.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import vision
from vision.environment import cache_directory
from vision.errors import StoppedEarlyError, WeightsError
from vision.weights import check_weights

MODEL = "model.onnx"
FACTS = "export.json"
FAILURE = "failure.json"

_LAYOUT = 2
"""Counts the ways in which this module has written exports: others are not read."""

_MADE_BY = ("ultralytics", "torch", "onnx")
_SECONDS_BETWEEN_WORDS = 5.0
_POLL_SECONDS = 0.2
"""How often a wait looks whether it is to stop."""


class ExportError(WeightsError):
    """The weights cannot be exported, or not used so; PyTorch itself may still run them."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """Ultralytics' usual detection head: at each level one branch for classes, one for boxes."""

    name: str
    """What the names of its nodes in the graph begin with: `/model.23`."""

    strides_px: tuple[int, ...]
    """How far apart, in pixels of the input, the places of each level are."""

    bins: int
    """In so many numbers each side's distance is told; 1: as the distance itself."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """A model that can be run without PyTorch."""

    model: Path
    """ONNX; input `images` (1, 3, height, width) float32, red, green, blue, 0 to 1."""

    names: dict[int, str]
    """The classes that it knows."""

    head: Head | None
    """None: something else than the usual head, of which only the output is known."""


def find_export(
    weights: Path,
    input_size: tuple[int, int],
    used_by: str,
    should_stop: Callable[[], bool] = lambda: False,
) -> Export:
    """The export of the weights for (height, width), made now if there is none or it is damaged.

    Two processes that need the same one make it once: the second waits. Says on stderr what takes
    the time, and for whom (`used_by`). `should_stop` is asked meanwhile. Raises `WeightsError`,
    `ExportError` where only the export fails, and `StoppedEarlyError`.
    """
    check_weights(weights)
    folder = _folder(weights, input_size)
    if (found := _read(folder)) is not None:
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(folder.name + ".lock"), folder.name, should_stop):
            # another process may have made it while this one waited
            return _read(folder) or _make(weights, input_size, folder, used_by, should_stop)
    except OSError as error:
        raise ExportError(
            f"cannot export {weights.name} to {folder.parent}: {error.strerror or error}; "
            "make room there, set RVA_CACHE_DIR to another folder, or use --backend torch"
        ) from None


def _folder(weights: Path, input_size: tuple[int, int]) -> Path:
    """Where the export is kept: another content, size or version is another folder."""
    with weights.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    versions = "-".join(f"{name}{_version(name)}" for name in _MADE_BY)
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", weights.stem)[:40]
    height, width = input_size
    return cache_directory() / "exports" / f"{stem}-{content}-{height}x{width}-{versions}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "-none"


def _read(folder: Path) -> Export | None:
    """The export in the folder; None where there is none that is whole."""
    model = folder / MODEL
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        with model.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        if facts["layout"] != _LAYOUT or facts["sha256"] != content:
            return None
        names = {int(number): str(name) for number, name in facts["names"].items()}
        head = facts["head"]
        return Export(model=model, names=names, head=None if head is None else _head(head))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _head(facts: dict[str, Any]) -> Head:
    strides = tuple(int(stride) for stride in facts["strides_px"])
    return Head(name=str(facts["name"]), strides_px=strides, bins=int(facts["bins"]))


def write_facts(folder: Path, names: dict[int, str], head: Head | None) -> None:
    """Write down, beside the model, what `find_export` tells of it."""
    with (folder / MODEL).open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    facts = {
        "layout": _LAYOUT,
        "sha256": content,
        "names": names,
        "head": None if head is None else asdict(head),
    }
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


@contextlib.contextmanager
def _locked(path: Path, what: str, should_stop: Callable[[], bool]) -> Iterator[None]:
    """Nobody else in here meanwhile; the lock goes when its process does."""
    with path.open("w") as file:
        is_told = False
        while not _is_locked(file):
            if not is_told:
                _tell(f"waiting for another run that exports {what}")
                is_told = True
            _check_stop(should_stop)
            time.sleep(_POLL_SECONDS)
        yield


def _is_locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_stop(should_stop: Callable[[], bool]) -> None:
    if should_stop():
        raise StoppedEarlyError("stopped during the export of the weights: nothing was written")


def _make(
    weights: Path,
    input_size: tuple[int, int],
    folder: Path,
    used_by: str,
    should_stop: Callable[[], bool],
) -> Export:
    partial = folder.with_name(folder.name + ".partial")
    # what a killed run left behind: whoever holds the lock is alone
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        height, width = input_size
        _tell(f"exporting {weights.stem} for {height}x{width} ({used_by}), once: some ten seconds")
        began = time.monotonic()
        said = _run(weights, input_size, partial, should_stop)
        if _read(partial) is None:
            raise _failure(weights, partial, said)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
        _tell(f"exporting {weights.stem} took {time.monotonic() - began:.1f} s")
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    found = _read(folder)
    if found is None:
        raise ExportError(f"{folder} was written and cannot be read; use --backend torch")
    return found


def _run(
    weights: Path, input_size: tuple[int, int], folder: Path, should_stop: Callable[[], bool]
) -> str:
    """Export in a process of its own, which takes PyTorch's memory with it; what it printed."""
    command = [sys.executable, "-m", "vision.yolo.exporting", str(weights.absolute()), str(folder)]
    packages = str(Path(vision.__file__).parents[1])
    paths = [packages, *filter(None, [os.environ.get("PYTHONPATH")])]
    reading, writing = os.pipe()
    with (
        os.fdopen(reading, "rb") as stdin,
        # open for as long as this process lives: the other ends with it, however that comes
        os.fdopen(writing, "wb"),
        subprocess.Popen(
            [*command, *map(str, input_size)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            # Ctrl-C is for this process to take
            start_new_session=True,
        ) as process,
    ):
        try:
            return _wait_for(process, should_stop)
        except BaseException:
            process.kill()
            raise


def _wait_for(process: subprocess.Popen[str], should_stop: Callable[[], bool]) -> str:
    """What it printed until it ended. Raises `StoppedEarlyError`."""
    began = time.monotonic()
    next_word_at = began + _SECONDS_BETWEEN_WORDS
    while True:
        _check_stop(should_stop)
        try:
            return process.communicate(timeout=_POLL_SECONDS)[0]
        except subprocess.TimeoutExpired:
            if time.monotonic() >= next_word_at:
                next_word_at += _SECONDS_BETWEEN_WORDS
                _tell(f"still exporting, {time.monotonic() - began:.0f} s")


def _failure(weights: Path, folder: Path, said: str) -> WeightsError:
    """What the exporting process wrote down; its last word where it came to no end."""
    try:
        failure = json.loads((folder / FAILURE).read_text(encoding="utf-8"))
        if failure["of"] == "weights":
            return WeightsError(failure["text"])
        reason = failure["text"]
    except (OSError, ValueError, LookupError):
        reason = next(reversed(said.split("\n")[:-1] or [said]), "").strip() or "it ended early"
    return ExportError(
        f"{weights} cannot be exported ({' '.join(reason.split())[:200]}); use --backend torch"
    )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
