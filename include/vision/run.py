"""`extract`: one capture of one camera, from its source to its lines and summary."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from frame_contract import Source
from vision import progress
from vision.camera_watch import CameraWatch
from vision.errors import (
    DetectorError,
    SourceChangedError,
    SourceDamagedError,
    SourceError,
    SourceLostError,
    StoppedEarlyError,
    VisionError,
)
from vision.extraction import Extraction
from vision.live import LiveSettings
from vision.metadata import Written
from vision.output import check_writable, write_whole
from vision.outputs import Outputs
from vision.run_files import RunFiles
from vision.settings import ExtractSettings, parse_frame_rate
from vision.sources import RecordedSource, check_reachable, parse_source
from vision.sources import Source as VideoSource
from vision.summary import EndedBy, ExtractSummary
from vision.timestamps import default_run_id, parse_start_time
from vision.video import Video
from vision.window import LiveWindow, check_display

__all__ = ["ExtractSettings", "ExtractSummary", "StoppedEarlyError", "extract"]


def _never() -> bool:
    return False


def extract(settings: ExtractSettings, should_stop: Callable[[], bool] = _never) -> ExtractSummary:
    """Write one line a frame to the output, and the summary beside it.

    `should_stop` is asked before each frame, and several times a second; at True the run ends as
    if the video ended there. The same video, settings and start give the same bytes, so a run can
    be repeated. Raises `VisionError`; before the first frame is written, what is at the output
    stays as it is. Where frames of a recording cannot be read, it raises `SourceDamagedError` when
    all others are written, unless `settings.accept_damage`.
    """
    source = parse_source(settings.input)
    start = parse_start_time(settings.start_time)
    files = RunFiles.of(settings)
    is_live = not isinstance(source, RecordedSource)
    check_reachable(source, wait_for_source=settings.reconnect_seconds is None)
    files.check_apart(source)
    check_writable(files.summary)
    if settings.show:
        check_display()
    with ExitStack() as stack:
        outputs = stack.enter_context(Outputs(settings, files.output, is_live=is_live))
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
        watch = stack.enter_context(
            CameraWatch(settings, identity, run_id, files.output, written, is_live=is_live)
        )
        video = stack.enter_context(_open(source, settings, start, should_stop, watch))
        watch.video = video
        extraction = Extraction(settings, outputs, video, identity, run_id, written, should_stop)
        window = stack.enter_context(LiveWindow(str(source))) if settings.show else None
        expected = _expected_frames(settings, video)
        shown = stack.enter_context(progress.Progress(expected))
        try:
            ended_by = extraction.run(watch, window, shown)
            failure: VisionError | None = None
        except SourceError as error:
            ended_by, failure = EndedBy.SOURCE_LOST, error
        except DetectorError as error:
            ended_by, failure = EndedBy.DETECTOR_FAILED, error
        extraction.count_unread(ended_by)
        if written.frames == 0:
            raise failure or StoppedEarlyError(
                "stopped before the first frame: nothing was written"
            )
        if is_live and failure is not None:
            watch.on_end(str(failure))
        extraction.tell_dropped()
        damage = extraction.damage()
        # one end has one reason
        is_minor = failure is not None or ended_by is EndedBy.STOP or settings.accept_damage
        if damage is not None and is_minor:
            progress.warn(f"{damage}: they are missing")
        try:
            outputs.finish()
        finally:
            # a broker that is away for good takes nothing from the file, which has its name by now
            summary = extraction.summary(ended_by, shown.seconds)
            write_whole(files.summary, json.dumps(summary.as_dict(), indent=2) + "\n")
    place = files.output or summary.to
    if failure is not None:
        kept = f"{failure}; the {summary.frames} frames until then are in {place}"
        if is_live and files.output is not None and not isinstance(failure, SourceChangedError):
            kept += ": --resume goes on with it"
        if isinstance(failure, DetectorError):
            raise DetectorError(kept) from failure
        raise (SourceLostError(kept) if is_live else SourceError(kept)) from failure
    if damage is not None and not is_minor:
        raise SourceDamagedError(
            f"{damage}: the {summary.frames} frames that could be are in {place}; "
            "copy the recording again, or accept the holes with --accept-damage"
        )
    return summary


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


def _expected_frames(settings: ExtractSettings, video: Video) -> int | None:
    announced = video.announced_frames
    rate, limit = video.frame_rate, video.fps_limit
    if announced is not None and rate is not None and limit is not None and limit < rate:
        announced = int(announced * limit / rate) + 1
    known = (settings.max_frames, announced)
    return min((count for count in known if count is not None), default=None)
