"""A camera's silences, told as health events with what the run had counted by then."""

from pathlib import Path
from types import TracebackType
from typing import Self

from frame_contract import Source
from frame_contract.health import HealthEvent
from vision.health import HealthLog, health_path
from vision.metadata import Written
from vision.settings import ExtractSettings
from vision.video import Video


class CameraWatch:
    """Listens to a live video. A file is never silent: for one it opens nothing."""

    def __init__(
        self,
        settings: ExtractSettings,
        identity: Source,
        run_id: str,
        output: Path | None,
        written: Written,
        *,
        is_live: bool,
    ) -> None:
        """Connect, if the run publishes; raises `OutputError`."""
        self.video: Video | None = None
        """Told once it is open."""
        self.dropped_frames = 0
        """Told as it grows."""
        self._written = written
        self._log = (
            HealthLog(
                identity,
                run_id,
                path=None if output is None else health_path(output),
                to=settings.to,
            )
            if is_live
            else None
        )
        if self._log is not None:
            # at the start, where waiting for a broker holds up nobody
            self._log.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._log is not None:
            self._log.__exit__(kind, error, trace)

    def on_silence(self, seconds: float) -> None:
        """No frame for so long."""
        self._tell(HealthEvent.SILENT, seconds)

    def on_return(self, seconds: float) -> None:
        """Frames again, after so long."""
        self._tell(HealthEvent.RETURNED, seconds)

    def on_end(self, reason: str) -> None:
        """The camera is given up."""
        self._tell(HealthEvent.STOPPED, 0.0, reason)

    def _tell(self, event: HealthEvent, silent_seconds: float, detail: str = "") -> None:
        if self._log is None:
            return
        self._log.tell(
            event,
            last_capture_ts=self._written.latest,
            silent_seconds=silent_seconds,
            frames=self._written.frames,
            dropped_frames=self.dropped_frames,
            reconnections=self.video.reconnections if self.video else 0,
            detail=detail,
        )
