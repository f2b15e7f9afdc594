"""Exit codes of `python -m faults`: 1 is for rows, 2 for what could not be played."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from faults import isolation
from faults.__main__ import exit_code, main, set_variables
from faults.test_record import GOOD as GOOD_ROUND
from local_stack.settings import StackSettings

GOOD = {"lost": 0, "doubled": 0, "differing": 0, "failed": 0}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({}, 0),
        ({"failed": 1}, 2),
        ({"failed": 1, "lost": 2}, 1),
        ({"failed": 1, "doubled": 1}, 1),
        ({"failed": 1, "differing": 1}, 1),
    ],
)
def test_rows_that_are_wrong_are_1_and_a_round_that_did_not_end_2(
    wrong: dict[str, int], code: int
) -> None:
    assert exit_code({**GOOD, **wrong}) == code


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--result", "no/such/folder/faults.json"], "no/such/folder"),
        (["--only", "kill the cat"], "kill the cat"),
    ],
)
def test_what_cannot_be_done_is_one_line_before_anything_is_played(
    arguments: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--data-dir", str(tmp_path / "faults")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert named in told
    assert told.count("\n") == 1
    assert not (tmp_path / "faults").exists()


def test_rounds_that_are_on_record_are_shown_and_are_no_new_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("RVA_DATA_DIR", "RVA_CHECKPOINT_DIR", isolation.MARK):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("RVA_CHECKPOINT_INTERVAL_SECONDS", "2")
    asked = {"seed": 7, "faults": ["kill trino"], "checkpoint_interval_seconds": 2}
    (tmp_path / "rounds.jsonl").write_text(
        json.dumps(asked) + "\n" + json.dumps(asdict(GOOD_ROUND)) + "\n"
    )
    arguments = ["--rounds", "1", "--only", "kill trino", "--data-dir", str(tmp_path)]
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert "seed 7, 1 faults, 1 rounds" in told.err
    assert "nothing to play" in told.err
    assert "kill trino" in told.out


def test_nothing_of_the_user_s_own_stack_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RVA_DATA_DIR", "RVA_CHECKPOINT_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "theirs"))
    monkeypatch.setenv("RVA_CHECKPOINT_INTERVAL_SECONDS", "2")
    set_variables(tmp_path / "faults")
    settings = StackSettings.load()
    assert settings.data_dir == tmp_path / "faults"
    assert settings.checkpoint_dir.is_relative_to(tmp_path / "faults")
