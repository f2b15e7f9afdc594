"""What an extraction tells when it is over."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class EndedBy(StrEnum):
    """Why there are no more lines."""

    END_OF_VIDEO = "end of video"
    SOURCE_LOST = "source lost"
    """A camera stopped giving frames."""
    MAX_FRAMES = "max frames"
    WINDOW = "window"
    """A key in the live window, or its closing."""
    STOP = "stop"
    """The caller, or a signal."""


@dataclass(frozen=True, kw_only=True)
class ExtractSummary:
    """What one extraction has written; what `<output stem>.summary.json` holds."""

    run_id: str
    store_id: str
    camera_id: str
    stream_id: str
    frames: int
    detections: int
    tracks: int
    first_capture_ts: str
    last_capture_ts: str
    days: tuple[str, ...]
    """The UTC days of the frames, ascending: `2026-11-24`."""
    detector: str
    tracker: str
    output: str
    """The JSONL's absolute path."""
    unreadable_frames: int
    """Frames of the video that are missing from the output, for they could not be decoded."""
    ended_by: str
    """A value of `EndedBy`."""
    seconds: float
    """What reading, detecting, tracking and writing took, without loading the detector."""

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for JSON and for other environments."""
        return asdict(self) | {"days": list(self.days)}
