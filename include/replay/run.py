"""One capture of one camera, and under which names and numbers the broker remembers its frames.

The broker drops a message whose sequence id is not above the last one of its producer. That is
what makes a second sending harmless, and it would lose frames if two captures shared a producer
or if one line had another id the next time. So:

* A run's producer is named after its run. A run id that does not begin with its store and
  camera, and so might be used for another camera too, gets both put before it.
* Its sequence ids are the frame's position in the run, counted from 1: line by line, since a
  file may hold frames out of order or twice on purpose. A file that holds the later part of a
  run starts at that part: the run's least frame index in the file is added. (Parts are replayed
  in their order, and a later part holds no frame of an earlier one.)
* A first-generation run (no run id) is all that its stream ever sends, frame numbers starting
  again with each capture. Its producer is named after camera, stream and first capture time.

Vision publishes a capture while it is written, replay publishes its file, and both follow this:
whichever comes first, and however often either is cut off, each frame is in the topic once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from frame_contract import Frame, format_capture_ts


class RunKey(NamedTuple):
    """One capture of one camera; of a first-generation camera, whatever its stream sent."""

    store_id: str
    camera_id: str
    run_id: str
    is_first_generation: bool

    @classmethod
    def of(cls, frame: Frame) -> Self:
        """The run that the frame belongs to."""
        source = frame.source
        is_first_generation = frame.run_id == source.stream_id
        return cls(source.store_id, source.camera_id, frame.run_id, is_first_generation)


@dataclass(slots=True)
class RunPlan:
    """One run as it is published."""

    key: RunKey
    first_capture_ts: datetime
    least_frame_index: int
    frames: int = 0

    @classmethod
    def beginning_with(cls, frame: Frame) -> Self:
        """The run that the frame is the first of; the frame itself is not counted."""
        return cls(RunKey.of(frame), frame.capture_ts, frame.frame_index)

    @property
    def producer_name(self) -> str:
        """The name under which the broker remembers what it has of this run."""
        store, camera, run, is_first_generation = self.key
        if is_first_generation:
            return f"{store}/{camera}/{run}@{format_capture_ts(self.first_capture_ts)}"
        # with a hyphen in either, another store and camera may have the same beginning
        is_telling = "-" not in store + camera and run.startswith(f"{store}-{camera}-")
        return run if is_telling else f"{store}/{camera}/{run}"

    @property
    def sequence_base(self) -> int:
        """What is added to a frame's position in the run to give its sequence id."""
        return 0 if self.key.is_first_generation else self.least_frame_index
