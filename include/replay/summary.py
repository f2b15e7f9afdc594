"""What a replay did."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run of the file; `run_id` is None for raw lines."""

    run_id: str | None
    producer_name: str
    read: int
    published: int
    already_published: int


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """A whole file: read = published + already_published, unless it was stopped."""

    path: str
    topic: str
    runs: tuple[RunSummary, ...]
    read: int
    """Lines that were to be published."""
    published: int
    """Messages that the broker took now."""
    already_published: int
    """Messages that it had from an earlier replay."""
    seconds: float
    was_stopped: bool
    is_deduplicated: bool
    """Whether the broker remembers what it has: if not, a second replay doubles the frames."""

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs of the file, in the order of their first frames."""
        return tuple(dict.fromkeys(run.run_id for run in self.runs if run.run_id is not None))

    @property
    def run_id(self) -> str | None:
        """The file's one run; None if it holds several or raw lines."""
        return self.run_ids[0] if len(self.run_ids) == 1 else None

    @property
    def frames_per_second(self) -> float:
        """How fast it published."""
        return self.published / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain types, as they are written to the summary file."""
        return {"run_id": self.run_id, "run_ids": list(self.run_ids), **asdict(self)}

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_text(json.dumps(self.as_dict(), indent=2) + "\n")
        unfinished.replace(path)
