"""From what is seen in a frame to its message, and the count of what was written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from frame_contract import (
    SCHEMA_VERSION,
    BBox,
    Detection,
    Frame,
    ImageSize,
    Model,
    Source,
    format_capture_ts,
)
from vision.boxes import SeenObject
from vision.timestamps import DetectionNumbers, from_epoch_ms


class Messages:
    """Makes the messages of one run."""

    def __init__(self, source: Source, run_id: str, model: Model) -> None:
        self._source, self._run_id, self._model = source, run_id, model
        self._numbers = DetectionNumbers()

    def of(
        self,
        frame_index: int,
        captured_epoch_ms: int,
        size: tuple[int, int],
        seen: Sequence[SeenObject],
        track_ids: Sequence[int | None],
        dropped_before: int = 0,
    ) -> Frame:
        """The message of one frame, `size` its (height, width) in pixels."""
        height, width = size
        return Frame(
            schema_version=SCHEMA_VERSION,
            run_id=self._run_id,
            source=self._source,
            frame_index=frame_index,
            capture_ts=from_epoch_ms(captured_epoch_ms),
            image_size=ImageSize(width=width, height=height),
            detections=tuple(
                Detection(
                    det_id=self._numbers.next_id(captured_epoch_ms),
                    class_name=one.class_name,
                    bbox=BBox(**one.box._asdict()),
                    conf=one.confidence,
                    track_id=track_id,
                )
                for one, track_id in zip(seen, track_ids, strict=True)
            ),
            model=self._model,
            dropped_frames=dropped_before or None,
        )


@dataclass
class Written:
    """What the messages written so far add up to."""

    frames: int = 0
    detections: int = 0
    dropped_frames: int = 0
    first: datetime | None = None
    latest: datetime | None = None

    def __post_init__(self) -> None:
        self._tracks: set[int] = set()
        self._days: set[str] = set()

    def count(self, frame: Frame) -> None:
        """One more."""
        self.frames += 1
        self.detections += len(frame.detections)
        self.dropped_frames += frame.dropped_frames or 0
        self._tracks.update(one.track_id for one in frame.detections if one.track_id is not None)
        self.first = self.first or frame.capture_ts
        self.latest = frame.capture_ts
        self._days.add(f"{frame.capture_ts:%Y-%m-%d}")

    @property
    def tracks(self) -> int:
        """Different track ids."""
        return len(self._tracks)

    @property
    def highest_track_id(self) -> int:
        """0 if there was no track."""
        return max(self._tracks, default=0)

    @property
    def days(self) -> tuple[str, ...]:
        """The UTC days of the frames, ascending."""
        return tuple(sorted(self._days))

    def first_and_latest(self) -> tuple[str, str]:
        """The capture times of the first and the last frame; raises ValueError for none."""
        if self.first is None or self.latest is None:
            raise ValueError("no frame has been written")
        return format_capture_ts(self.first), format_capture_ts(self.latest)
