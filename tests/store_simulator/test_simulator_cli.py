"""The command: what it writes, what it says, how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import scenes

from frame_contract import decode
from store_simulator.cli import main


def run(*arguments: str) -> int:
    return main(["small", "--duration-minutes", "1", *arguments])


def test_files_are_written_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--out", str(tmp_path / "out")) == 0

    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["simulation.json", "store_01-cam_01.jsonl", "store_01-cam_02.jsonl", "truth"]
    detections = sum(
        len(decode(line).detections)
        for path in (tmp_path / "out").glob("*.jsonl")
        for line in scenes.lines(path)
    )
    said = f"1,200 messages of 1,200 frames, 1,200 usable with {detections:,} detections\n"
    assert capsys.readouterr().out.endswith(said)


def test_folder_that_has_the_simulation_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--out", str(tmp_path / "out"))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    capsys.readouterr()

    assert run("--out", str(tmp_path / "out")) == 0

    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before
    assert "(was there already)" in capsys.readouterr().out


def test_folder_with_something_else_is_refused_and_overwritten_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--out", str(tmp_path / "out"))
    (tmp_path / "out" / "mine.txt").write_text("mine")
    capsys.readouterr()

    assert run("--out", str(tmp_path / "out"), "--seed", "8") == 2
    said = capsys.readouterr().err
    assert "holds another simulation: name another folder, or replace it with --overwrite" in said
    assert run("--out", str(tmp_path / "out"), "--seed", "8", "--overwrite") == 0

    assert b"-s8" in scenes.lines(tmp_path / "out" / "store_01-cam_01.jsonl")[0]
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.jsonl").write_text("mine")
    assert run("--out", str(tmp_path / "other")) == 2
    assert (tmp_path / "other" / "mine.jsonl").read_text() == "mine"


BAD = {
    "no such scenario": (["none.yaml", "--out", "x"], "none.yaml: no such file; shipped are: "),
    "impossible seed": (["small", "--seed", "-1", "--out", "x"], "small: Expected `int` >= 0"),
    "no time": (["small", "--start", "noon", "--out", "x"], "small: Invalid RFC3339"),
    "no topic": (["small", "--to", "pulsar://127.0.0.1:6650"], "--to pulsar://127.0.0.1:6650: nam"),
    "no broker's address": (["small", "--to", "http://a/b/c/d"], "no address of a broker"),
    "server down": (
        ["small", "--to", "pulsar://127.0.0.1:1/retail/metadata/events"],
        "Pulsar at pulsar://127.0.0.1:1 does not answer",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_clear_line_and_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    inside = [str(tmp_path / "x") if each == "x" else each for each in arguments]

    assert main(inside) == 2

    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert said in printed
    assert printed.count("\n") == 1


def test_wrong_scenario_file_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 1\nspeed: 2\n")

    assert main([str(path), "--out", str(tmp_path / "out")]) == 2

    assert capsys.readouterr().err == f"error: {path}:2: unknown key speed\n"
    assert not (tmp_path / "out").exists()


def test_folder_that_cannot_be_made_is_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert run("--out", str(tmp_path / "file" / "out")) == 2

    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(
    "arguments", [[], ["--speed", "2", "--out", "x"], ["--to", "x", "--speed", "0"]]
)
def test_arguments_that_make_no_sense_are_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["small", *arguments])

    assert caught.value.code == 2


def test_interrupt_ends_with_whole_lines_and_code_130(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "store_simulator", "noisy", "--duration-minutes", "6000"]
    process = subprocess.Popen(
        [*command, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    file = out / "store_01-cam_01.jsonl"
    while process.poll() is None and not (file.exists() and file.stat().st_size > 1_000_000):
        time.sleep(0.02)

    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 130
    assert (
        said == f"stopped: {out} holds whole lines and no whole truth: go again with --overwrite\n"
    )
    assert file.read_bytes().endswith(b"\n")
    assert not (out / "simulation.json").exists()
    assert main(["small", "--duration-minutes", "0.1", "--out", str(out)]) == 2
