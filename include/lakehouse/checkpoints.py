"""Flink's checkpoints and savepoints as they lie in a folder; Flink itself is not asked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path


def newest_checkpoint(*folders: Path) -> Path | None:
    """Return the newest complete checkpoint or savepoint under folders, by modification time.

    By time, since numbers start again with a job that was started afresh; `_metadata` is the last
    file that Flink writes, so what lacks it, or has an empty one, is not complete.
    """
    while True:
        try:
            return _newest(folders)
        except FileNotFoundError:
            continue  # the running job has just taken away a folder that was looked into


def _newest(folders: Iterable[Path]) -> Path | None:
    complete: list[tuple[int, Path]] = []
    for metadata in chain.from_iterable(folder.rglob("_metadata") for folder in folders):
        try:
            stat = metadata.stat()
        except FileNotFoundError:
            continue  # the running job has just replaced it by a newer one
        if stat.st_size > 0:
            complete.append((stat.st_mtime_ns, metadata.parent))
    return max(complete)[1] if complete else None
