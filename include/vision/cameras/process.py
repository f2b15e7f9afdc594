"""Watching over one camera: its process, started again where that helps, until it is done."""

import contextlib
import subprocess
import sys
import threading
import time
from typing import IO

import msgspec

from frame_contract import Source
from frame_contract.health import HealthEvent
from vision.cameras.attempts import BAD_INPUT, DONE, STOPPED, Attempt, Attempts
from vision.cameras.camera import Camera
from vision.cameras.reports import Alive, Done, Failed, Frames, decode_report
from vision.cameras.runs import again, named
from vision.cameras.screen import Screen
from vision.health import HealthLog, health_path
from vision.summary import EndedBy

WORKER = "vision.cameras.worker"
NOT_STARTED = 126
"""The exit code of a process that there was no room for."""
PIPE_SECONDS = 5.0
"""How long what a process has said is read behind its end: one that it started may go on."""
HUNG_SECONDS = 10.0
"""How long the process of a live camera that has given frames may say nothing of how it goes."""
LOOK_SECONDS = 1.0


class CameraProcess:
    """One camera. `watch` is to run in a thread of its own; the rest may be asked by any."""

    def __init__(self, camera: Camera, screen: Screen) -> None:
        self.camera = camera
        self.attempts = Attempts(is_live=camera.is_live)
        self.frames = Frames(done=0)
        """Of the process that runs."""
        self.has_ended = False
        self._screen = screen
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Done | Failed | None = None
        self._silent_since: float | None = None
        self._heard_at = 0.0
        self._run_id: str | None = None
        """Of the last process that has ended."""
        self._settings = named(camera)

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to end."""
        return self._stopping.is_set()

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        process = self._process
        return process is not None and process.poll() is None

    def watch(self) -> None:
        """Run the camera to its end."""
        try:
            self._watch()
        finally:
            self.has_ended = True

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                attempt = self._attempt()
            except OSError as error:
                self._say(f"no process could be started: {error}")
                attempt = Attempt(exit_code=NOT_STARTED, end=None, frames=0, seconds=0.0)
            if attempt is None:
                return
            self.attempts.add(attempt)
            pause = self.attempts.seconds_to_next()
            if self._stopping.is_set():
                return
            if attempt.exit_code:
                next_one = "" if pause is None else f"; starting again in {pause:g} s"
                self._tell_end(attempt, next_one)
            if pause is None:
                return
            if self.camera.is_live:
                self._silent_since = self._silent_since or time.monotonic()
            self._stopping.wait(pause)
            try:
                self._settings = again(self.camera, self._settings, attempt.end)
            except OSError as error:
                self._say(f"not started again: its file cannot be set aside: {error.strerror}")
                return

    def stop(self) -> None:
        """Ask the process to end with its file whole, and start no other."""
        with self._lock:
            self._stopping.set()
            if self._process is not None:
                # a signal to a process that has ended goes nowhere: poll() has told Popen
                self._process.terminate()

    def kill(self) -> None:
        """End the process at once; its partial file has whole lines."""
        with self._lock:
            self._stopping.set()
            if self._process is not None:
                self._process.kill()

    def _attempt(self) -> Attempt | None:
        """One process from start to end; None if there was to be none."""
        began = time.monotonic()
        self._end, self.frames = None, Frames(done=0)
        with self._lock:
            if self._stopping.is_set():
                return None
            self._process = process = subprocess.Popen(
                # the name for those who look at the list of processes
                [sys.executable, "-m", WORKER, self.camera.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Ctrl-C reaches all processes of a group: who gets it here hands it on
                start_new_session=True,
            )
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError
        self._screen.say(f"process {process.pid} reads {self.camera.source}", self.camera.name)
        readers = [
            threading.Thread(target=read, args=(pipe,), daemon=True)
            for read, pipe in ((self._hear, process.stdout), (self._show, process.stderr))
        ]
        for reader in readers:
            reader.start()
        with contextlib.suppress(OSError):
            # stays open: when it ends, the process knows that we are gone
            process.stdin.write(msgspec.json.encode(self._settings) + b"\n")
            process.stdin.flush()
        code = self._wait_for(process)
        for reader in readers:
            reader.join(PIPE_SECONDS)
        with contextlib.suppress(OSError):
            process.stdin.close()
        run_before, self._run_id = self._run_id, self._settings.run_id
        return Attempt(
            exit_code=_exit_code(code, self._end),
            end=self._end,
            frames=self.frames.done,
            seconds=time.monotonic() - began,
            is_new_run=run_before not in (None, self._run_id),
            counts_on=self.camera.is_live and self._settings.resume,
        )

    def _wait_for(self, process: subprocess.Popen[bytes]) -> int:
        """Its exit code. Meanwhile a silence is told that the process cannot tell: it hangs."""
        while True:
            try:
                return process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                silent = time.monotonic() - self._heard_at
                has_begun = self.camera.is_live and self.frames.done > 0
                if has_begun and silent >= HUNG_SECONDS and self._silent_since is None:
                    self._silent_since = self._heard_at
                    self._tell(HealthEvent.SILENT, "its process hangs", silent)

    def _hear(self, pipe: IO[bytes]) -> None:
        """Take in what the process reports."""
        for line in pipe:
            try:
                report = decode_report(line)
            except msgspec.MsgspecError:
                continue
            self._heard_at = time.monotonic()
            if isinstance(report, Frames):
                self.frames = report
                self._tell_return()
            elif not isinstance(report, Alive):
                self._end = report
                if report.summary is not None:
                    self.frames = Frames(done=report.summary.frames)

    def _show(self, pipe: IO[bytes]) -> None:
        """Hand on what the process says to people."""
        for line in pipe:
            text = line.decode(errors="replace").rstrip()
            if text:
                self._screen.say(text, self.camera.name)

    def _say(self, warning: str) -> None:
        self._screen.say(f"warning: {warning}", self.camera.name)

    def _tell_end(self, attempt: Attempt, next_one: str) -> None:
        has_told = isinstance(attempt.end, Failed) and attempt.end.summary is not None
        if self.camera.is_live and not has_told:
            self._tell(HealthEvent.STOPPED, attempt.in_words + next_one)
        elif next_one or attempt.has_crashed:
            self._say(attempt.in_words + next_one)

    def _tell_return(self) -> None:
        if self._silent_since is not None:
            seconds, self._silent_since = time.monotonic() - self._silent_since, None
            self._tell(HealthEvent.RETURNED, "", seconds)

    def _tell(self, event: HealthEvent, detail: str, silent_seconds: float = 0.0) -> None:
        """A health event about a process, which it cannot tell itself."""
        settings, output = self._settings, self.camera.output
        source = Source(
            store_id=settings.store_id, camera_id=settings.camera_id, stream_id=settings.stream_id
        )
        totals = self.attempts.total()
        running = self.frames.done if self.is_running else 0
        with HealthLog(
            source,
            settings.run_id or settings.camera_id,
            path=None if output is None else health_path(output),
            to=settings.to,
            teller="cameras",
            say=self._say,
        ) as log:
            log.tell(
                event,
                silent_seconds=silent_seconds,
                frames=self.frames.done if output is None else totals.frames + running,
                dropped_frames=totals.dropped_frames,
                reconnections=totals.reconnections,
                detail=detail,
            )


def _exit_code(code: int, end: Done | Failed | None) -> int:
    """As a shell has it. What crashes behind its end, in a library's cleaning up, has ended."""
    if isinstance(end, Failed):
        return BAD_INPUT
    if isinstance(end, Done) and code not in STOPPED:
        return STOPPED[1] if end.summary.ended_by == EndedBy.STOP else DONE
    return code if code >= 0 else 128 - code
