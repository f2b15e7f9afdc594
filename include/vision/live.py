"""How cameras are waited for: their frames come when they come, stop, and come again."""

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from vision.boxes import Image
from vision.capture import TakenFrame
from vision.connection import Arrival, Connection
from vision.errors import AccessRefusedError, SourceError, SourceLostError, StoppedEarlyError
from vision.sources import LiveSource
from vision.timestamps import FrameLimit, LiveClock

POLL_SECONDS = 0.1
"""How often a wait looks up, to see that it is to stop or that the camera is silent."""


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """How long to wait for a camera, and how to try again."""

    open_timeout_seconds: float = 10.0
    """How long connecting may take."""

    read_timeout_seconds: float = 10.0
    """How long a connected camera may say nothing before the connection counts as lost."""

    silent_after_seconds: float = 5.0
    """Without a frame for so long the camera counts as silent."""

    reconnect_seconds: float | None = 60.0
    """How long a lost camera is tried again, from its last frame on; None: for ever; 0: never."""

    wait_for_source: bool = False
    """Whether a camera that is away at the beginning is waited for, as one that was lost is."""

    first_pause_seconds: float = 1.0
    """Before the first try to connect again; it doubles with each."""

    longest_pause_seconds: float = 30.0

    jitter: float = 0.2
    """Each pause is up to this share shorter, lest many readers knock at the same moment."""

    def pause_seconds(self, failed_tries: int) -> float:
        """How long to wait after so many tries in a row that failed, jitter not counted."""
        doubled = math.ldexp(self.first_pause_seconds, min(failed_tries, 32))
        return min(doubled, self.longest_pause_seconds)


class LiveFrames:
    """The frames of a camera, over as many connections as it takes. One thread uses it."""

    def __init__(
        self,
        source: LiveSource,
        clock: LiveClock,
        settings: LiveSettings,
        limit: FrameLimit,
        *,
        should_stop: Callable[[], bool],
        on_silence: Callable[[float], None],
        on_return: Callable[[float], None],
        warn: Callable[[str], None],
    ) -> None:
        """Begin to connect. `should_stop` is asked several times a second, whatever happens."""
        self.announced_frames = None
        self.unreadable = self.unreadable_files = 0
        self.damage = ""
        self.reading = str(source)
        self.reconnections = 0
        self.silent_seconds = 0.0
        """Without a frame, in all silences and losses so far."""
        self._source = source
        self._clock = clock
        self._settings = settings
        self._limit = limit
        self._should_stop = should_stop
        self._on_silence = on_silence
        self._on_return = on_return
        self._warn = warn
        self._has_given_frames = False
        self._is_silence_told = False
        self._is_loss_told = False
        self._is_refusal_told = False
        self._failed_tries = 0
        self._heard_at = time.monotonic()
        self._connection = self._connect()

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames a second, as the camera says, if it does."""
        return self._connection.frame_rate

    def first_image(self) -> Image:
        """Wait for a frame to come, and leave it where it is: until the first is taken, each that
        comes takes the place of the one before, so that none grows old.

        Raises `SourceError`, `StoppedEarlyError`.
        """
        while not self._should_stop():
            arrival = self._connection.peek(POLL_SECONDS)
            if arrival is not None and arrival.image is not None:
                return arrival.image
            self._nothing_came()
        raise StoppedEarlyError(f"stopped before {self._source} gave a frame: nothing was written")

    def taken_frames(self) -> Iterator[TakenFrame]:
        """Each frame that comes, until it is to stop. Raises `SourceLostError`."""
        index = 0
        while not self._should_stop():
            arrival = self._connection.take(POLL_SECONDS)
            if arrival is None:
                self._nothing_came()
                continue
            self._heard(arrival)
            yield TakenFrame(
                index=index,
                captured_epoch_ms=arrival.captured_epoch_ms,
                is_kept=arrival.image is not None,
                image=arrival.kept_image,
            )
            index += 1

    def close(self) -> None:
        """Hang up; a camera that says nothing is left behind after a second."""
        if self._is_silence_told or self._is_loss_told:
            self.silent_seconds += time.monotonic() - self._heard_at
        self._connection.leave()

    def _connect(self) -> Connection:
        return Connection(
            self._source,
            self._clock,
            self._limit,
            open_timeout_seconds=self._settings.open_timeout_seconds,
            read_timeout_seconds=self._settings.read_timeout_seconds,
            is_newest_wanted=not self._has_given_frames,
            # not at each try: cameras lock out who knocks often with a wrong password
            is_reason_wanted=not self._is_refusal_told,
        )

    def _heard(self, arrival: Arrival) -> None:
        gap = arrival.at_seconds - self._heard_at
        self._heard_at = arrival.at_seconds
        if self._is_silence_told or self._is_loss_told:
            self.silent_seconds += gap
        if self._is_loss_told:
            self.reconnections += self._has_given_frames
            self._warn(f"{self._source} gives frames again, after {gap:.0f} s")
        if self._is_silence_told:
            self._on_return(gap)
        self._has_given_frames = True
        self._is_silence_told = self._is_loss_told = self._is_refusal_told = False
        self._failed_tries = 0

    def _nothing_came(self) -> None:
        """Tell a silence; where the connection has ended, wait a while and make another."""
        self._watch()
        if not self._connection.has_ended:
            return
        reason = self._connection.error or SourceError(
            f"{self._source} gives no frame that can be read: check path and the camera's codec"
        )
        if not isinstance(reason, SourceError):
            raise reason
        silent = time.monotonic() - self._heard_at
        most = self._settings.reconnect_seconds
        is_refused = isinstance(reason, AccessRefusedError)
        if not self._has_given_frames and (is_refused or not self._settings.wait_for_source):
            raise reason
        if self._has_given_frames and self._connection.is_finite:
            # it would begin again
            raise SourceLostError(f"{self._source} is a recording, which has ended or broken off")
        if most is not None and silent >= most:
            raise self._lost(reason, silent)
        self._tell_loss(reason)
        pause = self._settings.pause_seconds(self._failed_tries)
        pause *= 1 - self._settings.jitter * random.random()  # noqa: S311
        self._failed_tries += 1
        self._pause(pause if most is None else min(pause, most - silent))
        if not self._should_stop():
            self._connection = self._connect()

    def _tell_loss(self, reason: SourceError) -> None:
        """Once, and once more if the camera is there and refuses."""
        is_refused = self._connection.is_refusal and not self._is_refusal_told
        if is_refused or not (self._is_loss_told or self._has_given_frames):
            self._warn(f"{reason}; trying again")
        elif not self._is_loss_told:
            self._warn(f"{self._source} stopped giving frames; trying again")
        self._is_loss_told = True
        self._is_refusal_told = self._is_refusal_told or is_refused

    def _watch(self) -> None:
        if not self._has_given_frames and not self._settings.wait_for_source:
            # it is being opened, which ends soon, one way or the other
            return
        silent = time.monotonic() - self._heard_at
        if not self._is_silence_told and silent >= self._settings.silent_after_seconds:
            self._is_silence_told = True
            self._on_silence(silent)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._should_stop() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
            self._watch()

    def _lost(self, reason: SourceError, silent: float) -> SourceError:
        if not self._has_given_frames:
            return SourceError(f"{reason} (tried for {silent:.0f} s)")
        tried = f" and was tried again for {silent:.0f} s" if self._failed_tries else ""
        return SourceLostError(f"{self._source} stopped giving frames{tried}")
