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
from vision.errors import OutputError, SourceError, SourceLostError, VisionError
from vision.metadata import MetadataWriter
from vision.output import JsonLinesFile, write_whole
from vision.settings import ExtractSettings, parse_frame_rate
from vision.sources import FileSource, Source, check_reachable, parse_source
from vision.summary import EndedBy, ExtractSummary
from vision.timestamps import (
    FrameClock,
    LiveClock,
    PositionClock,
    RateClock,
    default_run_id,
    parse_start_time,
)
from vision.tracking import make_tracker
from vision.video import Video
from vision.window import LiveWindow, check_display

__all__ = ["ExtractSettings", "ExtractSummary", "StoppedEarlyError", "extract"]


class StoppedEarlyError(VisionError):
    """The run was stopped before there was a frame to write."""


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
        if isinstance(source, FileSource):
            # what is no video is told before seconds are spent on loading the detector
            video = stack.enter_context(_open(source, settings))
            detector = make_detector(settings, progress.warn)
        else:
            # the other way round, lest frames grow old in the camera's buffer meanwhile
            detector = make_detector(settings, progress.warn)
            video = stack.enter_context(_open(source, settings))
        tracker = make_tracker(settings)
        if video.is_live:
            # now, not when the detector began to load
            start = parse_start_time(settings.start_time)
        clock = _clock(settings, video, start)
        writer = MetadataWriter(
            settings,
            run_id=settings.run_id or default_run_id(settings.store_id, settings.camera_id, start),
            model=Model(detector=detector.name, tracker=tracker.name),
            lines=lines,
        )
        window = stack.enter_context(LiveWindow(str(source))) if settings.show else None
        shown = stack.enter_context(progress.Progress(_expected_frames(settings, video)))

        ended_by = EndedBy.SOURCE_LOST if video.is_live else EndedBy.END_OF_VIDEO
        frames = iter(video)
        while True:
            if should_stop():
                ended_by = EndedBy.STOP
                break
            if lines.lines == settings.max_frames:
                ended_by = EndedBy.MAX_FRAMES
                break
            unreadable = video.unreadable
            frame = next(frames, None)
            if frame is None:
                break
            # before the detector, which takes its time while a camera's clock runs
            captured_epoch_ms = clock.capture_epoch_ms(frame.index, frame.position_ms)
            if video.unreadable and not unreadable:
                progress.warn(f"{source} is damaged before frame {frame.index}; going on behind it")
            height, width = frame.image.shape[:2]
            seen = clip_detections(detector.detect(frame.image), width, height)
            track_ids = tracker.update(frame.image, seen)
            writer.write(frame, captured_epoch_ms, seen, track_ids)
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
    if ended_by is EndedBy.SOURCE_LOST:
        raise SourceLostError(
            f"{source} stopped giving frames after {summary.frames}; they are in {output}; "
            "start again when it is back"
        )
    return summary


def _open(source: Source, settings: ExtractSettings) -> Video:
    rate = parse_frame_rate(settings.frame_rate) if settings.frame_rate else None
    return Video(source, rate)


def _output_paths(settings: ExtractSettings) -> tuple[Path, Path]:
    """The lines' path and the summary's."""
    output = Path(settings.output_path() or "").expanduser()
    if settings.summary is None:
        return output, output.with_name(f"{output.stem}.summary.json")
    summary = Path(settings.summary).expanduser()
    if summary.absolute() == output.absolute():
        raise OutputError(f"--output and --summary are the same file: {output}")
    return output, summary


def _clock(settings: ExtractSettings, video: Video, start: datetime) -> FrameClock:
    if video.is_live:
        return LiveClock(start)
    if settings.clock == "pts":
        return PositionClock(start)
    if video.frame_rate is None:
        raise SourceError(
            f"{video.source} does not say how many frames a second it has: "
            "give --frame-rate, or --clock pts for its own time stamps"
        )
    return RateClock(start, video.frame_rate)


def _expected_frames(settings: ExtractSettings, video: Video) -> int | None:
    known = (settings.max_frames, video.announced_frames)
    return min((count for count in known if count is not None), default=None)
