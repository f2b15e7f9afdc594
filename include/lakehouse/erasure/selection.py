"""Whose data is to be erased, and of which time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from lakehouse.errors import LakehouseError


class SelectionUnusable(LakehouseError):
    """What was given does not name a store, a camera, a run or a track."""

    def __init__(self, why: str) -> None:
        super().__init__(f"nothing was erased: {why}")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A store, or a camera of it, or a run of that, or a track of that; None: all of them.

    :raises SelectionUnusable: it names a part without its whole, or no time.
    """

    store_id: str
    camera_id: str | None = None
    run_id: str | None = None
    track_id: int | None = None
    since: datetime | None = None
    """Captured then (aware) or later; None: from the beginning."""
    until: datetime | None = None
    """Captured before; None: without end."""

    def __post_init__(self) -> None:
        """Refuse what could mean more than was thought of."""
        levels = ("store_id", "camera_id", "run_id", "track_id")
        for outer, inner in pairwise(levels):
            if getattr(self, inner) is not None and getattr(self, outer) is None:
                raise SelectionUnusable(f"{_option(inner)} needs {_option(outer)} too")
        for name, value in self.ids.items():
            if not value:
                raise SelectionUnusable(f"{_option(name)} is empty")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise SelectionUnusable("--from must be before --to")

    @property
    def ids(self) -> dict[str, str]:
        """The texts that are given, by the name of their column."""
        given = {"store_id": self.store_id, "camera_id": self.camera_id, "run_id": self.run_id}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def is_timed(self) -> bool:
        """Whether the time of a row matters."""
        return self.since is not None or self.until is not None

    def covers(self, moment: datetime) -> bool:
        """Whether a moment lies in the time that is meant."""
        return self.overlaps(moment, moment)

    def overlaps(self, first: datetime, last: datetime) -> bool:
        """Whether any moment from `first` to `last`, both included, does."""
        return (self.until is None or first < self.until) and (
            self.since is None or last >= self.since
        )

    def __str__(self) -> str:
        """For people."""
        parts = [f"store {self.store_id}"]
        for word, value in (
            ("camera", self.camera_id),
            ("run", self.run_id),
            ("track", self.track_id),
        ):
            if value is not None:
                parts.append(f"{word} {value}")
        if self.since is not None:
            parts.append(f"from {self.since.isoformat()}")
        if self.until is not None:
            parts.append(f"until {self.until.isoformat()}")
        return ", ".join(parts)


def _option(name: str) -> str:
    return f"--{name.removesuffix('_id')}"
