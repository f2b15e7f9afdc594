"""Decoding, detecting and all that follows overlap: threads with bounded queues between them.

    reader thread ──ReadFrames──▶ detector threads ──in the order of the frames──▶ the caller

A file waits where the queue is full, so no frame of it is ever dropped. A camera does not wait:
the oldest frames in the queue are let go, and counted on the frame that comes next.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

F = TypeVar("F")
R = TypeVar("R")

ROOM_FOR_A_FILE = 8
"""Frames decoded ahead of the detector: enough to hide a slow key frame (50 MB at 1080p)."""

ROOM_FOR_A_CAMERA = 2
"""Frames that may wait for the detector, a batch at least; more would only be older."""

POLL_SECONDS = 0.1
"""How often a wait looks up: a stop must not wait for a camera that is silent."""

LEAVE_SECONDS = 0.01
"""How often a thread that ends is helped along."""


@dataclass(frozen=True, slots=True)
class Arrived(Generic[F]):
    """A frame out of the queue."""

    frame: F
    dropped_before: int
    """How many were let go between the frame taken before and this one."""


class ReadFrames(Generic[F]):
    """The frames of a source, read by a thread of its own into a bounded queue."""

    def __init__(self, frames: Iterable[F], *, is_live: bool, room: int) -> None:
        """Start reading. `room` is the most frames that wait."""
        self._is_live = is_live
        self._room = room
        self._waiting: deque[F] = deque()
        self._dropped_since = 0
        self._changed = threading.Condition()
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._read, args=(iter(frames),), name="reader", daemon=True
        )
        self._thread.start()

    def take(self, most: int) -> list[Arrived[F]]:
        """The next frames in order, waiting for one; `[]` once there are no more.

        Of a file `most` of them, fewer only at its end; of a camera those that are there. What
        the source raised is raised here, behind the frames that came before it.
        """
        with self._changed:
            while not self._ended and len(self._waiting) < (1 if self._is_live else most):
                self._changed.wait()
            if not self._waiting and self._error is not None:
                error, self._error = self._error, None
                raise error
            taken: list[Arrived[F]] = []
            while self._waiting and len(taken) < most:
                taken.append(Arrived(self._waiting.popleft(), self._dropped_since))
                self._dropped_since = 0
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Stop reading; what waits is let go. Returns when the source has seen it."""
        with self._changed:
            self._closed = self._ended = True
            self._waiting.clear()
            self._changed.notify_all()
        self._thread.join()

    def _read(self, frames: Iterator[F]) -> None:
        try:
            for frame in frames:
                if not self._put(frame):
                    return
        except BaseException as error:  # noqa: BLE001  it is raised where the frames are taken
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, frame: F) -> bool:
        with self._changed:
            while not self._is_live and not self._closed and len(self._waiting) >= self._room:
                self._changed.wait()
            if self._closed:
                return False
            if len(self._waiting) >= self._room:
                self._waiting.popleft()
                self._dropped_since += 1
            self._waiting.append(frame)
            self._changed.notify_all()
            return True


class InOrder(Generic[F, R]):
    """Works on what `take` gives by several threads at once."""

    def __init__(
        self,
        take: Callable[[], Sequence[F]],
        work: Callable[[Sequence[F]], Sequence[R]],
        workers: int,
    ) -> None:
        """Start `workers` threads. `work` gives one result a frame."""
        self._take = take
        self._work = work
        self._turn = threading.Lock()
        self._ended = False
        # one waits for its results to be fetched while each worker is at the next
        self._results: queue.Queue[Future[list[tuple[F, R]]] | None] = queue.Queue(workers + 1)
        self._threads = [
            threading.Thread(target=self._run, name=f"detector-{n}", daemon=True)
            for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def results(self, should_stop: Callable[[], bool]) -> Iterator[tuple[F, R]]:
        """Each frame with its result, in the order in which `take` gave the frames.

        Ends early once `should_stop` says so, which is asked before each frame, and several times
        a second while there is none. Raises what `take` and `work` raise.
        """
        while not should_stop():
            try:
                batch = self._results.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if batch is None:
                return
            for result in batch.result():
                if should_stop():
                    return
                yield result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the threads, which end once `take` gives nothing more."""
        self._ended = True
        for thread in self._threads:
            while thread.is_alive():
                # room for a thread that waits to hand over what nobody will fetch
                with suppress(queue.Empty):
                    self._results.get_nowait()
                thread.join(LEAVE_SECONDS)

    def _run(self) -> None:
        while True:
            with self._turn:
                if self._ended:
                    return
                outcome: Future[list[tuple[F, R]]] = Future()
                try:
                    frames = self._take()
                except BaseException as error:  # noqa: BLE001  it is raised where it is waited for
                    outcome.set_exception(error)
                    self._ended = True
                    self._results.put(outcome)
                    self._results.put(None)
                    return
                if not frames:
                    self._ended = True
                    self._results.put(None)
                    return
                self._results.put(outcome)
            try:
                outcome.set_result(list(zip(frames, self._work(frames), strict=True)))
            except BaseException as error:  # noqa: BLE001  likewise
                outcome.set_exception(error)
