"""Which checkpoint a job is resumed from: files only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.checkpoints import newest_checkpoint


def checkpoint(path: Path, *, age_seconds: float, content: bytes = b"metadata") -> Path:
    path.mkdir(parents=True)
    metadata = path / "_metadata"
    metadata.write_bytes(content)
    moment = 1_795_000_000 - age_seconds
    os.utime(metadata, (moment, moment))
    return path


def test_newest_is_by_time_not_by_number(tmp_path: Path) -> None:
    checkpoint(tmp_path / "a" / "chk-900", age_seconds=60)
    newest = checkpoint(tmp_path / "b" / "chk-2", age_seconds=10)
    assert newest_checkpoint(tmp_path) == newest


def test_savepoint_counts_as_well(tmp_path: Path) -> None:
    checkpoint(tmp_path / "a" / "chk-9", age_seconds=60)
    savepoint = checkpoint(tmp_path / "savepoints" / "savepoint-a-1", age_seconds=10)
    assert newest_checkpoint(tmp_path) == savepoint


def test_checkpoint_that_is_not_complete_is_passed_by(tmp_path: Path) -> None:
    complete = checkpoint(tmp_path / "a" / "chk-1", age_seconds=60)
    checkpoint(tmp_path / "a" / "chk-2", age_seconds=10, content=b"")
    (tmp_path / "a" / "chk-3").mkdir()
    assert newest_checkpoint(tmp_path) == complete


def test_job_without_a_folder_has_none(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "never ran") is None


def test_folder_that_goes_while_it_is_looked_into_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = checkpoint(tmp_path / "a" / "chk-9", age_seconds=10)
    gone = iter([tmp_path / "a" / "chk-8"])
    rglob = Path.rglob

    def vanishing(folder: Path, pattern: str) -> Iterator[Path]:
        for each in gone:
            each.stat()
        yield from rglob(folder, pattern)

    monkeypatch.setattr(Path, "rglob", vanishing)
    assert newest_checkpoint(tmp_path) == newest
