import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vision import outcome
from vision.cli import main, parse_extract_arguments
from vision.errors import (
    AccessRefusedError,
    DetectorError,
    OutputError,
    SettingsError,
    SourceDamagedError,
    SourceError,
    SourceLostError,
    VisionError,
    WeightsError,
)

ADDRESS = "rtsp://admin:tr0ub4dor@10.0.0.7/ch1"


def told(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def run(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    path = tmp_path / "run.outcome.json"
    code = main(["extract", *arguments, f"--outcome={path}"])
    return code, told(path)


def test_run_that_is_done_leaves_its_code(tmp_path: Path, sample_video: Path) -> None:
    output = tmp_path / "lines.jsonl"
    arguments = (f"--input={sample_video}", f"--output={output}", "--detector=hog")
    code, left = run(tmp_path, *arguments, "--max-frames=2")
    assert left == {"code": code, "error": None, "kind": None, "may_heal": False}
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        (["--input=none.mp4"], "SourceError", "no such file"),
        (["--input=none.mp4", "--tracker=magic"], "SettingsError", "--tracker"),
        (["--input=none.mp4", "--max-frames=0"], "SettingsError", "1 or more"),
        (["--nonsense"], "SettingsError", "--input"),
    ],
)
def test_error_is_left_with_its_kind_and_line(
    tmp_path: Path, arguments: list[str], kind: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, left = run(tmp_path, *arguments)
    assert (code, left["code"], left["kind"], left["may_heal"]) == (2, 2, kind, False)
    assert text in left["error"]
    assert capsys.readouterr().err == f"error: {left['error']}\n"


def test_camera_that_is_away_may_come_back_and_its_password_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONT_DOOR", "rtsp://admin:tr0ub4dor@127.0.0.1:9/ch1")
    code, left = run(tmp_path, "--input=${FRONT_DOOR}", "--max-frames=2")
    assert (code, left["kind"], left["may_heal"]) == (2, "SourceError", True)
    assert "rtsp://admin:***@127.0.0.1:9/ch1" in left["error"]
    assert "tr0ub4dor" not in left["error"]


@pytest.mark.parametrize(
    ("error", "source", "heals"),
    [
        (SourceError("away"), ADDRESS, True),
        (SourceError("away"), "0", True),
        (SourceLostError("lost"), ADDRESS, True),
        (AccessRefusedError("401"), ADDRESS, False),
        (SourceError("missing"), "video.mp4", False),
        (SourceDamagedError("damaged"), "video.mp4", False),
        (SourceError("unknown"), "ftp://10.0.0.7/a", False),
        (SourceError("unknown"), None, False),
        (WeightsError("no download"), "video.mp4", True),
        (DetectorError("broken"), "video.mp4", False),
        (OutputError("full"), ADDRESS, False),
        (SettingsError("wrong"), ADDRESS, False),
    ],
)
def test_only_what_may_heal_is_worth_another_try(
    error: VisionError, source: str | None, heals: bool
) -> None:
    assert outcome.may_heal(error, source) is heals


def test_earlier_outcome_is_gone_when_the_process_crashes(tmp_path: Path) -> None:
    path = tmp_path / "run.outcome.json"
    path.write_text('{"code": 0}')
    code = (
        "import os, sys; from vision import cli\n"
        "cli._run = lambda settings: os.abort()\n"
        "cli.main(sys.argv[1:])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "extract", "--input=a.mp4", f"--outcome={path}"],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ended.returncode == -signal.SIGABRT
    assert not path.exists()


def test_outcome_takes_the_place_of_no_file_of_another_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(b"video")
    assert main(["extract", f"--input={video}", f"--outcome={video}"]) == 2
    assert video.read_bytes() == b"video"
    assert "must end in .outcome.json" in capsys.readouterr().err


def test_address_stands_in_the_environment_and_in_no_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRONT_DOOR", ADDRESS)
    assert parse_extract_arguments(["--input=${FRONT_DOOR}"]).input == ADDRESS
    # only as a whole: a file may be named like anything
    assert parse_extract_arguments(["--input=a/${FRONT_DOOR}.mp4"]).input == "a/${FRONT_DOOR}.mp4"
    monkeypatch.delenv("FRONT_DOOR")
    with pytest.raises(SettingsError, match="FRONT_DOOR is not set in the environment"):
        parse_extract_arguments(["--input=${FRONT_DOOR}"])
