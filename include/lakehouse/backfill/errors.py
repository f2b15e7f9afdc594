"""What can keep a day from being rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from lakehouse.errors import LakehouseError


class SilverEmpty(LakehouseError):
    """Silver has never had a row."""

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} has never had a row, so there is no day to rebuild")
        self.table = table


class DayLetGo(LakehouseError):
    """What the day would be rebuilt from, or the day itself, is kept no longer."""

    def __init__(self, days: Sequence[date], why: str, first: date) -> None:
        super().__init__(
            f"Gold of {', '.join(map(str, days))} cannot be rebuilt: {why}. What is published of "
            f"it is untouched; days since {first} can be rebuilt (docs/retention.md)"
        )
        self.days, self.first = tuple(days), first


class DayTaken(LakehouseError):
    """Somebody else rebuilds the day."""

    def __init__(self, day: date, owner: str, since: str) -> None:
        super().__init__(
            f"{day} is being rebuilt by {owner} since {since}: wait until that has ended. If it "
            f'never will, run `make lakehouse ARGS="backfill release {day}"`'
        )
        self.day, self.owner, self.since = day, owner, since


class NotClaimed(LakehouseError):
    """The day is not, or no longer, this owner's to publish."""

    def __init__(self, day: date, owner: str) -> None:
        super().__init__(
            f"{day} is not claimed by {owner}, so nothing is published: somebody has released it, "
            "or it was never claimed. Rebuild the day again"
        )
        self.day, self.owner = day, owner


class DayUnpublishable(LakehouseError):
    """The branch holds what no batch of a day writes."""

    def __init__(self, table: str, branch: str, why: str) -> None:
        super().__init__(
            f"branch {branch} of {table} cannot be published: {why}. The published day is "
            "untouched; rebuild the day again"
        )
        self.table, self.branch = table, branch


class AuditFailed(LakehouseError):
    """What the batch has made of the day does not fit Silver, or itself."""

    def __init__(self, day: date, broken: Sequence[str]) -> None:
        super().__init__(
            f"the rebuilt {day} is not published, and the day is as it was: {'; '.join(broken)}. "
            "What was rejected can be looked at for seven days, as gold_people_per_minute FOR "
            f"VERSION AS OF '{rejected_tag(day)}'. Rebuild the day again; if it fails again, look "
            "at the job's SQL (include/sql/gold)"
        )
        self.day, self.broken = day, tuple(broken)


def rejected_tag(day: date) -> str:
    """Name the tag under which what was not published of a day stays to be looked at."""
    return f"rejected_{day:%Y_%m_%d}"
