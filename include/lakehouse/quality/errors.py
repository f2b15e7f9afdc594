"""What can be wrong with a check, or what checks can find."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lakehouse.errors import LakehouseError


class CheckUnreadable(LakehouseError):
    """A check's file does not say what every check must say."""

    def __init__(self, path: Path, lack: str) -> None:
        super().__init__(f"no check can be read from {path}: {lack} (docs/quality.md)")
        self.path, self.lack = path, lack


class ChecksNotRun(LakehouseError):
    """Checks could not be run, so nobody knows whether the data keep them."""

    def __init__(self, failed: Sequence[str], violated: Sequence[str]) -> None:
        also = f". Violated besides: {'; '.join(violated)}" if violated else ""
        super().__init__(
            f"{len(failed)} checks could not be run, which is no pass: {'; '.join(failed)}{also}"
        )
        self.failed, self.violated = tuple(failed), tuple(violated)


class ChecksViolated(LakehouseError):
    """The data do not keep checks that must hold."""

    def __init__(self, violated: Sequence[str]) -> None:
        super().__init__(
            f"{len(violated)} checks are violated: {'; '.join(violated)}. "
            "What to do stands in each check's SQL (include/sql/checks) and in docs/quality.md"
        )
        self.violated = tuple(violated)
