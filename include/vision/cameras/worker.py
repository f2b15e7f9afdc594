"""One camera's process: its settings come on stdin, how it goes is told on stdout.

Settings may hold a password, and what stands in a command line can be read by anyone on the
machine. Stdin stays open: when it ends, whoever started this is gone, and the run ends as by a
signal, its file whole.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import msgspec

from vision import progress
from vision.cameras.reports import Alive, Done, Failed, Frames, Report, encode_report
from vision.errors import SourceChangedError, StoppedEarlyError, VisionError
from vision.leaving import leave, when_stdin_ends
from vision.settings import ExtractSettings
from vision.streams import survive_their_readers
from vision.summary import ExtractSummary

SECONDS_BETWEEN_REPORTS = 1.0
DONE, BAD_INPUT, STOPPED = 0, 2, 128 + signal.SIGTERM


def main() -> int:
    """Extract as stdin says; the exit code is that of `python -m vision`."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _setting(stop))
    reports = _Reports(_stdout_for_reports())
    settings = msgspec.json.decode(_first_line(), type=ExtractSettings)
    when_stdin_ends(stop.set)
    progress.listener = reports.frames
    began = time.time()
    # OpenCV and the trackers take their time to import
    from vision.run import extract

    try:
        summary = extract(settings, reports.alive_unless(stop.is_set))
    except StoppedEarlyError:
        return STOPPED
    except VisionError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        kept = _written_summary(settings, began)
        # what ended a run that has frames is the cause of its error
        is_changed = isinstance(error.__cause__, SourceChangedError)
        kind = SourceChangedError if is_changed else type(error)
        reports.tell(Failed(kind=kind.__name__, text=str(error), summary=kept))
        return BAD_INPUT
    reports.tell(Done(summary=summary))
    return STOPPED if stop.is_set() else DONE


class _Reports:
    """Writes reports, those of frames only now and then."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._next_at: dict[type[Report], float] = {}
        self._lock = threading.Lock()

    def frames(self, done: int, total: int | None) -> None:
        self._tell_now_and_then(Frames(done=done, total=total))

    def alive_unless(self, should_stop: Callable[[], bool]) -> Callable[[], bool]:
        """The same question, by which it is known that the thread that writes goes on."""

        def asked() -> bool:
            if should_stop():
                return True
            if threading.current_thread() is threading.main_thread():
                self._tell_now_and_then(Alive())
            return False

        return asked

    def _tell_now_and_then(self, report: Report) -> None:
        kind = type(report)
        if time.monotonic() >= self._next_at.get(kind, 0.0):
            self._next_at[kind] = time.monotonic() + SECONDS_BETWEEN_REPORTS
            self.tell(report)

    def tell(self, report: Report) -> None:
        try:
            with self._lock:
                self._file.write(encode_report(report))
                self._file.flush()
        except OSError:
            pass  # nobody listens any more: stdin will end too


def _stdout_for_reports() -> BinaryIO:
    """Stdout for us alone: what libraries print goes to stderr."""
    file = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return file


def _written_summary(settings: ExtractSettings, began: float) -> ExtractSummary | None:
    """That of a run which an error has ended behind its frames: a camera that was lost."""
    try:
        path = Path(settings.summary or "")
        if path.stat().st_mtime < began:
            return None
        return msgspec.json.decode(path.read_bytes(), type=ExtractSummary)
    except (OSError, msgspec.MsgspecError):
        return None


def _setting(stop: threading.Event) -> "signal._HANDLER":
    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop.set()

    return on_signal


def _first_line() -> bytes:
    """Of stdin, read without Python's buffer: a thread that waits in it breaks the way out."""
    line = b""
    while not line.endswith(b"\n"):
        read = os.read(0, 65_536)
        if not read:
            break
        line += read
    return line


if __name__ == "__main__":
    survive_their_readers()
    leave(main())
