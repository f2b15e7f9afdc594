"""A publisher is started again as long as it fails, and is no target once it has ended well."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from faults.publishing import Publisher
from faults.stage import Stage, StageFailed


def publisher(folder: Path, *command: str) -> Publisher:
    stage = cast(Stage, SimpleNamespace(environment=dict(os.environ)))
    return Publisher("replay", command, command, stage, folder / "replay.log")


def test_publisher_that_has_ended_well_is_no_target(tmp_path: Path) -> None:
    ended = publisher(tmp_path, "calendar", "2026")
    ended.start()
    assert ended.process is not None
    assert ended.process.wait(120) == 0
    with pytest.raises(StageFailed, match="the replay had published everything before its fault"):
        _ = ended.running
    assert ended.starts == 1


def test_publisher_that_failed_is_started_again_and_is_the_target(tmp_path: Path) -> None:
    failed = publisher(tmp_path, "no_such_module")
    failed.start()
    assert failed.process is not None
    assert failed.process.wait(120) != 0
    assert failed.running.pid == failed.process.pid
    assert failed.starts == 2
    failed.stop()
