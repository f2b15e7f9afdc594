"""How many days each layer is kept: the one place for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta

from lakehouse.backfill.record import DAYS_LOOKED_AT
from lakehouse.errors import InvalidSetting
from lakehouse.schema import (
    BRONZE_RAW,
    DAILY_GOLD,
    DATA_QUALITY,
    GOLD_BACKFILL,
    GOLD_LATE_EVENTS,
    GOLD_REPLAY_END,
    SILVER_DETECTION,
    SILVER_QUARANTINE,
)

RULES: dict[str, str] = {
    BRONZE_RAW.name: "bronze",
    SILVER_DETECTION.name: "silver",
    SILVER_QUARANTINE.name: "quarantine",
    **dict.fromkeys(DAILY_GOLD, "gold"),
    GOLD_LATE_EVENTS.name: "records",
    GOLD_BACKFILL.name: "records",
    GOLD_REPLAY_END.name: "records",
    DATA_QUALITY.name: "records",
}
"""The rule of each table: a field of `RetentionSettings`, less its `_days`."""
LEAST_SILVER_DAYS = 3
"""A night rebuilds the day before from that day and the evening before it; one night may fail."""
MOST_DAYS = 36_500
"""A hundred years: whoever wants more keeps for ever."""


@dataclass(frozen=True, kw_only=True)
class RetentionSettings:
    """Whole UTC days that are kept beside today's; None: for ever.

    Every field has the environment variable named beside it. The days are those of the tables'
    partitions: of receipt in Bronze and the quarantine, of capture in Silver and Gold.
    """

    bronze_days: int | None = None
    """RVA_KEEP_BRONZE_DAYS."""
    silver_days: int | None = None
    """RVA_KEEP_SILVER_DAYS; 3 or more."""
    quarantine_days: int | None = None
    """RVA_KEEP_QUARANTINE_DAYS."""
    gold_days: int | None = None
    """RVA_KEEP_GOLD_DAYS: the four tables of a day's batch; not less than Silver's."""
    records_days: int | None = None
    """RVA_KEEP_RECORDS_DAYS: data_quality and Gold's records; 30 or more."""

    def __post_init__(self) -> None:
        """Refuse what is no number of days, and what would undo itself, naming the variable.

        :raises InvalidSetting: with what to give instead.
        """
        for each in fields(self):
            days = getattr(self, each.name)
            if days is not None and not 1 <= days <= MOST_DAYS:
                raise _refused(each.name, days, f"give whole days, 1 to {MOST_DAYS}, or nothing")
        if self.silver_days is not None and self.silver_days < LEAST_SILVER_DAYS:
            raise _refused(
                "silver_days",
                self.silver_days,
                f"give at least {LEAST_SILVER_DAYS}: the nightly rebuild of a day reads the "
                "evening before it too, and one night may fail",
            )
        if self.gold_days is not None and self.gold_days < (self.silver_days or MOST_DAYS + 1):
            silver = _variable("silver_days")
            told = "for ever" if self.silver_days is None else str(self.silver_days)
            raise _refused(
                "gold_days",
                self.gold_days,
                f"Gold is kept at least as long as Silver ({silver}: {told}), of whose days it "
                "would be rebuilt",
            )
        if self.records_days is not None and self.records_days < DAYS_LOOKED_AT:
            raise _refused(
                "records_days",
                self.records_days,
                f"give at least {DAYS_LOOKED_AT}: so far back the night looks in gold_backfill for "
                "what was rebuilt from what",
            )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> RetentionSettings:
        """Read the RVA_KEEP_… variables; what is unset or empty is kept for ever.

        :raises InvalidSetting: a value is no number of days, or they do not fit each other.
        """
        environ = os.environ if environ is None else environ
        given = {each.name: environ.get(_variable(each.name)) for each in fields(cls)}
        return cls(**{name: _whole(name, text) for name, text in given.items() if text})

    def days_of(self, table: str) -> int | None:
        """How many days a table of `lakehouse.schema` is kept; None: for ever."""
        days: int | None = getattr(self, f"{RULES[table]}_days")
        return days

    def first_kept(self, table: str, now: datetime) -> date | None:
        """The oldest day that the rule keeps; None: all are."""
        days = self.days_of(table)
        return None if days is None else now.astimezone(UTC).date() - timedelta(days=days)


def _variable(field: str) -> str:
    return f"RVA_KEEP_{field.upper()}"


def _whole(field: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise _refused(field, text, f"give whole days, 1 to {MOST_DAYS}, or nothing")
    return int(text)


def _refused(field: str, value: object, advice: str) -> InvalidSetting:
    return InvalidSetting(_variable(field), str(value), advice)
