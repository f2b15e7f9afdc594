"""Health events of one camera's run: told on stderr, kept beside the JSONL, published."""

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from frame_contract import Source
from frame_contract.health import CameraHealth, HealthEvent, encode_health, health_properties
from frame_contract.timestamps import epoch_milliseconds, in_utc_milliseconds
from replay.message import Message
from vision import progress
from vision.errors import OutputError, VisionError
from vision.publishing import parse_destination, replay_settings, saying_errors

ACK_TIMEOUT_SECONDS = 10.0
"""How long the end of a run waits for the broker to take the last events."""


def health_path(output: Path) -> Path:
    """`video.health.jsonl` for `video.jsonl`."""
    return output.with_name(f"{output.stem}.health.jsonl")


class HealthLog:
    """What happens to a camera, event by event; a context manager.

    An event that cannot be kept or published is told on stderr and ends nothing: it is about the
    camera that is being read, and reading it goes on. May be called from any one thread at a time.
    """

    def __init__(
        self,
        source: Source,
        run_id: str,
        *,
        path: Path | None = None,
        to: str | None = None,
        teller: str = "extract",
        say: Callable[[str], None] = progress.warn,
    ) -> None:
        """Nothing is opened yet: the first event to be published connects, unless `connect` did.

        :param path: the file that events are appended to, made with the first one; None: no file
        :param to: where frames are published: events go to the topic `health` beside; None: nowhere
        :param teller: who tells; two that tell of one run at once need two names
        :param say: tells people, in one line
        """
        self._source, self._run_id, self._path, self._say = source, run_id, path, say
        self._to = to
        self._name = f"health/{source.store_id}/{source.camera_id}/{run_id}/{teller}"
        self._publisher: _Publisher | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._publisher is not None:
            try:
                self._publisher.close(kind is None)
            except VisionError as failure:
                self._say(f"health events were not published: {failure}")

    def connect(self) -> None:
        """Connect now, if events are to be published. Raises `OutputError` if nothing answers."""
        if self._to is not None and self._publisher is None:
            self._publisher = _Publisher(self._to, self._name)

    def tell(
        self,
        event: HealthEvent,
        *,
        last_capture_ts: datetime | None = None,
        silent_seconds: float = 0.0,
        frames: int = 0,
        dropped_frames: int = 0,
        reconnections: int = 0,
        detail: str = "",
    ) -> CameraHealth:
        """Tell one event, now; what the counts mean is said at `CameraHealth`."""
        health = CameraHealth(
            event=event,
            store_id=self._source.store_id,
            camera_id=self._source.camera_id,
            run_id=self._run_id,
            at=in_utc_milliseconds(datetime.now(UTC)),
            last_capture_ts=last_capture_ts,
            silent_seconds=round(silent_seconds, 3),
            frames=frames,
            dropped_frames=dropped_frames,
            reconnections=reconnections,
            detail=detail,
        )
        line = encode_health(health)
        self._say(in_words(health))
        if self._path is not None:
            try:
                append_line(self._path, line)
            except OSError as error:
                self._say(f"cannot write {self._path}: {error.strerror or error}")
        try:
            self.connect()
            if self._publisher is not None:
                self._publisher.send(line, health)
        except VisionError as error:
            self._say(f"a health event was not published: {error}")
        return health


def in_words(health: CameraHealth) -> str:
    """One line for people: `store_01/cam_01: no frame for 10 s (412 frames so far)`."""
    what = {
        HealthEvent.SILENT: f"no frame for {health.silent_seconds:.0f} s",
        HealthEvent.RETURNED: f"frames again after {health.silent_seconds:.0f} s",
        HealthEvent.STOPPED: "no longer watched",
    }[health.event]
    detail = f": {health.detail}" if health.detail else ""
    return (
        f"{health.store_id}/{health.camera_id}: {what}{detail} ({health.frames} frames so far, "
        f"{health.dropped_frames} dropped, {health.reconnections} reconnections)"
    )


def append_line(path: Path, line: bytes) -> None:
    """Add one line by one write; what a crash may have cut off before it is ended first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        whole = line + b"\n"
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            whole = b"\n" + whole
        if os.write(descriptor, whole) != len(whole):
            raise OSError(0, "the disk is full")
    finally:
        os.close(descriptor)


class _Publisher:
    """Sends events to the health topic, without waiting for any but at the end."""

    def __init__(self, to: str, producer_name: str) -> None:
        destination = parse_destination(to)
        settings = replay_settings(
            destination.url, destination.health_topic, ack_timeout_seconds=ACK_TIMEOUT_SECONDS
        )
        # the client's library is loaded by those who publish only
        from replay.topic import Outbox, Topic

        self._name = producer_name
        self._outbox = Outbox(settings, progress.warn)
        with saying_errors(), contextlib.ExitStack() as on_error:
            self._topic = on_error.enter_context(Topic(settings))
            self._last_id = self._topic.last_sequence_id(self._name)
            on_error.pop_all()

    def send(self, line: bytes, health: CameraHealth) -> None:
        """Hand it to the client; raises `OutputError`."""
        # the time, so that another process that goes on with the run comes behind
        self._last_id = max(epoch_milliseconds(health.at), self._last_id + 1)
        message = Message(
            self._name,
            self._last_id,
            line,
            health_properties(health),
            f"{health.store_id}/{health.camera_id}",
            epoch_milliseconds(health.at),
        )
        with saying_errors():
            self._outbox.send(self._topic.producer(self._name), message)

    def close(self, is_orderly: bool) -> None:
        """Wait for the broker, unless an error ends the run; raises `OutputError`."""
        try:
            with saying_errors():
                self._outbox.drain()
        except OutputError:
            self._topic.__exit__(OutputError, None, None)
            raise
        else:
            self._topic.__exit__(None if is_orderly else OutputError, None, None)
