"""What is learnt of the erased rows on the way and needed further down. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

HOUR = timedelta(hours=1)


@dataclass
class Trail:
    """Where the erased detections went: Gold's rows do not name the runs that they count."""

    unreadable: set[bytes] = field(default_factory=set)
    """Message ids of erased messages that do not say themselves whose they are."""
    captured_at: dict[bytes, datetime] = field(default_factory=dict)
    """When the messages of rows in quarantine were captured, as Bronze knows it."""
    minutes: set[tuple[str, str, datetime]] = field(default_factory=set)
    """Store, camera and minute of each erased person detection."""
    dwell_hours: set[tuple[str, str, datetime]] = field(default_factory=set)
    """Store, camera and hour in which a visit of an erased track can have begun."""
    days: set[date] = field(default_factory=set)
    """UTC days of which rows of Gold were taken away, or detections that Gold counts."""

    newest: datetime | None = None
    """The newest capture_ts of all detections in Silver, erased or not."""

    def add_person(self, store_id: str, camera_id: str, captured_at: datetime) -> None:
        """Note a detection that Gold has counted."""
        minute = captured_at.astimezone(UTC).replace(second=0, microsecond=0)
        self.minutes.add((store_id, camera_id, minute))
        self.dwell_hours.add((store_id, camera_id, hour_of(minute)))
        self.days.add(minute.date())

    def add_track(self, store_id: str, camera_id: str, start: datetime, end: datetime) -> None:
        """Note an erased track: its visits may have begun before the time that is erased."""
        hour = hour_of(start)
        while hour <= end:
            self.dwell_hours.add((store_id, camera_id, hour))
            hour += HOUR

    @property
    def hours(self) -> set[tuple[str, str, datetime]]:
        """Store, camera and hour of each erased person detection."""
        return {(store, camera, hour_of(minute)) for store, camera, minute in self.minutes}


def hour_of(moment: datetime) -> datetime:
    """The start of the hour, UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
