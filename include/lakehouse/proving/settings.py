"""The definitions' numbers, and how much memory a proof may take."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.errors import InvalidSetting

MOST_SECONDS = 24 * 3600
"""No gap and no lateness is longer: what is read for a day reaches as far."""


@dataclass(frozen=True, kw_only=True)
class ProofSettings:
    """The gaps and the lateness must be those with which the jobs run."""

    visit_gap_seconds: int = 2
    """A longer gap ends a visit."""
    track_gap_seconds: int = 30
    """A longer gap ends a track."""
    lateness_seconds: int = 5
    """How far streaming Gold's watermark trails the newest capture_ts of Silver. With none, a row
    would be behind the watermark that it has moved itself."""
    memory_mib: int = 1024
    """What DuckDB may take before it goes to disk: a quarter of a small laptop's free memory."""
    threads: int = 2
    """DuckDB's threads: each takes memory of its own."""
    batch_rows: int = 10_000
    """Messages read at once: some 30 MB of payloads and of what is read of them."""

    def __post_init__(self) -> None:
        """Refuse impossible values, naming their options."""
        for name in ("visit_gap_seconds", "track_gap_seconds", "lateness_seconds"):
            value = getattr(self, name)
            if not 1 <= value <= MOST_SECONDS:
                option = f"--{name.replace('_', '-')}"
                raise InvalidSetting(option, str(value), f"give 1 to {MOST_SECONDS}")
