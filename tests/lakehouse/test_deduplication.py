"""The command `deduplicate`: what it refuses, and that its SQL knows Silver's key."""

from __future__ import annotations

import re

import pytest

from lakehouse.__main__ import main
from lakehouse.deduplication import SQL_DIR
from lakehouse.schema import TABLES

KEY = TABLES["silver_detection"].key


def test_row_is_taken_out_only_if_the_whole_key_is_that_of_an_earlier_one() -> None:
    text = (SQL_DIR / "remove_detections.sql").read_text()
    assert tuple(re.findall(r"s\.(\w+) = doubled\.\1\b", text)) == KEY
    assert [_columns(each) for each in re.findall(r"GROUP BY (.+)", text)] == [KEY]


def test_what_is_counted_as_doubled_has_the_whole_key_in_common() -> None:
    text = (SQL_DIR / "doubled_detections.sql").read_text()
    assert [_columns(each) for each in re.findall(r"GROUP BY (.+)", text)] == [KEY]


def test_quarantined_detection_is_known_by_the_tables_key_and_its_messages_bytes() -> None:
    text = (SQL_DIR / "quarantine_rows.sql").read_text()
    [by] = re.findall(r"PARTITION BY (.+) ORDER BY", text)
    of_the_message, *others = _columns(by.replace("q.", ""))
    assert of_the_message == "payload_hash"
    assert ("message_id", *others) == TABLES["silver_quarantine"].key


def _columns(listed: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in listed.split(","))


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", "2999-01-01"])
def test_day_that_cannot_be_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], day: str
) -> None:
    assert main(["deduplicate", "--day", day]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1


def test_trino_that_is_down_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVA_TRINO_URL", "http://127.0.0.1:9")
    assert main(["deduplicate"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: Trino at http://127.0.0.1:9 does not answer")
    assert told.count("\n") == 1
