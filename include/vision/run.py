"""One extraction: read, detect, track, write, frame by frame."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from frame_contract import Model
from vision import progress
from vision.boxes import clip_detections
from vision.detectors import make_detector
from vision.errors import OutputError, SourceError, SourceLostError, StoppedEarlyError
from vision.live import LiveSettings
from vision.metadata import MetadataWriter
from vision.output import JsonLinesFile, write_whole
from vision.settings import ExtractSettings, parse_frame_rate
from vision.sources import FileSource, FolderSource, Source, check_reachable, parse_source
from vision.summary import EndedBy, ExtractSummary
from vision.timestamps import default_run_id, parse_start_time
from vision.tracking import make_tracker
from vision.video import Video
from vision.window import LiveWindow, check_display

__all__ = ["ExtractSettings", "ExtractSummary", "StoppedEarlyError", "extract"]


def _never() -> bool:
    return False


def extract(settings: ExtractSettings, should_stop: Callable[[], bool] = _never) -> ExtractSummary:
    """Write one line a frame to the output, and the summary beside it.

    `should_stop` is asked before each frame; at True the run ends as if the video ended there.
    The same video, settings and start give the same bytes, so a run can be repeated. Raises
    `VisionError`; before the first frame is written, what is at the output stays as it is.
    """
    source = parse_source(settings.input)
    start = parse_start_time(settings.start_time)
    output, summary_path = _output_paths(settings)
    check_reachable(source)
    if settings.show:
        check_display()

    with ExitStack() as stack:
        lines = stack.enter_context(JsonLinesFile(output))
        if isinstance(source, FileSource | FolderSource):
            # what is no video is told before seconds are spent on loading the detector
            video = stack.enter_context(_open(source, settings, start, should_stop))
            detector = make_detector(settings, progress.warn)
        else:
            # the other way round, lest frames grow old in the camera's buffer meanwhile
            detector = make_detector(settings, progress.warn)
            # now, not when the detector began to load
            start = parse_start_time(settings.start_time)
            video = stack.enter_context(_open(source, settings, start, should_stop))
        tracker = make_tracker(settings)
        writer = MetadataWriter(
            settings,
            run_id=settings.run_id or default_run_id(settings.store_id, settings.camera_id, start),
            model=Model(detector=detector.name, tracker=tracker.name),
            lines=lines,
        )
        window = stack.enter_context(LiveWindow(str(source))) if settings.show else None
        shown = stack.enter_context(progress.Progress(_expected_frames(settings, video)))

        ended_by = EndedBy.END_OF_VIDEO
        lost: SourceError | None = None
        frames = iter(video)
        while True:
            if should_stop():
                ended_by = EndedBy.STOP
                break
            if lines.lines == settings.max_frames:
                ended_by = EndedBy.MAX_FRAMES
                break
            try:
                frame = next(frames, None)
            except SourceError as error:
                ended_by, lost = EndedBy.SOURCE_LOST, error
                break
            if frame is None:
                ended_by = EndedBy.STOP if should_stop() else EndedBy.END_OF_VIDEO
                break
            height, width = frame.image.shape[:2]
            seen = clip_detections(detector.detect(frame.image), width, height)
            track_ids = tracker.update(frame.image, seen)
            writer.write(frame, frame.captured_epoch_ms, seen, track_ids)
            shown.advance()
            if window is not None and not window.show(frame.image, seen, track_ids):
                ended_by = EndedBy.WINDOW
                break

        if lines.lines == 0:
            raise StoppedEarlyError("stopped before the first frame: nothing was written")
        if video.unreadable:
            progress.warn(f"{video.unreadable} frames of {source} cannot be read and are missing")
        summary = writer.summary(
            unreadable_frames=video.unreadable, ended_by=ended_by, seconds=shown.seconds
        )
        lines.finish()
        write_whole(summary_path, json.dumps(summary.as_dict(), indent=2) + "\n")
    if lost is not None:
        kept = f"{lost}; the {summary.frames} frames until then are in {output}"
        raise SourceLostError(kept) if video.is_live else SourceError(kept)
    return summary


def _open(
    source: Source, settings: ExtractSettings, start: datetime, should_stop: Callable[[], bool]
) -> Video:
    return Video(
        source,
        frame_rate=parse_frame_rate(settings.frame_rate) if settings.frame_rate else None,
        clock=settings.clock,
        start=start,
        fps_limit=settings.fps_limit,
        live=LiveSettings(reconnect_seconds=settings.reconnect_seconds),
        should_stop=should_stop,
        warn=progress.warn,
    )


def _output_paths(settings: ExtractSettings) -> tuple[Path, Path]:
    """The lines' path and the summary's."""
    output = Path(settings.output_path() or "").expanduser()
    if settings.summary is None:
        return output, output.with_name(f"{output.stem}.summary.json")
    summary = Path(settings.summary).expanduser()
    if summary.absolute() == output.absolute():
        raise OutputError(f"--output and --summary are the same file: {output}")
    return output, summary


def _expected_frames(settings: ExtractSettings, video: Video) -> int | None:
    known = (settings.max_frames, video.announced_frames)
    return min((count for count in known if count is not None), default=None)
