"""What the demonstration asks of the others; nothing here starts a server."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from local_stack import demo
from local_stack.demo import DemoInput
from local_stack.errors import StackError
from local_stack.settings import StackSettings


class Asked(NamedTuple):
    order: list[str]
    runs: list[tuple[str, dict[str, object]]]
    commands: list[list[str]]


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    return StackSettings.load({"RVA_DATA_DIR": str(tmp_path / "data"), "RVA_MAVEN_URL": "x"})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    told = Asked([], [], [])

    def run_dag(_: StackSettings, dag_id: str, conf: Mapping[str, object]) -> None:
        told.order.append("dag")
        told.runs.append((dag_id, dict(conf)))

    def run(command: list[str], environment: Mapping[str, str], _: Path) -> int:
        assert environment["RVA_STACK"].endswith("/stack")
        told.order.append(command[2])
        told.commands.append(command)
        return 0

    monkeypatch.setattr("local_stack.demo.stack.up", lambda _: told.order.append("up"))
    monkeypatch.setattr("local_stack.demo.airflow.initialise", lambda _: told.order.append("init"))
    monkeypatch.setattr("local_stack.demo.run_dag", run_dag)
    monkeypatch.setattr("local_stack.demo.processes.run", run)
    return told


def test_without_a_video_the_sample_is_composed_run_and_reported(
    settings: StackSettings, asked: Asked
) -> None:
    demo.demo(settings, DemoInput())
    sample = str(settings.data_dir / "sample" / "sample.mp4")
    assert asked.order == ["up", "vision", "init", "dag", "lakehouse"]
    assert asked.runs == [("retail_video_analytics", {"video": sample})]
    assert asked.commands == [
        [settings.environment()["RVA_VISION_PYTHON"], "-m", "vision", "sample", "--output", sample],
        [
            sys.executable,
            "-m",
            "lakehouse",
            "report",
            "--summary",
            str(settings.data_dir / "metadata" / "video.summary.json"),
        ],
    ]


def test_what_a_person_gives_reaches_the_dag(
    settings: StackSettings, asked: Asked, tmp_path: Path
) -> None:
    video, weights = tmp_path / "a video.mp4", tmp_path / "yolo.pt"
    video.touch()
    weights.touch()
    demo.demo(settings, DemoInput(str(video), str(weights), fps=0.0, frames=7))
    assert asked.runs == [
        (
            "retail_video_analytics",
            {"video": str(video), "weights": str(weights), "fps": 0.0, "max_frames": 7},
        )
    ]
    assert [command[2] for command in asked.commands] == ["lakehouse"]


@pytest.mark.parametrize(
    "video", ["0", "rtsp://camera/1", "RTSPS://camera/1", "http://camera/1", "variable:front_door"]
)
def test_camera_needs_a_number_of_frames(settings: StackSettings, asked: Asked, video: str) -> None:
    with pytest.raises(StackError, match="FRAMES=300"):
        demo.demo(settings, DemoInput(video))
    assert asked.order == []
    demo.demo(settings, DemoInput(video, frames=30))
    assert asked.runs[0][1] == {"video": video, "max_frames": 30}


def test_password_is_kept_out_of_what_is_stored(settings: StackSettings, asked: Asked) -> None:
    with pytest.raises(StackError, match=r"VIDEO=rtsp://me:\*\*\*@camera/1: .*variable:camera"):
        demo.demo(settings, DemoInput("rtsp://me:secret@camera/1", frames=9))
    assert asked.order == []


def test_weights_that_are_not_there_are_named_before_anything_starts(
    settings: StackSettings, asked: Asked
) -> None:
    with pytest.raises(StackError, match=r"no weights file .*nowhere\.pt: correct WEIGHTS="):
        demo.demo(settings, DemoInput(weights="nowhere.pt"))
    assert asked.order == []


def test_failed_sample_is_told_with_its_command(
    settings: StackSettings, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_stack.demo.processes.run", lambda *_: 1)
    with pytest.raises(StackError, match=r"-m vision sample --output .* failed"):
        demo.demo(settings, DemoInput())
    assert asked.runs == []


def test_interpreter_of_vision_that_is_not_there_is_named(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("local_stack.demo.stack.up", lambda _: None)
    settings = StackSettings.load(
        {
            "RVA_DATA_DIR": str(tmp_path),
            "RVA_MAVEN_URL": "x",
            "RVA_VISION_PYTHON": "/nowhere/python",
        }
    )
    with pytest.raises(StackError, match=r"/nowhere/python cannot be run .*RVA_VISION_PYTHON"):
        demo.demo(settings, DemoInput())
    assert asked.runs == []


def test_backfill_takes_each_day_from_the_first_to_the_last(
    settings: StackSettings, asked: Asked
) -> None:
    demo.backfill(settings, date(2026, 11, 30), date(2026, 12, 1))
    assert asked.runs == [
        ("gold_nightly_backfill", {"day": "2026-11-30"}),
        ("gold_nightly_backfill", {"day": "2026-12-01"}),
    ]
    assert asked.order == ["up", "init", "dag", "dag"]


def test_addresses_stand_in_one_column(settings: StackSettings) -> None:
    lines = demo.where_to_look(settings).splitlines()
    assert lines[1] == "Where to look"
    assert {line.index("http://") for line in lines[2:-1]} == {26}
    assert lines[2].endswith("http://127.0.0.1:8081")
    assert "minioadmin / minioadmin123" in lines[3]


def test_interrupted_command_ends_with_what_it_has_started(tmp_path: Path) -> None:
    """SIGTERM to the command line ends a DAG as Ctrl-C does."""
    code = (
        "import os, subprocess, sys, time\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open(sys.argv[1] + '.partial', 'w').write(f'{os.getpid()} {inner.pid}')\n"
        "os.rename(sys.argv[1] + '.partial', sys.argv[1])\n"
        "inner.wait()\n"
    )
    pids = tmp_path / "pids"
    outer = (
        "import sys\n"
        "from local_stack import cli, processes\n"
        "cli._status = lambda *_: processes.run(sys.argv[1:], {})\n"
        "sys.exit(cli.main(['status']))\n"
    )
    command = [sys.executable, "-c", outer, sys.executable, "-c", code, str(pids)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not pids.is_file():
        assert process.poll() is None
    started = [int(pid) for pid in pids.read_text().split()]
    os.kill(process.pid, signal.SIGTERM)
    _, told = process.communicate(timeout=40)
    assert process.returncode == 143
    assert "interrupted" in told
    assert [pid for pid in started if psutil.pid_exists(pid)] == []
