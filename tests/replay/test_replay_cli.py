"""The command: its settings, its output and its exit codes."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_pulsar import FakeBroker, running
from frames import RUN, line, write

from replay.cli import main
from replay.errors import InvalidSetting
from replay.settings import ReplaySettings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "video.jsonl", [line(i) for i in range(3)])


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    with running(FakeBroker(), monkeypatch) as broker:
        yield broker


def test_a_replay_ends_with_what_it_did(
    path: Path, broker: FakeBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "new" / "replay.json"

    code = main(["--input", str(path), "--fps", "0", "--summary", str(summary)])

    assert code == 0
    output = capsys.readouterr().out
    assert "3 read, 3 published, 0 already published" in output
    assert output.rstrip().endswith("→ persistent://retail/metadata/events")
    written = json.loads(summary.read_text())
    assert (written["run_id"], written["read"], written["published"]) == (RUN, 3, 3)
    assert written["runs"][0]["producer_name"] == RUN
    assert [each.name for each in summary.parent.iterdir()] == ["replay.json"]


BAD_ARGUMENTS = {
    "no file": (["--input", "/nowhere/video.jsonl"], "no such file"),
    "topic": (["--topic", "events"], "write persistent://TENANT/NAMESPACE/TOPIC"),
    "url": (["--pulsar-url", "http://127.0.0.1:8084"], "write pulsar://HOST:PORT"),
    "fps": (["--fps", "-1"], "fps=-1.0 cannot be used"),
    "fps nan": (["--fps", "nan"], "fps=nan cannot be used"),
    "limit": (["--limit", "0"], "limit=0 cannot be used"),
}


@pytest.mark.parametrize(("arguments", "words"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_bad_input_is_one_clear_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert words in error


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_server_that_is_down_is_one_clear_line(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"pulsar://127.0.0.1:{closed_port()}"

    assert main(["--input", str(path), "--pulsar-url", url]) == 2

    error = capsys.readouterr().err
    assert error.startswith(f"error: Pulsar at {url} does not answer (Connection refused)")
    assert "`make up`" in error
    assert error.count("\n") == 1


def test_a_server_that_says_nothing_is_given_up(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ReplaySettings().connect_timeout_seconds < 12
    impatient = ReplaySettings(connect_timeout_seconds=1)
    monkeypatch.setattr(ReplaySettings, "from_env", lambda: impatient)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"pulsar://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()

        assert main(["--input", str(path), "--pulsar-url", url]) == 2

    # a machine that stands still for a while makes it no longer than this
    assert time.monotonic() - started < 60
    assert f"error: Pulsar at {url} does not answer" in capsys.readouterr().err


def test_the_environment_names_the_topic() -> None:
    settings = ReplaySettings.from_env(
        {"RVA_TOPIC": "persistent://retail/metadata/test", "RVA_PULSAR_URL": ""}
    )

    assert settings == ReplaySettings(topic="persistent://retail/metadata/test")


def test_a_topic_that_does_not_persist_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="RVA_TOPIC"):
        ReplaySettings(topic="non-persistent://retail/metadata/events")
