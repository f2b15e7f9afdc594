"""What one extraction is told: a frozen record that cannot hold a wrong value."""

import math
import re
from dataclasses import asdict, dataclass, field
from fractions import Fraction

from vision.environment import data_directory
from vision.errors import SettingsError

DETECTORS = ("auto", "yolo", "hog")
"""Those that are built in; a plug-in adds its own name (docs/detectors.md)."""

BACKENDS = ("auto", "torch", "openvino", "onnx")
TRACKERS = ("deepsort", "bytetrack", "botsort")
EMBEDDERS = ("histogram", "mobilenet", "none")
CLOCKS = ("auto", "rate", "pts")

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) as shares of the image's width and height, 0 to 1."""

PERSON = "person"
"""What COCO, and so every line, calls people."""

DEFAULT_CLASSES = (PERSON,)


@dataclass(frozen=True, kw_only=True)
class TrackingSettings:
    """DeepSORT's settings; the defaults are those of the accuracy table in docs/vision.md.

    A height is that of the person's box, so that near and far are judged alike.
    """

    max_age_seconds: float = 4.0
    """How long a track that nobody matches is remembered: a while behind a shelf or a group. Nobody
    is followed across a longer gap without frames."""

    confirm_after_frames: int = 2
    """A track has an id from the n-th frame in a row that shows it: fewer are flicker."""

    min_new_confidence: float = 0.35
    """Surer detections begin tracks; the others only continue them."""

    appearance_weight: float = 0.4
    """How much looks weigh against overlap, 0 to 1, for who was seen in the frame before."""

    lost_appearance_weight: float = 0.7
    """The same for who was not: where somebody is by now is known less well than their looks."""

    max_unlikeness: float = 0.3
    """How unlike (0 same, 1 nothing in common) one person may look in two frames on end."""

    max_lost_unlikeness: float = 0.5
    """The same after a while unseen: another side, another light."""

    max_cost: float = 0.5
    """The weighted sum of unlikeness and missing overlap, 0 to 1, beyond which it is another."""

    max_cost_by_place: float = 0.7
    """The same where no looks are asked for: the overlap then counts alone, and may be less."""

    min_overlap: float = 0.08
    """The least overlap of the box that was expected, grown as below, with the one that is seen."""

    min_stay_overlap: float = 0.5
    """The overlap with the box expected that needs no looks: for who is left over and was seen in
    the frame before, when the light changes or the detector is not sure."""

    growth_heights_per_second: float = 0.4
    """How much boxes widen, before they are compared, with each second since a track was seen."""

    max_growth_heights: float = 0.6
    """Where the widening ends, else in the end everything overlaps everything."""

    appearance_memory: float = 0.8
    """The share of the old looks in the new at each sighting."""

    min_first_overlap: float = 0.3
    """The overlap of a track's first boxes, before it is confirmed."""

    max_first_unlikeness: float = 0.5
    """How unlike the first boxes of a track may look."""

    speed_memory_seconds: float = 10.0
    """How soon who is not seen is taken to have slowed down (to 1/e of their speed)."""

    max_motion_rate: float = 10.0
    """Frames a second beyond which people are not taken to move less from one to the next: for
    motion a frame takes a tenth of a second at least. Many files claim more frames a second than
    the camera took, and being too sure loses people."""

    max_step_seconds: float = 0.25
    """Two frames further apart are not on end: who was seen in the first counts as lost, for
    people pass through each other's places in that time."""

    box_error_heights: float = 0.1
    """The error of a detector's box, a standard deviation."""

    drift_heights: float = 0.2
    """What a person's way departs from a straight one within a second, a standard deviation."""

    speed_change_heights: float = 0.25
    """What a person's speed in heights a second changes within a second, a standard deviation."""

    first_speed_heights: float = 1.0
    """The speed in heights a second of who is new, a standard deviation: people walk at about 1."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value < math.inf:
                raise SettingsError(f"tracking: {name} must be 0 or more, not {value}")
        for name in (
            "max_age_seconds",
            "confirm_after_frames",
            "speed_memory_seconds",
            "max_motion_rate",
            "box_error_heights",
        ):
            if not getattr(self, name) > 0:
                raise SettingsError(f"tracking: {name} must be above 0")
        for name in ("appearance_weight", "lost_appearance_weight", "appearance_memory"):
            if getattr(self, name) > 1:
                raise SettingsError(f"tracking: {name} must be from 0 to 1")


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
    """`yolo`, `hog`, a plug-in's name, or `auto`: YOLO where weights can be had, else HOG."""

    backend: str = "auto"
    """What computes YOLO: `torch`, `openvino`, `onnx`, or `auto`: the fastest on the device."""

    device: str = "auto"
    """`cpu`, `cuda`, `cuda:1`, or `auto`: CUDA where there is one, else the CPU."""

    batch: int = 1
    """Frames that the detector is handed at once."""

    tracker: str = "deepsort"

    embedder: str = "histogram"
    """What DeepSORT knows people by: colour `histogram`, its `mobilenet` network, or `none`."""

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

    clock: str = "auto"
    """How a file's frames are timed: by its frame `rate`, by its own time stamps (`pts`), or
    `auto`: by the rate where the stamps are evenly spaced, else by them."""

    fps_limit: float | None = None
    """Look at no more frames a second than this; None: at all of them."""

    still_threshold: float = 8.0
    """How much a frame made small must differ, in any place, from the last one that was detected
    (in steps of 255) to be detected itself; else the same objects are there still. 0: detect
    every frame."""

    mask: tuple[Polygon, ...] = ()
    """Where nobody counts: who stands in one of these polygons (the middle of the box's lower
    edge) is ignored. For the street behind the window, a screen, a mirror, a poster."""

    threads: int | None = None
    """Threads that the detector computes with; None: one for each usable CPU."""

    to: str | None = None
    """Where to publish each line, `pulsar://HOST:PORT[/TENANT/NAMESPACE/TOPIC]`; None: nowhere.
    Then a file is written only where `output` names one."""

    resume: bool = False
    """Go on behind the last line of the output, in the same run; where there is none, begin."""

    reconnect_seconds: float | None = 60.0
    """How long a camera that was lost is tried again before the run ends; None: for ever."""

    accept_damage: bool = False
    """Whether frames of a recording that cannot be read are only told, and no error at its end."""

    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        for name in ("store_id", "camera_id", "stream_id", "run_id"):
            value = getattr(self, name)
            if value is not None and not (value.strip() and value.isprintable()):
                raise SettingsError(f"{_option(name)} must be printable text, not {value!r}")
        if not self.input:
            raise SettingsError("--input is empty: give a video file, a camera index or an address")
        for name, allowed in (
            ("backend", BACKENDS),
            ("tracker", TRACKERS),
            ("embedder", EMBEDDERS),
            ("clock", CLOCKS),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise SettingsError(f"{_option(name)} must be {_one_of(allowed)}, not {value!r}")
        if not _DEVICE.fullmatch(self.device):
            raise SettingsError(f"--device must be auto, cpu, cuda or cuda:1, not {self.device!r}")
        if not self.classes or not all(name.strip() for name in self.classes):
            raise SettingsError("--classes names nothing: give names such as person,dog")
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise SettingsError(f"--confidence must be from 0 to 1, not {self.confidence}")
        for name in ("image_size", "max_frames", "threads", "batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingsError(f"{_option(name)} must be 1 or more, not {value}")
        if self.frame_rate is not None:
            parse_frame_rate(self.frame_rate)
        if self.fps_limit is not None and not 0 < self.fps_limit < math.inf:
            raise SettingsError(f"--fps-limit must be above 0, not {self.fps_limit}")
        if not 0 <= self.still_threshold <= 255:
            raise SettingsError(
                f"--still-threshold must be from 0 to 255, not {self.still_threshold}"
            )
        if self.reconnect_seconds is not None and not self.reconnect_seconds >= 0:
            raise SettingsError(
                f"--reconnect-seconds must be 0 or more, not {self.reconnect_seconds}"
            )
        for polygon in self.mask:
            _check_polygon(polygon)

    def output_path(self) -> str | None:
        """Where the lines go; None where they are only published."""
        if self.output is None and self.to is not None:
            return None
        return self.output or self.default_output_path()

    def default_output_path(self) -> str:
        """Where the lines go if nothing else is said."""
        return str(data_directory() / "metadata" / "video.jsonl")


def parse_frame_rate(text: str) -> Fraction:
    """Frames a second of `25`, `29.97` or `30000/1001`, exactly; raises `SettingsError`."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0 or not math.isfinite(float(rate)):
        raise SettingsError(f"--frame-rate must be like 25, 29.97 or 30000/1001, not {text!r}")
    return rate


def _check_polygon(polygon: Polygon) -> None:
    if len(polygon) < 3 or not all(len(corner) == 2 for corner in polygon):
        raise SettingsError(f"a polygon of --mask needs three corners [x, y], not {polygon}")
    if not all(0 <= share <= 1 for corner in polygon for share in corner):
        raise SettingsError(
            f"--mask counts in shares of the image, from 0 to 1, not in pixels: {polygon}"
        )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _one_of(allowed: tuple[str, ...]) -> str:
    return " or ".join(allowed)
