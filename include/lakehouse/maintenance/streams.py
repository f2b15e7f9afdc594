"""What each streaming job reads and writes, and the name of its checkpoints' folder."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.schema import (
    BRONZE_RAW,
    DAILY_GOLD,
    GOLD_LATE_EVENTS,
    GOLD_REPLAY_END,
    SILVER_DETECTION,
    SILVER_QUARANTINE,
)

DEFAULT_DATABASE = "rva"


@dataclass(frozen=True)
class Stream:
    """A streaming job; `reads` are the tables that it follows, none where that is the topic."""

    job: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    def name(self, database: str) -> str:
        """The job's `pipeline.name`, and its folder's; a database of its own stands behind an @."""
        return self.job if database == DEFAULT_DATABASE else f"{self.job}@{database}"


STREAMS = (
    Stream("bronze_ingest", (), (BRONZE_RAW.name,)),
    Stream(
        "silver_detections", (BRONZE_RAW.name,), (SILVER_DETECTION.name, SILVER_QUARANTINE.name)
    ),
    Stream(
        "gold_streaming",
        (SILVER_DETECTION.name, GOLD_REPLAY_END.name),
        (*DAILY_GOLD, GOLD_LATE_EVENTS.name),
    ),
)
