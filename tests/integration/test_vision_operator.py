"""`VisionOperator` with the real vision: the same command in its environment and for a container.

There is no Docker engine where these tests run: an engine of theirs, asked by Docker's own client,
runs the container's command by vision's interpreter, with the container's variables only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_docker import Container, FakeEngine, engine

from integration.conftest import stack_variables

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
CHANGES = {"seconds", "peak_memory_mib", "output"}
"""What differs between two runs of the same."""
PATIENCE_SECONDS = 240


@pytest.fixture(autouse=True)
def _own_airflow(tmp_path_factory: pytest.TempPathFactory) -> None:
    if "AIRFLOW_HOME" not in os.environ:
        os.environ["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module")
def vision_python() -> str:
    return stack_variables()["RVA_VISION_PYTHON"]


@pytest.fixture(scope="module")
def sample(vision_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "a sample; with 'quotes'.mp4"
    subprocess.run(
        [vision_python, "-m", "vision", "sample", "--output", str(path), "--codec", "mp4v"],
        check=True,
        capture_output=True,
        env=VISION_ENV,
    )
    return path


VISION_ENV = {**os.environ, "PYTHONPATH": str(ROOT / "include")}


def inputs(sample: Path, output: Path, **changed: Any) -> dict[str, Any]:
    return {
        "input": str(sample),
        "output": str(output),
        "store_id": "store_01",
        "camera_id": "cam_01",
        "stream_id": "stream_001",
        "start_time": "2026-11-24T10:15:00.000+00:00",
        "weights": None,
        "detector": "hog",
        "max_frames": 20,
        "accept_damage": False,
        **changed,
    }


def context() -> Any:
    task = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, bundle_instance=None)
    return {"ti": task, "run_id": "r"}


class Runs:
    """Runs containers by vision's interpreter."""

    def __init__(self, python: str) -> None:
        self.python = python

    def __call__(self, container: Container) -> tuple[list[str], int]:
        assert container.command[:3] == ["python", "-m", "vision"]
        process = subprocess.Popen(
            [self.python, *container.command[1:]],
            env={**container.environment, "PYTHONPATH": str(ROOT / "include"), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

        def stop() -> None:
            container.is_stopped.wait()
            process.send_signal(signal.SIGTERM)

        threading.Thread(target=stop, daemon=True).start()
        printed, _ = process.communicate(timeout=400)
        return printed.splitlines(), process.returncode


@pytest.fixture(scope="module")
def docker(vision_python: str) -> Iterator[FakeEngine]:
    with engine(Runs(vision_python)) as fake:
        yield fake


@pytest.fixture(params=["container", "environment"])
def make(request: pytest.FixtureRequest, vision_python: str) -> Any:
    """Make the operator of one of both ways."""

    def of(told: dict[str, Any]) -> Any:
        from airflow.sdk import DAG

        if request.param == "container":
            from store_pipeline.vision_container import VisionInContainer

            fake: FakeEngine = request.getfixturevalue("docker")
            return VisionInContainer(
                task_id="t", inputs=told, image="rva/vision:1", docker_url=fake.url
            )
        from store_pipeline.vision import VisionInEnvironment

        return VisionInEnvironment(
            task_id="t",
            inputs=told,
            python=vision_python,
            env_vars={"PYTHONPATH": VISION_ENV["PYTHONPATH"]},
            dag=DAG("vision", schedule=None),
        )

    return of


def test_container_and_environment_give_the_same_lines_and_summary(
    sample: Path, tmp_path: Path, docker: FakeEngine, vision_python: str
) -> None:
    from airflow.sdk import DAG

    from store_pipeline.vision import VisionInEnvironment
    from store_pipeline.vision_container import VisionInContainer

    there, here = tmp_path / "there" / "video.jsonl", tmp_path / "here" / "video.jsonl"
    of_container = VisionInContainer(
        task_id="t", inputs=inputs(sample, there), image="rva/vision:1", docker_url=docker.url
    ).execute(context())
    of_environment = VisionInEnvironment(
        task_id="t",
        inputs=inputs(sample, here),
        python=vision_python,
        env_vars={"PYTHONPATH": VISION_ENV["PYTHONPATH"]},
        dag=DAG("vision", schedule=None),
    ).execute(context())
    assert there.read_bytes() == here.read_bytes()
    assert of_container["frames"] == len(there.read_text().splitlines()) == 20
    kept = of_container.keys() - CHANGES
    assert {k: of_container[k] for k in kept} == {k: of_environment[k] for k in kept}
    assert (of_container["output"], of_environment["output"]) == (str(there), str(here))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"input": "/nowhere/video.mp4"}, "no such file: /nowhere/video.mp4"),
        ({"detector": "magic"}, "magic"),
        ({"max_frames": 0}, "--max-frames must be 1 or more"),
        ({"nonsense": "x"}, "--nonsense"),
    ],
)
def test_bad_input_is_vision_s_own_line_and_not_tried_again(
    make: Any, sample: Path, tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    operator = make(inputs(sample, tmp_path / "video.jsonl", **changed))
    with pytest.raises(AirflowFailException, match=told) as caught:
        operator.execute(context())
    assert "\n" not in str(caught.value)


def test_camera_that_is_away_is_tried_again_and_its_password_is_told_nowhere(
    make: Any,
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    monkeypatch.setenv("AIRFLOW_VAR_FRONT_DOOR", "rtsp://admin:tr0ub4dor@127.0.0.1:9/ch1")
    operator = make(inputs(sample, tmp_path / "video.jsonl", input="variable:front_door"))
    with pytest.raises(AirflowException, match=r"rtsp://admin:\*\*\*@127.0.0.1:9") as caught:
        operator.execute(context())
    assert not isinstance(caught.value, AirflowFailException)
    printed = capfd.readouterr()
    assert "tr0ub4dor" not in f"{caught.value}{printed.out}{printed.err}"
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"tr0ub4dor" not in left


def test_killed_task_leaves_whole_lines_and_no_success(
    make: Any, sample: Path, tmp_path: Path
) -> None:
    from airflow.sdk.exceptions import AirflowException

    output = tmp_path / "video.jsonl"
    partial = output.with_name("video.jsonl.partial")
    operator = make(inputs(sample, output, max_frames=None))
    failed: list[Exception] = []

    def execute() -> None:
        try:
            operator.execute(context())
        except AirflowException as error:
            failed.append(error)

    thread = threading.Thread(target=execute, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (has_lines := partial.exists() and partial.stat().st_size > 0):
        if time.monotonic() > deadline or not thread.is_alive():
            break
        time.sleep(0.05)
    operator.on_kill()
    assert has_lines, f"no line in {partial} to be killed behind: {failed}"
    thread.join(180)
    assert not thread.is_alive()
    assert len(failed) == 1
    assert output.exists(), failed
    lines = output.read_text().splitlines()
    assert 0 < len(lines) < 200
    assert all(json.loads(line)["frame_index"] == n for n, line in enumerate(lines))
