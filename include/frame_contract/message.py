"""The one definition of the message: its fields, types and ranges, in the order of writing."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

SCHEMA_VERSION = "1.0"
"""The version that is written. Reading takes every minor version of `SUPPORTED_MAJOR`."""

SUPPORTED_MAJOR = "1"

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Some 25,000 detections; below the 5 MiB at which a Pulsar broker refuses a message."""

Text = Annotated[str, Meta(min_length=1)]
# up to what an Iceberg `long` and an Iceberg `int` hold
FrameIndex = Annotated[int, Meta(ge=0, le=2**63 - 1)]
FrameCount = Annotated[int, Meta(ge=0, le=2**63 - 1)]
TrackId = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
SidePx = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Confidence = Annotated[float, Meta(ge=0, le=1)]
AwareTime = Annotated[datetime, Meta(tz=True)]


class Source(Struct, frozen=True, kw_only=True):
    """Where the frame was seen."""

    store_id: Text
    camera_id: Text
    stream_id: Text


class ImageSize(Struct, frozen=True, kw_only=True):
    """The frame's size in pixels."""

    width: SidePx
    height: SidePx


class BBox(Struct, frozen=True, kw_only=True):
    """A box in pixels from the top left: 0 <= x1 < x2 <= width, 0 <= y1 < y2 <= height."""

    x1: float
    y1: float
    x2: float
    y2: float


class Detection(Struct, frozen=True, kw_only=True):
    """One object seen in the frame; `det_id` is unique in the frame, `track_id` in the run."""

    det_id: Text
    class_name: Text = field(name="class")
    bbox: BBox
    conf: Confidence
    track_id: TrackId | None = None


class Model(Struct, frozen=True, kw_only=True):
    """What found the objects and what followed them."""

    detector: Text
    tracker: Text


class Frame(Struct, frozen=True, kw_only=True):
    """One frame of one capture of one camera.

    `capture_ts` is aware, in UTC and in whole milliseconds once read. A message of the first
    generation has neither `schema_version` nor `model` (None here) nor a run: reading fills
    `run_id` with the `stream_id`.
    """

    schema_version: Text | None = None
    run_id: Text = ""
    source: Source
    frame_index: FrameIndex
    capture_ts: AwareTime
    image_size: ImageSize
    detections: tuple[Detection, ...]
    model: Model | None = None
    dropped_frames: FrameCount | None = None
    """How many frames of a camera were let go between this frame and the one written before it,
    since they came faster than they could be looked at; None: none."""
