"""The process that exports is a real one here: it ends with whoever wanted the export."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import cli_command

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 300


def wait_for(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def exporters(cache: Path) -> list[int]:
    """The processes that export into this cache."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "vision.yolo.exporting" in arguments and any(str(cache) in each for each in arguments):
            found.append(int(folder.name))
    return found


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "cache"
    yield folder
    for exporter in exporters(folder):
        os.kill(exporter, signal.SIGKILL)


@pytest.fixture
def exporting(
    cache: Path, tmp_path: Path, sample_video: Path, yolo_weights: Path
) -> Iterator[subprocess.Popen[str]]:
    """A run whose weights are being exported."""
    process = subprocess.Popen(
        cli_command(
            *("--input", sample_video, "--output", tmp_path / "v.jsonl"),
            *("--weights", yolo_weights, "--backend", "onnx", "--image-size", "64"),
        ),
        cwd=tmp_path,
        env=os.environ | {"RVA_CACHE_DIR": str(cache), "YOLO_CONFIG_DIR": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: bool(exporters(cache)) or process.poll() is not None)
    yield process
    process.kill()
    process.communicate()


def test_exporter_ends_with_a_run_that_is_killed(
    exporting: subprocess.Popen[str], cache: Path
) -> None:
    assert exporters(cache)
    exporting.kill()
    exporting.wait()
    wait_for(lambda: not exporters(cache))
    # it has not come to its end
    assert not list(cache.rglob("export.json"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_signal_stops_the_export(
    exporting: subprocess.Popen[str], cache: Path, tmp_path: Path, number: int, code: int
) -> None:
    assert exporters(cache)
    exporting.send_signal(number)
    _, err = exporting.communicate(timeout=PATIENCE_SECONDS)
    assert exporting.returncode == code, err
    assert not exporters(cache)
    (lock,) = (cache / "exports").iterdir()
    assert lock.suffix == ".lock"
    assert "Traceback" not in err
    assert "stopped during the export of the weights: nothing was written" in err
    assert not list(tmp_path.glob("v.*"))
