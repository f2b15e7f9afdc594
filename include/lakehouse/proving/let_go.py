"""What the layers have let go, and so cannot be compared with each other any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from lakehouse.schema import BRONZE_RAW, DAILY_GOLD, SILVER_DETECTION, SILVER_QUARANTINE

PROVEN = (BRONZE_RAW.name, SILVER_DETECTION.name, SILVER_QUARANTINE.name, *DAILY_GOLD)
"""The tables that a proof compares."""
_ALWAYS = date(1, 1, 1)
_OF = {BRONZE_RAW.name: "received", SILVER_QUARANTINE.name: "received"}


@dataclass(frozen=True)
class LetGo:
    """The first day (UTC) that each table has whole, of those that have let days go."""

    horizons: Mapping[str, date] = field(default_factory=dict)

    @property
    def bronze_since(self) -> date:
        """The first day of receipt of which every message is there."""
        return self._first(BRONZE_RAW.name)

    @property
    def quarantine_since(self) -> date:
        """The first day of receipt of which every message and every quarantined row is there."""
        return max(self._first(BRONZE_RAW.name), self._first(SILVER_QUARANTINE.name))

    @property
    def silver_since(self) -> date:
        """The first day of capture of which every detection is there."""
        return self._first(SILVER_DETECTION.name)

    @property
    def gold_since(self) -> date:
        """The first day that Gold has, and Silver with the evening before it."""
        days = [self._first(name) for name in DAILY_GOLD]
        if SILVER_DETECTION.name in self.horizons:
            days.append(self.silver_since + timedelta(days=1))
        return max(days)

    def reached_by(self, days: Iterable[date] | None) -> dict[str, date]:
        """The horizons behind which some of these days lie; None: all days."""
        if days is None:
            return dict(self.horizons)
        first = min(days, default=date.max)
        return {
            name: day
            for name, day in self.horizons.items()
            if first < day or (name == SILVER_DETECTION.name and first == day)
        }

    def _first(self, name: str) -> date:
        return self.horizons.get(name, _ALWAYS)


def told(horizons: Mapping[str, date]) -> Iterator[str]:
    """Say of each table what is not compared."""
    for name, day in horizons.items():
        how = _OF.get(name, "captured")
        yield f"{name} is kept since {day}: what was {how} before is not compared"
