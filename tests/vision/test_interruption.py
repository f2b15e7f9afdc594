import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import cli_command, read_lines

from vision import run
from vision.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture
def running(sample_video: Path, tmp_path: Path):
    """A run that has written some lines and would go on for long."""
    output = tmp_path / "video.jsonl"
    process = subprocess.Popen(
        cli_command("--input", sample_video, "--output", output, "--detector", "hog"),
        cwd=tmp_path,
        env=os.environ,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    partial = tmp_path / "video.jsonl.partial"
    deadline = time.monotonic() + 120
    while not (partial.exists() and partial.stat().st_size > 1000):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield process, output
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_ends_with_whole_lines_and_a_summary(running, number: int, code: int) -> None:
    process, output = running
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code
    assert "Traceback" not in err
    lines = read_lines(output)
    assert [line["frame_index"] for line in lines] == list(range(len(lines)))
    summary = json.loads(output.with_name("video.summary.json").read_text())
    assert summary["frames"] == len(lines) < 200
    assert summary["ended_by"] == "stop"
    assert f"{len(lines)} frames" in out
    assert not output.with_name("video.jsonl.partial").exists()


def test_killed_run_leaves_whole_lines_and_the_earlier_file(running) -> None:
    process, output = running
    output.write_text("earlier\n")
    process.kill()
    process.communicate(timeout=120)
    assert output.read_text() == "earlier\n"
    lines = read_lines(output.with_name("video.jsonl.partial"))
    assert [line["frame_index"] for line in lines] == list(range(len(lines)))
    assert lines


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_before_the_first_frame_is_no_bad_input(
    sample_video: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    number: int,
    code: int,
) -> None:
    real = run.check_reachable

    def signalled(*arguments: object, **options: object) -> None:
        os.kill(os.getpid(), number)
        real(*arguments, **options)

    monkeypatch.setattr(run, "check_reachable", signalled)
    output = tmp_path / "video.jsonl"
    assert (
        main(["--input", str(sample_video), "--output", str(output), "--detector", "hog"]) == code
    )
    told = capfd.readouterr().err
    assert "stopped before" in told
    assert "error" not in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["2>&-", ">&-", ">&- 2>&-", "pipes"])
def test_run_is_whole_though_nobody_listens(
    sample_video: Path, tmp_path: Path, ending: str
) -> None:
    output = tmp_path / "video.jsonl"
    # without weights, auto warns on stderr
    command = cli_command("--input", sample_video, "--output", output, "--max-frames", "3")
    stream = None
    if ending == "pipes":
        read_end, stream = os.pipe()
        os.close(read_end)
    else:
        command = ["sh", "-c", f'exec "$@" {ending}', "sh", *command]
    ended = subprocess.run(command, stdout=stream, stderr=stream, timeout=120, check=False)
    if stream is not None:
        os.close(stream)
    assert ended.returncode == 0
    assert len(read_lines(output)) == 3
    assert not output.with_name("video.jsonl.partial").exists()
