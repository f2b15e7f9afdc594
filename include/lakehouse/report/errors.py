"""Why there may be nothing to report on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.terminal import printable

CAMERAS_NAMED = 5
"""How many other cameras an error names; more would hide what it says."""

Span = tuple[str, str, date, date]
"""store_id, camera_id, and the first and the last day (UTC) that Gold has of them."""


class RunSummaryUnreadable(LakehouseError):
    """The file that should say which run to report on is missing or broken."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(
            f"cannot read the run's summary {path} ({cause}): run `make demo`, "
            "name the .summary.json beside your JSONL with --summary, "
            "or a day with --store, --camera and --day"
        )


class ReportArgumentsIncomplete(LakehouseError):
    """Neither a run nor a camera's day is named."""

    def __init__(self) -> None:
        super().__init__(
            "--store, --camera and --day belong together, without --summary, as in "
            "--store store_01 --camera cam_01 --day 2026-11-24"
        )


class NothingInGold(LakehouseError):
    """Gold has no row of a camera's day; says what it has."""

    def __init__(self, store_id: str, camera_id: str, day: date, spans: Sequence[Span]) -> None:
        camera = f"{printable(store_id)}/{printable(camera_id)}"
        super().__init__(
            f"Gold has nothing of {camera} on {day}: {_has(store_id, camera_id, spans)}"
        )
        self.day, self.spans = day, tuple(spans)


def _has(store_id: str, camera_id: str, spans: Sequence[Span]) -> str:
    if not spans:
        return "it is empty; `make demo` fills it"
    for store, camera, first, last in spans:
        if (store, camera) == (store_id, camera_id):
            return f"of this camera it has {_days(first, last)}"
    shown = [
        f"{printable(store)}/{printable(camera)} ({_days(first, last)})"
        for store, camera, first, last in spans[:CAMERAS_NAMED]
    ]
    more = len(spans) - len(shown)
    return f"it has {', '.join(shown)}" + (f" and {more} cameras more" if more else "")


def _days(first: date, last: date) -> str:
    return str(first) if first == last else f"{first} to {last}"
