"""From what is seen in a frame to its line, and the count of what was written."""

from collections.abc import Sequence
from datetime import datetime

from frame_contract import (
    SCHEMA_VERSION,
    BBox,
    Detection,
    Frame,
    ImageSize,
    Model,
    Source,
    encode,
    format_capture_ts,
)
from vision.boxes import SeenObject
from vision.output import JsonLinesFile
from vision.settings import ExtractSettings
from vision.summary import EndedBy, ExtractSummary
from vision.timestamps import DetectionNumbers, from_epoch_ms
from vision.video import VideoFrame


class MetadataWriter:
    """Writes the lines of one run."""

    def __init__(
        self,
        settings: ExtractSettings,
        run_id: str,
        model: Model,
        lines: JsonLinesFile,
    ) -> None:
        self._run_id = run_id
        self._source = Source(
            store_id=settings.store_id,
            camera_id=settings.camera_id,
            stream_id=settings.stream_id,
        )
        self._model = model
        self._lines = lines
        self._numbers = DetectionNumbers()
        self._detections = 0
        self._tracks: set[int] = set()
        self._first: datetime | None = None
        self._latest: datetime | None = None
        self._days: set[str] = set()

    def write(
        self,
        frame: VideoFrame,
        captured_epoch_ms: int,
        seen: Sequence[SeenObject],
        track_ids: Sequence[int | None],
    ) -> None:
        """One line for the frame, with an empty list where nobody is seen."""
        capture_ts = from_epoch_ms(captured_epoch_ms)
        height, width = frame.image.shape[:2]
        detections = tuple(
            Detection(
                det_id=self._numbers.next_id(captured_epoch_ms),
                class_name=one.class_name,
                bbox=BBox(**one.box._asdict()),
                conf=one.confidence,
                track_id=track_id,
            )
            for one, track_id in zip(seen, track_ids, strict=True)
        )
        self._lines.write(
            encode(
                Frame(
                    schema_version=SCHEMA_VERSION,
                    run_id=self._run_id,
                    source=self._source,
                    frame_index=frame.index,
                    capture_ts=capture_ts,
                    image_size=ImageSize(width=width, height=height),
                    detections=detections,
                    model=self._model,
                )
            )
        )
        self._detections += len(detections)
        self._tracks.update(track_id for track_id in track_ids if track_id is not None)
        self._first = self._first or capture_ts
        self._latest = capture_ts
        self._days.add(f"{capture_ts:%Y-%m-%d}")

    def summary(
        self, *, unreadable_frames: int, ended_by: EndedBy, seconds: float
    ) -> ExtractSummary:
        """What has been written; at least one frame must have been."""
        if self._first is None or self._latest is None:
            raise ValueError("no frame has been written")
        return ExtractSummary(
            run_id=self._run_id,
            store_id=self._source.store_id,
            camera_id=self._source.camera_id,
            stream_id=self._source.stream_id,
            frames=self._lines.lines,
            detections=self._detections,
            tracks=len(self._tracks),
            first_capture_ts=format_capture_ts(self._first),
            last_capture_ts=format_capture_ts(self._latest),
            days=tuple(sorted(self._days)),
            detector=self._model.detector,
            tracker=self._model.tracker,
            output=str(self._lines.path.absolute()),
            unreadable_frames=unreadable_frames,
            ended_by=str(ended_by),
            seconds=round(seconds, 3),
        )
