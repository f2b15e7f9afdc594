"""Exit codes of `python -m faults`: 1 is for rows, 2 for what could not be played."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.__main__ import exit_code, main

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
