"""What an extraction tells when it is over."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class EndedBy(StrEnum):
    """Why there are no more lines."""

    END_OF_VIDEO = "end of video"
    SOURCE_LOST = "source lost"
    """A camera stopped giving frames."""
    DETECTOR_FAILED = "detector failed"
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
    backend: str
    """What computed: `openvino`, `onnx`, `torch`, `opencv`, or what a plug-in says."""
    tracker: str
    output: str | None
    """The JSONL's absolute path; None where the lines were only published."""
    to: str | None
    """The topic that the lines were published to."""
    published: int
    """Lines that the broker has acknowledged, without those that it had before."""
    resumed_frames: int
    """Lines that an earlier, interrupted extraction had written."""
    unreadable_frames: int
    """Frames of the video that are missing from the output, for they could not be decoded."""
    unreadable_files: int
    """Videos of a folder of which no frame could be read."""
    dropped_frames: int
    """Frames of a camera that are missing, for they came faster than they could be looked at."""
    limited_frames: int
    """Frames that are missing since no more a second were asked for."""
    still_frames: int
    """Frames in which nothing had changed, so that the detector was not asked again."""
    reconnections: int
    """How often a camera that was lost came back."""
    silent_seconds: float
    """How long a camera gave no frame although it was waited for."""
    ended_by: str
    """A value of `EndedBy`."""
    seconds: float
    """What reading, detecting, tracking and writing took, without loading the detector."""
    peak_memory_mib: int
    """The most memory that the process held at once."""

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for JSON and for other environments."""
        return asdict(self) | {"days": list(self.days)}
