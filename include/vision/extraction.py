"""The way of each frame, from the opened video to the outputs."""

import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from frame_contract import Frame, Model, Source
from vision import progress
from vision.boxes import SeenObject, clip_detections
from vision.camera_watch import CameraWatch
from vision.detection import Detector
from vision.detectors import make_detector
from vision.errors import SourceChangedError
from vision.hog import HogDetector
from vision.masks import Mask
from vision.metadata import Messages, Written
from vision.outputs import Outputs
from vision.pipeline import ROOM_FOR_A_CAMERA, ROOM_FOR_A_FILE, InOrder, ReadFrames
from vision.reading import RecordedRun
from vision.recipe import Recipe
from vision.resume import StoredFrames
from vision.settings import ExtractSettings
from vision.stillness import Stillness
from vision.summary import EndedBy, ExtractSummary
from vision.threads import bind_threads
from vision.tracking import Tracker, make_tracker
from vision.video import Video, VideoFrame
from vision.window import LiveWindow


@dataclass(frozen=True, slots=True)
class _Read:
    """A frame, and what had been missed of the source by then."""

    frame: VideoFrame
    unreadable: int
    unreadable_files: int
    limited: int


@dataclass(frozen=True, slots=True)
class _Taken:
    """A frame on its way to the detector, or past it where nothing has changed."""

    read: _Read
    dropped_before: int
    is_still: bool


class Extraction:
    """One run: decoding, detecting, tracking and writing, each while the others do."""

    def __init__(
        self,
        settings: ExtractSettings,
        outputs: Outputs,
        video: Video,
        identity: Source,
        run_id: str,
        written: Written,
        should_stop: Callable[[], bool],
    ) -> None:
        """Load the detector. `should_stop` is asked here and by `run`. Raises `VisionError`."""
        self._settings, self._outputs, self._video = settings, outputs, video
        self._identity, self._run_id, self._written = identity, run_id, written
        self._should_stop = should_stop
        height, width = video.frame_size
        self._mask = Mask(settings.mask, width, height)
        self._detector: Detector = make_detector(
            settings, video.frame_size, progress.warn, should_stop
        )
        self._tracker: Tracker = make_tracker(settings)
        if settings.threads is not None:
            # not before: the tracker's network may load PyTorch
            bind_threads(settings.threads)
        self._messages = Messages(
            identity, run_id, Model(detector=self._detector.name, tracker=self._tracker.name)
        )
        self._stillness = Stillness(settings.still_threshold)
        self._latest: list[SeenObject] = []
        self._unreadable_files = 0
        self._unreadable = self._limited = self._still = 0
        self._stored: StoredFrames | None = None
        self._first_index = self._first_track_id = 0
        self._shift_ms: int | None = 0
        self._to_take = 0
        self._resumed = 0 if outputs.stored is None else outputs.stored.frames
        by = (self._detector.name, self._detector.backend)
        looks_by_weights = by != (HogDetector.name, HogDetector.backend)
        outputs.made_by(Recipe.of(settings, video.source, looks_by_weights=looks_by_weights))
        if outputs.stored is not None:
            self._go_on(outputs.stored)

    def _go_on(self, stored: RecordedRun) -> None:
        """Take up what an earlier extraction has left."""
        height, width = self._video.frame_size
        if (stored.width_px, stored.height_px) != (width, height):
            raise SourceChangedError(
                f"--resume: {stored.path} has frames of {stored.width_px}x{stored.height_px}, and "
                f"{self._video.source} gives {width}x{height} now: leave --resume out to begin "
                "anew, or give another --output"
            )
        if not self._video.is_live:
            self._stored = StoredFrames(stored)
            # the start is not stored: it follows from the first frame's time
            self._shift_ms = None
            return
        for frame in self._outputs.publish_all_stored(self._should_stop):
            self._written.count(frame)
        self._first_index = stored.last_frame_index + 1
        self._first_track_id = self._written.highest_track_id

    def run(
        self, watch: CameraWatch, window: LiveWindow | None, shown: progress.Progress
    ) -> EndedBy:
        """Until something ends it.

        Raises `SourceError` behind the last frame of a lost source, and `DetectorError` behind the
        last that was detected.
        """
        video, batch = self._video, self._settings.batch
        room = max(ROOM_FOR_A_CAMERA, batch) if video.is_live else ROOM_FOR_A_FILE + batch
        most = max(self._settings.max_frames or sys.maxsize, self._resumed)
        read = ReadFrames(self._read(), is_live=video.is_live, room=room)
        # a file is read again from its beginning, a camera is not
        self._to_take = most - self._written.frames
        with InOrder(
            lambda: self._take(read, batch), self._look, workers=self._detector.concurrency
        ) as found:
            try:
                for taken, objects in found.results(self._should_stop):
                    seen, track_ids = self._follow(taken, objects)
                    watch.dropped_frames = self._written.dropped_frames
                    shown.advance()
                    image = taken.read.frame.image
                    if window is not None and not window.show(image, seen, track_ids):
                        return EndedBy.WINDOW
                    if self._written.frames >= most:
                        return EndedBy.MAX_FRAMES
                if self._written.frames >= most:
                    # a camera that goes on had given all that it was to give
                    return EndedBy.MAX_FRAMES
                if self._should_stop():
                    return EndedBy.STOP
                # frames behind the last one that could be read
                self._unreadable, self._limited = video.unreadable, video.limited
                self._unreadable_files = video.unreadable_files
                return EndedBy.END_OF_VIDEO
            finally:
                video.stop()
                read.close()

    def _read(self) -> Iterator[_Read]:
        """By the reader's thread."""
        for frame in self._video.frames(self._first_index):
            video = self._video
            yield _Read(frame, video.unreadable, video.unreadable_files, video.limited)

    def _take(self, read: ReadFrames[_Read], most: int) -> list[_Taken]:
        """The next frames, in order, by whichever detector's thread is free; none past the most."""
        most = min(most, self._to_take)
        arrived_frames = read.take(most) if most else []
        self._to_take -= len(arrived_frames)
        return [
            _Taken(
                arrived.frame,
                arrived.dropped_before,
                self._stillness.is_still(
                    arrived.frame.frame.image, arrived.frame.frame.captured_epoch_ms
                ),
            )
            for arrived in arrived_frames
        ]

    def _is_stored(self, taken: _Taken) -> bool:
        return self._stored is not None and taken.read.frame.index <= self._stored.last_index

    def _look(self, batch: Sequence[_Taken]) -> list[list[SeenObject] | None]:
        """What there is in each frame, by a detector's thread; None where it need not look."""
        is_new = [not (taken.is_still or self._is_stored(taken)) for taken in batch]
        images = [t.read.frame.image for t, new in zip(batch, is_new, strict=True) if new]
        height, width = self._video.frame_size
        seen = (
            self._mask.outside(clip_detections(found, width, height))
            for found in (self._detector.detect(images) if images else [])
        )
        return [next(seen) if new else None for new in is_new]

    def _follow(
        self, taken: _Taken, objects: list[SeenObject] | None
    ) -> tuple[list[SeenObject], list[int | None]]:
        """Track and write one frame, in the order of the frames; what was written."""
        frame = taken.read.frame
        self._unreadable, self._limited = taken.read.unreadable, taken.read.limited
        self._unreadable_files = taken.read.unreadable_files
        self._still += taken.is_still
        stored = self._stored if self._is_stored(taken) else None
        if stored is not None:
            objects = stored.take(frame.index)
            if self._shift_ms is None:
                self._shift_ms = stored.later_by_ms(frame.captured_epoch_ms, self._settings)
        elif objects is None:
            objects = self._latest
        self._latest = objects
        ids = [
            None if each is None else each + self._first_track_id
            for each in self._tracker.update(frame.image, objects, frame.captured_epoch_ms)
        ]
        message: Frame = self._messages.of(
            frame.index,
            frame.captured_epoch_ms + (self._shift_ms or 0),
            self._video.frame_size,
            objects,
            ids,
            taken.dropped_before,
        )
        if stored is not None:
            stored.check(message)
            self._outputs.publish_stored(message)
        else:
            self._outputs.write(message)
        self._written.count(message)
        return objects, ids

    def count_unread(self, ended_by: EndedBy) -> None:
        """Count the stored frames that the end has kept from being read again: they are kept.

        Raises `OutputError` if it is the video that ended before them.
        """
        if self._stored is None:
            return
        for frame in self._stored.rest():
            if ended_by is EndedBy.END_OF_VIDEO:
                raise self._stored.another_video(frame.frame_index)
            self._written.count(frame)

    def damage(self) -> str | None:
        """What of the source cannot be read, and where, in words."""
        counts = ((self._unreadable, "frame"), (self._unreadable_files, "video"))
        parts = [f"{count} {what}{'s' * (count > 1)}" for count, what in counts if count]
        if not parts:
            return None
        where = self._video.damage
        return f"{' and '.join(parts)} of {self._video.source} cannot be read ({where})"

    def tell_dropped(self) -> None:
        """Warn of what came too fast."""
        dropped = self._written.dropped_frames
        if dropped:
            progress.warn(
                f"{dropped} frames were dropped: they came faster than they could be looked "
                "at; fewer are with --fps-limit, or a smaller --image-size"
            )

    def summary(self, ended_by: EndedBy, seconds: float) -> ExtractSummary:
        """What has been written; at least one frame must have been."""
        first, latest = self._written.first_and_latest()
        path = self._outputs.path
        return ExtractSummary(
            run_id=self._run_id,
            store_id=self._identity.store_id,
            camera_id=self._identity.camera_id,
            stream_id=self._identity.stream_id,
            frames=self._written.frames,
            detections=self._written.detections,
            tracks=self._written.tracks,
            first_capture_ts=first,
            last_capture_ts=latest,
            days=self._written.days,
            detector=self._detector.name,
            backend=self._detector.backend,
            tracker=self._tracker.name,
            output=None if path is None else str(path.absolute()),
            to=self._outputs.topic,
            published=self._outputs.published,
            resumed_frames=self._resumed,
            unreadable_frames=self._unreadable,
            unreadable_files=self._unreadable_files,
            dropped_frames=self._written.dropped_frames,
            limited_frames=self._limited,
            still_frames=self._still,
            reconnections=self._video.reconnections,
            silent_seconds=round(self._video.silent_seconds, 3),
            ended_by=str(ended_by),
            seconds=round(seconds, 3),
            peak_memory_mib=_peak_memory_mib(),
        )


def _peak_memory_mib() -> int:
    """The most that this process has held at once."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # bytes on macOS, KiB elsewhere
    return peak // 2**20 if sys.platform == "darwin" else peak // 2**10
