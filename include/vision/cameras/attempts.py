"""What is known of one camera's processes so far, and whether there will be another one."""

import signal
from dataclasses import dataclass, field

from vision.cameras.reports import Done, Failed
from vision.errors import DetectorError, OutputError, SourceChangedError
from vision.reading import MetadataError
from vision.summary import ExtractSummary

BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""How long the next process waits after the n-th one in a row that did not last."""
LASTING_SECONDS = 60.0
"""A process that ran for so long begins the waiting anew: its end is another story."""
FILE_ATTEMPTS = 3
"""A file whose processes crash so often is given up: its content is what they crash on."""

BEGIN_ANEW = (SourceChangedError.__name__, MetadataError.__name__)
"""What a new run gets over: a camera that came back with frames of another size, and lines of an
earlier process that a crash has spoilt."""

MAY_PASS = (OutputError.__name__, DetectorError.__name__)
"""What a live camera may get over by a new process: a broker or a disk that is away for a while,
a GPU whose memory others took."""

DONE, BAD_INPUT = 0, 2
STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One process, from its start to its end."""

    exit_code: int
    """As a shell has it: 128 + its number for a signal."""
    end: Done | Failed | None
    """What it said of its end; None if it could not."""
    frames: int
    """Frames that it was known to have done."""
    seconds: float
    is_new_run: bool = False
    """Whether its frames are a run of their own; else they are the run of the one before, which
    it goes on with or does again."""
    counts_on: bool = False
    """Whether `frames` lacks those that the one before has done."""

    @property
    def has_crashed(self) -> bool:
        """Whether it ended in a way that vision does not know."""
        return self.exit_code not in (DONE, BAD_INPUT, *STOPPED)

    @property
    def was_ended(self) -> bool:
        """Whether a signal has ended it, be it in order or not."""
        return self.exit_code in STOPPED

    @property
    def in_words(self) -> str:
        """How it ended, for people."""
        if isinstance(self.end, Failed):
            return self.end.text
        if self.exit_code > 128:
            number = self.exit_code - 128
            known = {each.value: each.name for each in signal.Signals}
            return f"its process was ended by {known.get(number, f'signal {number}')}"
        return f"its process ended with code {self.exit_code}"


def begins_anew(end: Done | Failed | None) -> bool:
    """Whether the run cannot go on behind this end of a process, and a new one can."""
    return isinstance(end, Failed) and end.kind in BEGIN_ANEW


@dataclass
class Attempts:
    """All processes of one camera."""

    is_live: bool
    all: list[Attempt] = field(default_factory=list)

    def add(self, attempt: Attempt) -> None:
        """One more has ended."""
        self.all.append(attempt)

    @property
    def has_given_frames(self) -> bool:
        """Whether any frame of the camera was ever seen, so that its settings are right."""
        return any(each.frames for each in self.all)

    def seconds_to_next(self) -> float | None:
        """How long to wait before the next process; None: there is none.

        To be asked unless all were told to stop. What has crashed, or was ended by a signal, is
        tried again. So is a live camera that gave frames and whose lines could not be written or
        published for a while, whose detector failed, or whose frames have another size; and what a
        crash has spoilt. Whatever else vision says is wrong will be wrong the next time too.
        """
        last = self.all[-1]
        if not (last.has_crashed or last.was_ended):
            kind = last.end.kind if isinstance(last.end, Failed) else None
            may_pass = kind in (*MAY_PASS, SourceChangedError.__name__)
            is_spoilt = kind == MetadataError.__name__ and len(self.all) > 1
            if not is_spoilt and not (self.is_live and may_pass and self.has_given_frames):
                return None
        elif not self.is_live and len(self.all) >= FILE_ATTEMPTS:
            return None
        return BACKOFF_SECONDS[min(self._short_ones(), len(BACKOFF_SECONDS)) - 1]

    def _short_ones(self) -> int:
        """How many in a row, up to the last, did not last; at least 1."""
        count = 0
        for each in reversed(self.all):
            if each.seconds >= LASTING_SECONDS:
                break
            count += 1
        return max(1, count)

    def total(self) -> "Totals":
        """The counts over all processes."""
        totals = Totals(restarts=max(0, len(self.all) - 1))
        for each in self.all:
            totals.take(each)
        return totals


@dataclass
class Totals:
    """Counts of one camera; `detections` and `tracks` lack those of processes that crashed."""

    frames: int = 0
    detections: int = 0
    tracks: int = 0
    published: int = 0
    dropped_frames: int = 0
    reconnections: int = 0
    silent_seconds: float = 0.0
    restarts: int = 0
    run_ids: list[str] = field(default_factory=list)
    summary: ExtractSummary | None = None
    """The last one."""

    def take(self, attempt: Attempt) -> None:
        """Count one process."""
        if attempt.end is None or attempt.end.summary is None:
            if attempt.is_new_run or attempt.counts_on:
                self.frames += attempt.frames
            else:
                self.frames = max(self.frames, attempt.frames)
            return
        summary = self.summary = attempt.end.summary
        if not attempt.is_new_run:
            # it counts what the one before has done of the run too
            self.frames = self.detections = self.tracks = self.dropped_frames = 0
        self.frames += summary.frames
        self.detections += summary.detections
        self.tracks += summary.tracks
        self.published += summary.published
        self.dropped_frames += summary.dropped_frames
        self.reconnections += summary.reconnections
        self.silent_seconds += summary.silent_seconds
        if summary.run_id not in self.run_ids:
            self.run_ids.append(summary.run_id)
