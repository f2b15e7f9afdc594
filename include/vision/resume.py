"""Going on with the run that an interrupted extraction has left.

The tracker's memory is not stored. It is made again: each stored frame is decoded once more and
the tracker is shown what the detector saw in it then. So a file that was interrupted and resumed
gives the very bytes of one that was not, and no frame is detected twice.
"""

import itertools
from collections.abc import Iterator

from frame_contract import Frame, format_capture_ts
from vision.boxes import PixelBox, SeenObject
from vision.errors import OutputError, SettingsError
from vision.reading import RecordedRun
from vision.settings import ExtractSettings
from vision.timestamps import to_epoch_ms


def check_same_run(run: RecordedRun, settings: ExtractSettings) -> None:
    """Raise `SettingsError` where the settings ask for another camera or another run."""
    source = next(iter(run)).source
    for option, wanted, stored in (
        ("--store-id", settings.store_id, source.store_id),
        ("--camera-id", settings.camera_id, source.camera_id),
        ("--stream-id", settings.stream_id, source.stream_id),
        ("--run-id", settings.run_id or run.run_id, run.run_id),
    ):
        if wanted != stored:
            raise SettingsError(
                f"--resume: {run.path} was written with {option} {stored}, not {wanted}; "
                "give the same, or leave --resume out to begin anew"
            )


class StoredFrames:
    """The stored frames of a file's run, against which the file is read again."""

    def __init__(self, run: RecordedRun) -> None:
        self._run = run
        self._frames: Iterator[Frame] = iter(run)
        self._latest: Frame | None = None
        self.last_index = run.last_frame_index

    def later_by_ms(self, first_epoch_ms: int, settings: ExtractSettings) -> int:
        """How much later the run began than the video's first frame is timed now.

        The start is not stored: it follows from the first line. Raises `SettingsError` if the
        settings say another one.
        """
        later_ms = to_epoch_ms(self._run.first_capture_ts) - first_epoch_ms
        if later_ms and settings.start_time is not None:
            raise SettingsError(
                f"--resume: --start-time {settings.start_time} is not when {self._run.path} begins "
                f"({format_capture_ts(self._run.first_capture_ts)}, its first frame); leave "
                "--start-time out to go on, or leave --resume out to begin anew"
            )
        return later_ms

    def rest(self) -> Iterator[Frame]:
        """Those that were not taken."""
        # the file may have new lines behind them by now
        return itertools.takewhile(lambda each: each.frame_index <= self.last_index, self._frames)

    def take(self, frame_index: int) -> list[SeenObject]:
        """What the detector saw in the frame; to be called in the order of the frames.

        Raises `OutputError` if the file has a frame here that is not stored.
        """
        frame = self._latest = next(self._frames, None)
        if frame is None or frame.frame_index != frame_index:
            raise self.another_video(frame_index)
        return [
            SeenObject(
                one.class_name,
                one.conf,
                PixelBox(int(one.bbox.x1), int(one.bbox.y1), int(one.bbox.x2), int(one.bbox.y2)),
            )
            for one in frame.detections
        ]

    def check(self, frame: Frame) -> None:
        """Raise `OutputError` if the frame taken last would not be written the same again."""
        if frame != self._latest:
            raise self.another_video(frame.frame_index)

    def another_video(self, frame_index: int) -> OutputError:
        """The error that says so."""
        return OutputError(
            f"--resume: frame {frame_index} would not be what stands in {self._run.path}: that "
            "was written from another video or with other settings; give the same, or leave "
            "--resume out to begin anew"
        )
