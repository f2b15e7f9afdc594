"""What one extraction is told: a frozen record that cannot hold a wrong value."""

import math
from dataclasses import dataclass, field
from fractions import Fraction

from vision.environment import data_directory
from vision.errors import SettingsError

DETECTORS = ("auto", "yolo", "hog")
TRACKERS = ("deepsort",)
CLOCKS = ("rate", "pts")

DEFAULT_CLASSES = ("person",)


@dataclass(frozen=True, kw_only=True)
class TrackingSettings:
    """DeepSORT's settings; the defaults are those of the accuracy table in docs/vision.md."""

    max_age_frames: int = 60
    """How long a track that nobody matches is remembered, in frames."""

    confirm_after_frames: int = 3
    """A track has an id from the n-th frame in a row that shows it: fewer are flicker."""

    max_cosine_distance: float = 0.3
    """How unlike (0 same, 1 nothing in common) two appearances of one person may be."""

    max_iou_distance: float = 0.7
    """1 - overlap that two boxes of one person in successive frames may have."""

    appearances_kept: int = 50
    """Appearances remembered of a track; without a bound each frame costs more than the last."""


@dataclass(frozen=True, kw_only=True)
class ExtractSettings:
    """One capture of one camera and how to look at it. Plain types, so that it can be pickled.

    Raises `SettingsError` when it is made with a value that cannot be used.
    """

    input: str
    """A file's path, a camera's index (`0`) or an address (`rtsp://…`, `rtsps://`, `http(s)://`)."""

    output: str | None = None
    """The JSONL to write; None: `metadata/video.jsonl` in the data directory."""

    summary: str | None = None
    """The summary to write; None: beside the output, `video.summary.json` for `video.jsonl`."""

    store_id: str = "store_01"
    camera_id: str = "cam_01"
    stream_id: str = "stream_001"

    run_id: str | None = None
    """Names this capture; None: `<store>-<camera>-<start as 20261124T101500Z>`."""

    start_time: str | None = None
    """When the capture began, ISO 8601, UTC unless it says otherwise; None: now."""

    weights: str | None = None
    """YOLO weights, a path or a name that Ultralytics knows; None: `RVA_WEIGHTS`, or yolo11n.pt."""

    detector: str = "auto"
    """`yolo`, `hog`, or `auto`: YOLO where weights can be had, else HOG."""

    tracker: str = "deepsort"

    classes: tuple[str, ...] = DEFAULT_CLASSES
    """Names of what to look for, as the weights name them (COCO: person, car, dog …)."""

    confidence: float | None = None
    """Detections below are ignored, 0 to 1; None: the detector's default."""

    image_size: int | None = None
    """Frames are scaled so that their longer side has this many pixels; None: the detector's."""

    max_frames: int | None = None
    """Stop after so many frames; None: at the end."""

    show: bool = False
    """Whether to open a window with boxes, ids and rate."""

    frame_rate: str | None = None
    """Frames a second as `25`, `29.97` or `30000/1001`; None: what the file says."""

    clock: str = "rate"
    """How a file's frames are timed: by its frame `rate`, or by its own time stamps (`pts`)."""

    threads: int | None = None
    """Threads that the detector computes with; None: one for each usable CPU."""

    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        for name in ("store_id", "camera_id", "stream_id", "run_id"):
            value = getattr(self, name)
            if value is not None and not (value.strip() and value.isprintable()):
                raise SettingsError(f"{_option(name)} must be printable text, not {value!r}")
        if not self.input:
            raise SettingsError("--input is empty: give a video file, a camera index or an address")
        for name, allowed in (("detector", DETECTORS), ("tracker", TRACKERS), ("clock", CLOCKS)):
            value = getattr(self, name)
            if value not in allowed:
                raise SettingsError(f"{_option(name)} must be {_one_of(allowed)}, not {value!r}")
        if not self.classes or not all(name.strip() for name in self.classes):
            raise SettingsError("--classes names nothing: give names such as person,dog")
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise SettingsError(f"--confidence must be from 0 to 1, not {self.confidence}")
        for name in ("image_size", "max_frames", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingsError(f"{_option(name)} must be 1 or more, not {value}")
        if self.frame_rate is not None:
            parse_frame_rate(self.frame_rate)

    def output_path(self) -> str:
        """Where the lines go."""
        return self.output or str(data_directory() / "metadata" / "video.jsonl")


def parse_frame_rate(text: str) -> Fraction:
    """Frames a second of `25`, `29.97` or `30000/1001`, exactly; raises `SettingsError`."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0 or not math.isfinite(float(rate)):
        raise SettingsError(f"--frame-rate must be like 25, 29.97 or 30000/1001, not {text!r}")
    return rate


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _one_of(allowed: tuple[str, ...]) -> str:
    return " or ".join(allowed)
