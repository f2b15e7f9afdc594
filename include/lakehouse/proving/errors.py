"""What can keep a proof from being made; never what the proof finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from lakehouse.errors import LakehouseError


class NothingToProve(LakehouseError):
    """Neither the messages nor the tables know the run or day."""

    def __init__(self, database: str, what: str) -> None:
        super().__init__(
            f"{database} knows no {what}: `make lakehouse ARGS=prove` proves all that is there; "
            "`python -m lakehouse query` shows what there is"
        )
        self.what = what


class BeyondRetention(LakehouseError):
    """Of what is to be proven, the layers have nothing left to compare."""

    def __init__(self, what: str, horizons: Mapping[str, date]) -> None:
        kept = ", ".join(f"{name} since {day}" for name, day in horizons.items())
        super().__init__(
            f"nothing of {what} can be proven, since it was let go: kept are {kept} "
            "(docs/retention.md)"
        )
        self.what = what


class DayUnusable(LakehouseError):
    """The day is no day, or has not begun."""

    def __init__(self, day: str, cause: str) -> None:
        super().__init__(f"--day {day!r} cannot be used: {cause}")
        self.day = day


class FileUnusable(LakehouseError):
    """A file that was named cannot be read or written."""

    def __init__(self, option: str, path: Path, cause: str) -> None:
        super().__init__(f"{option} {path} cannot be used: {cause}")
        self.path = path


class ProofFailed(LakehouseError):
    """The computation itself could not be made, such as for want of disk."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"the proof could not be computed: {cause}. It needs room in the temporary folder "
            "(TMPDIR): some twice what the messages take"
        )


class TableOutdated(LakehouseError):
    """A table lacks columns that its definition has."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        super().__init__(
            f"table {table} has no column {', '.join(columns)}: run `make lakehouse ARGS=ensure`"
        )
        self.table, self.columns = table, columns
