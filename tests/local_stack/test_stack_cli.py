import errno
import os
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from local_stack import cli, stack
from local_stack.settings import CHECKOUT, Ports, StackSettings

COMMANDS = "demo test up down status logs reset airflow backfill vision replay lakehouse lint help"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RVA_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_down_with_nothing_running_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert cli.main(["down"]) == 0
    assert caplog.messages == ["nothing was running"]


def test_status_with_nothing_running_lists_every_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [
        "minio",
        "pulsar",
        "catalog",
        "flink-jobmanager",
        "flink-taskmanager",
        "trino",
    ]
    assert all(line.endswith("stopped") for line in lines[1:-1])


def test_reset_asks_before_it_deletes(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = data_dir / "stack" / "minio" / "file"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert cli.main(["reset"]) == 2
    assert kept.exists()
    assert "add --yes" in capsys.readouterr().err
    assert cli.main(["reset", "--yes"]) == 0
    assert not kept.exists()


def test_reset_keeps_videos_and_metadata(data_dir: Path) -> None:
    (data_dir / "stack").mkdir(parents=True)
    kept = data_dir / "metadata" / "video.jsonl"
    kept.parent.mkdir()
    kept.touch()
    assert cli.main(["reset", "--yes"]) == 0
    assert kept.exists()


def test_log_of_a_server_that_never_ran_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["logs", "trino"]) == 2
    assert "there is no log of trino yet" in capsys.readouterr().err


def test_restart_without_a_stack_says_how_to_start_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["restart", "trino"]) == 2
    assert "`make up`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "say which days"),
        (["--from", "2026-11-24"], "say which days"),
        (["--from", "2026-11-24", "--to", "2026-11-23"], "TO=2026-11-23 is before"),
    ],
)
def test_backfill_without_sound_days_is_refused(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["backfill", *given]) == 2
    assert told in capsys.readouterr().err


def test_demo_on_a_video_that_is_not_there_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    assert cli.main(["demo", "--video", "nowhere.mp4"]) == 2
    assert "nowhere.mp4" in capsys.readouterr().err
    assert not (data_dir / "stack").exists()


def test_bad_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RVA_PORT_TRINO", "x")
    assert cli.main(["status"]) == 2
    assert capsys.readouterr().err == "error: RVA_PORT_TRINO=x is no whole number\n"


@pytest.mark.parametrize("command", ["exec", "during"])
def test_command_that_is_not_there_is_one_line(
    command: str, capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    assert cli.main([command, "no-such-command"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: no-such-command cannot be run: ")
    assert told.count("\n") == 1
    assert not (data_dir / "stack").exists()


def test_stack_apart_shares_neither_port_nor_folder_with_the_usual_one(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[StackSettings] = []
    monkeypatch.setattr(stack, "up", started.append)
    monkeypatch.setattr(stack, "down", lambda _: 0)
    monkeypatch.setenv("RVA_FLINK_URL", "http://elsewhere:8081")
    left = data_dir / "apart" / "stack" / "left"
    left.mkdir(parents=True)
    told = "import os; print(*(os.environ[f'RVA_{n}'] for n in ('DATA_DIR', 'FLINK_URL')))"
    written = data_dir / "told"
    command = ["sh", "-c", f"'{sys.executable}' -c \"$1\" > '{written}'", "sh", told]
    assert cli.main(["during", "--apart", "--", *command]) == 0
    (apart,) = started
    usual = StackSettings.load()
    ports = set(asdict(apart.ports).values())
    assert len(ports) == len(fields(Ports))
    assert not ports & set(asdict(usual.ports).values())
    assert apart.stack_dir == data_dir / "apart" / "stack"
    assert apart.checkpoint_dir.is_relative_to(apart.stack_dir)
    assert written.read_text().split() == [
        str(data_dir / "apart"),
        f"http://127.0.0.1:{apart.ports.flink}",
    ]
    assert not left.exists()


@pytest.mark.parametrize("command", [["up"], ["demo"], ["backfill", "--day", "2026-11-24"]])
def test_data_folder_that_is_a_file_is_one_line(
    command: list[str], data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir.touch()
    assert cli.main(command) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: the data folder cannot be used ({data_dir}")
    assert "set RVA_DATA_DIR" in told
    assert told.count("\n") == 1


def test_data_folder_that_is_not_ours_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local_stack.stack.os.access", lambda *_: False)
    assert cli.main(["up"]) == 2
    assert "Permission denied): make it a folder that you may write to" in capsys.readouterr().err


def test_cache_that_is_a_file_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RVA_CACHE_DIR", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    assert cli.main(["fetch"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: the cache cannot be used (")
    assert "set RVA_CACHE_DIR" in told


def test_full_disk_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/file")

    monkeypatch.setattr("local_stack.cli.status.status", full)
    assert cli.main(["status"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: /data/file: No space left on device: free some space (`df -h`")
    assert told.count("\n") == 1


def test_airflow_without_a_stack_says_how_to_start_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["airflow"]) == 2
    assert "the stack does not run: start it with `make up`" in capsys.readouterr().err


def test_reader_that_has_seen_enough_is_no_error() -> None:
    script = f"{sys.executable} -m local_stack env | true"
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert told.stderr == ""


def test_proxy_of_the_shell_is_not_asked_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_PROXY", "corp.example")
    monkeypatch.setenv("no_proxy", "")
    assert cli.main(["env"]) == 0
    assert "\nNO_PROXY=corp.example,127.0.0.1,localhost\n" in capsys.readouterr().out
    assert os.environ["no_proxy"] == "corp.example,127.0.0.1,localhost"


def test_environment_for_shells_survives_spaces_and_quotes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "it's my $data"
    monkeypatch.setenv("RVA_DATA_DIR", str(odd))
    assert cli.main(["env", "--shell"]) == 0
    script = capsys.readouterr().out + 'printf %s "$RVA_DATA_DIR"'
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == str(odd)


def make(*arguments: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_help_is_the_default_and_lists_every_command() -> None:
    text = make()
    listed = {line.split()[0] for line in text.splitlines() if line.startswith("  ")}
    assert set(COMMANDS.split()) <= listed


def test_video_with_spaces_reaches_the_demonstration_whole() -> None:
    given = ("VIDEO=my video's.mp4", "WEIGHTS=w", "FRAMES=9")
    told = make("-o", "setup", "demo", "STACK=printf '<%s>'", *given)
    assert told == "<demo><--video><my video's.mp4><--weights><w><--frames><9>"


def test_backfill_passes_its_days() -> None:
    told = make(
        "-o", "setup", "backfill", "STACK=printf '<%s>'", "FROM=2026-11-01", "TO=2026-11-02"
    )
    assert told == "<backfill><--from><2026-11-01><--to><2026-11-02>"
