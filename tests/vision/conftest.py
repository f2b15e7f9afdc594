"""What the vision tests share: a cache of their own, the sample video, data that may be absent."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# before anything imports vision: no test touches the user's cache or asks the network
_CACHE = tempfile.TemporaryDirectory(prefix="rva-vision-tests-")
os.environ["RVA_CACHE_DIR"] = _CACHE.name
os.environ["YOLO_CONFIG_DIR"] = _CACHE.name
os.environ["MPLCONFIGDIR"] = _CACHE.name
os.environ["YOLO_OFFLINE"] = "true"
os.environ.pop("RVA_WEIGHTS", None)

from vision.sample.compose import SampleSettings, compose_sample  # noqa: E402

CHECKOUT = Path(__file__).parents[2]
SHARED_DATA = CHECKOUT.parent / "shared" / "data"

RunCli = Callable[..., subprocess.CompletedProcess[str]]


def pytest_sessionfinish() -> None:
    _CACHE.cleanup()


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def sample_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample of the demonstration, in the codec that is written fast."""
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    compose_sample(path, SampleSettings(codec="mp4v"))
    return path


@pytest.fixture(scope="session")
def sample_truth(sample_video: Path) -> list[dict]:
    """For each frame of the sample the people in it, as sample.truth.json tells."""
    truth = json.loads(sample_video.with_name("sample.truth.json").read_text())
    return [frame["people"] for frame in truth["frames"]]


@pytest.fixture(scope="session")
def yolo_weights() -> Path:
    return shared("weights/yolo11n.pt")


def shared(name: str) -> Path:
    """A file of ../shared/data; the test is skipped where it is absent."""
    path = SHARED_DATA / name
    if not path.is_file():
        pytest.skip(f"../shared/data/{name} is absent")
    return path


@pytest.fixture
def run_cli(tmp_path: Path) -> RunCli:
    """`python -m vision` in a process of its own, in an empty folder."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            cli_command(*arguments),
            cwd=tmp_path,
            env=os.environ | {"RVA_DATA_DIR": str(tmp_path / "data")} | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def cli_command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "vision", *map(str, arguments)]


def read_lines(path: Path) -> list[dict]:
    """The JSON objects of a JSONL, which must end in a whole line."""
    content = path.read_bytes()
    assert content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]
