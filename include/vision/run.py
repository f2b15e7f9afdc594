"""One extraction: decoding, detecting, tracking and writing, each going on while the others do."""

import json
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from frame_contract import Frame, Model, Source
from vision import progress
from vision.boxes import SeenObject, clip_detections
from vision.camera_watch import CameraWatch
from vision.detection import Detector
from vision.detectors import make_detector
from vision.errors import OutputError, SourceError, SourceLostError, StoppedEarlyError
from vision.live import LiveSettings
from vision.masks import Mask
from vision.metadata import Messages, Written
from vision.output import write_whole
from vision.outputs import Outputs
from vision.pipeline import ROOM_FOR_A_CAMERA, ROOM_FOR_A_FILE, Arrived, InOrder, ReadFrames
from vision.resume import StoredFrames
from vision.settings import ExtractSettings, parse_frame_rate
from vision.sources import FileSource, FolderSource, check_reachable, parse_source
from vision.sources import Source as VideoSource
from vision.summary import EndedBy, ExtractSummary
from vision.timestamps import default_run_id, parse_start_time
from vision.tracking import Tracker, make_tracker
from vision.video import Video, VideoFrame
from vision.window import LiveWindow, check_display

__all__ = ["ExtractSettings", "ExtractSummary", "StoppedEarlyError", "extract"]


def _never() -> bool:
    return False


def extract(settings: ExtractSettings, should_stop: Callable[[], bool] = _never) -> ExtractSummary:
    """Write one line a frame to the output, and the summary beside it.

    `should_stop` is asked before each frame, and several times a second; at True the run ends as
    if the video ended there. The same video, settings and start give the same bytes, so a run can
    be repeated. Raises `VisionError`; before the first frame is written, what is at the output
    stays as it is.
    """
    source = parse_source(settings.input)
    start = parse_start_time(settings.start_time)
    output, summary_path = _output_paths(settings)
    is_live = not isinstance(source, FileSource | FolderSource)
    check_reachable(source, wait_for_source=settings.reconnect_seconds is None)
    if settings.show:
        check_display()
    with ExitStack() as stack:
        outputs = stack.enter_context(Outputs(settings, output, is_live=is_live))
        if is_live:
            # a start that was not given is the moment at which the camera is opened
            start = parse_start_time(settings.start_time)
            if outputs.stored is not None:
                start = max(start, outputs.stored.last_capture_ts)
        run_id = outputs.run_id or default_run_id(settings.store_id, settings.camera_id, start)
        identity = Source(
            store_id=settings.store_id, camera_id=settings.camera_id, stream_id=settings.stream_id
        )
        written = Written()
        watch = stack.enter_context(CameraWatch(settings, identity, run_id, output, written))
        video = stack.enter_context(_open(source, settings, start, should_stop, watch))
        watch.video = video
        extraction = _Extraction(settings, outputs, video, identity, run_id, written)
        window = stack.enter_context(LiveWindow(str(source))) if settings.show else None
        expected = _expected_frames(settings, video)
        shown = stack.enter_context(progress.Progress(expected))
        try:
            ended_by = extraction.run(should_stop, watch, window, shown)
            lost = None
        except SourceError as error:
            ended_by, lost = EndedBy.SOURCE_LOST, error
        if written.frames == 0:
            raise lost or StoppedEarlyError("stopped before the first frame: nothing was written")
        if is_live and lost is not None:
            watch.on_end(str(lost))
        extraction.tell_missing()
        try:
            outputs.finish()
        finally:
            # a broker that is away for good takes nothing from the file, which has its name by now
            summary = extraction.summary(ended_by, shown.seconds)
            write_whole(summary_path, json.dumps(summary.as_dict(), indent=2) + "\n")
    if lost is not None:
        kept = f"{lost}; the {summary.frames} frames until then are in {output or summary.to}"
        raise SourceLostError(kept) if is_live else SourceError(kept)
    return summary


@dataclass(frozen=True, slots=True)
class _Read:
    """A frame, and what had been missed of the source by then."""

    frame: VideoFrame
    unreadable: int
    limited: int


class _Extraction:
    """The way of each frame, from the opened video to the outputs."""

    def __init__(
        self,
        settings: ExtractSettings,
        outputs: Outputs,
        video: Video,
        identity: Source,
        run_id: str,
        written: Written,
    ) -> None:
        """Load the detector. Raises `VisionError`."""
        self._settings, self._outputs, self._video = settings, outputs, video
        self._identity, self._run_id, self._written = identity, run_id, written
        height, width = video.frame_size
        self._mask = Mask(settings.mask, width, height)
        self._detector: Detector = make_detector(settings, video.frame_size, progress.warn)
        rate = video.kept_frame_rate
        self._tracker: Tracker = make_tracker(settings, None if rate is None else float(rate))
        self._messages = Messages(
            identity, run_id, Model(detector=self._detector.name, tracker=self._tracker.name)
        )
        self._unreadable = self._limited = self._dropped = 0
        self._stored: StoredFrames | None = None
        self._first_index = self._first_track_id = 0
        self._shift_ms: int | None = 0
        self._resumed = 0 if outputs.stored is None else outputs.stored.frames
        if outputs.stored is not None:
            self._go_on()

    def _go_on(self) -> None:
        """Take up what an earlier extraction has left."""
        stored = self._outputs.stored
        assert stored is not None  # noqa: S101  told by the caller
        if not self._video.is_live:
            self._stored = StoredFrames(stored)
            # the start is not stored: it follows from the first frame's time
            self._shift_ms = None
            return
        for frame in stored:
            self._written.count(frame)
        self._first_index = stored.last_frame_index + 1
        self._first_track_id = self._written.highest_track_id
        self._outputs.publish_all_stored()

    def run(
        self,
        should_stop: Callable[[], bool],
        watch: CameraWatch,
        window: LiveWindow | None,
        shown: progress.Progress,
    ) -> EndedBy:
        """Until something ends it. Raises `SourceError` behind the last frame of a lost source."""
        video, batch = self._video, self._settings.batch
        room = max(ROOM_FOR_A_CAMERA, batch) if video.is_live else ROOM_FOR_A_FILE + batch
        most = max(self._settings.max_frames or sys.maxsize, self._resumed)
        read = ReadFrames(self._read(), is_live=video.is_live, room=room)
        with InOrder(
            lambda: read.take(batch), self._look, workers=self._detector.concurrency
        ) as found:
            try:
                for arrived, objects in found.results(should_stop):
                    self._dropped += arrived.dropped_before
                    watch.dropped_frames = self._dropped
                    seen, track_ids = self._follow(arrived, objects)
                    shown.advance()
                    image = arrived.frame.frame.image
                    if window is not None and not window.show(image, seen, track_ids):
                        return EndedBy.WINDOW
                    if self._written.frames >= most:
                        return EndedBy.MAX_FRAMES
                if should_stop():
                    return EndedBy.STOP
                # frames behind the last one that could be read
                self._unreadable, self._limited = video.unreadable, video.limited
                return EndedBy.END_OF_VIDEO
            finally:
                video.stop()
                read.close()

    def _read(self) -> Iterator[_Read]:
        """By the reader's thread."""
        for frame in self._video.frames(self._first_index):
            yield _Read(frame, self._video.unreadable, self._video.limited)

    def _look(self, arrived: Sequence[Arrived[_Read]]) -> list[list[SeenObject] | None]:
        """What there is in each frame, by a detector's thread; None for a stored frame."""
        last_stored = -1 if self._stored is None else self._stored.last_index
        frames = [one.frame.frame for one in arrived]
        new = [frame for frame in frames if frame.index > last_stored]
        found = self._detector.detect([frame.image for frame in new]) if new else []
        height, width = self._video.frame_size
        seen = [self._mask.outside(clip_detections(each, width, height)) for each in found]
        return [None] * (len(frames) - len(new)) + seen

    def _follow(
        self, arrived: Arrived[_Read], objects: list[SeenObject] | None
    ) -> tuple[list[SeenObject], list[int | None]]:
        """Track and write one frame, in the order of the frames; what was written."""
        read, frame = arrived.frame, arrived.frame.frame
        self._unreadable, self._limited = read.unreadable, read.limited
        is_stored = objects is None and self._stored is not None
        if objects is None:
            assert self._stored is not None  # noqa: S101  as _look says
            objects = self._stored.take(frame.index)
            if self._shift_ms is None:
                self._shift_ms = self._stored.first_epoch_ms - frame.captured_epoch_ms
        ids = [
            None if each is None else each + self._first_track_id
            for each in self._tracker.update(frame.image, objects)
        ]
        message: Frame = self._messages.of(
            frame.index,
            frame.captured_epoch_ms + (self._shift_ms or 0),
            self._video.frame_size,
            objects,
            ids,
            arrived.dropped_before,
        )
        if is_stored and self._stored is not None:
            self._stored.check(message)
            self._outputs.publish_stored(message)
        else:
            self._outputs.write(message)
        self._written.count(message)
        return objects, ids

    def tell_missing(self) -> None:
        """Warn of what did not get through."""
        if self._unreadable:
            progress.warn(
                f"{self._unreadable} frames of {self._video.source} cannot be read and are missing"
            )
        if self._dropped:
            progress.warn(
                f"{self._dropped} frames were dropped: they came faster than they could be looked "
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
            unreadable_files=self._video.unreadable_files,
            dropped_frames=self._dropped,
            limited_frames=self._limited,
            reconnections=self._video.reconnections,
            silent_seconds=round(self._video.silent_seconds, 3),
            ended_by=str(ended_by),
            seconds=round(seconds, 3),
            peak_memory_mib=_peak_memory_mib(),
        )


def _open(
    source: VideoSource,
    settings: ExtractSettings,
    start: datetime,
    should_stop: Callable[[], bool],
    watch: CameraWatch,
) -> Video:
    return Video(
        source,
        frame_rate=parse_frame_rate(settings.frame_rate) if settings.frame_rate else None,
        clock=settings.clock,
        start=start,
        fps_limit=settings.fps_limit,
        live=LiveSettings(
            reconnect_seconds=settings.reconnect_seconds,
            wait_for_source=settings.reconnect_seconds is None,
        ),
        should_stop=should_stop,
        on_silence=watch.on_silence,
        on_return=watch.on_return,
        warn=progress.warn,
    )


def _output_paths(settings: ExtractSettings) -> tuple[Path | None, Path]:
    """The lines' path, if they go to a file, and the summary's."""
    given = settings.output_path()
    output = None if given is None else Path(given).expanduser()
    if settings.summary is None:
        beside = output or Path(settings.default_output_path())
        return output, beside.with_name(f"{beside.stem}.summary.json")
    summary = Path(settings.summary).expanduser()
    if output is not None and summary.absolute() == output.absolute():
        raise OutputError(f"--output and --summary are the same file: {output}")
    return output, summary


def _expected_frames(settings: ExtractSettings, video: Video) -> int | None:
    announced = video.announced_frames
    rate, limit = video.frame_rate, video.fps_limit
    if announced is not None and rate is not None and limit is not None and limit < rate:
        announced = int(announced * limit / rate) + 1
    known = (settings.max_frames, announced)
    return min((count for count in known if count is not None), default=None)


def _peak_memory_mib() -> int:
    """The most that this process has held at once."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # bytes on macOS, KiB elsewhere
    return peak // 2**20 if sys.platform == "darwin" else peak // 2**10
