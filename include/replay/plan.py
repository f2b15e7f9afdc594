"""What will be published, known before anything is: each line's producer and sequence id.

The broker drops a message whose sequence id is not above the last one of its producer. That is
what makes a second replay harmless, and it would lose frames if two captures shared a producer
or if one line had another id the next time. So:

* A run's producer is named after its run. A run id that does not begin with its store and
  camera, and so might be used for another camera too, gets both put before it.
* Its sequence ids are the frame's position in the run, counted from 1: line by line, since a
  file may hold frames out of order or twice on purpose. A file that holds the later part of a
  run starts at that part: the run's least frame index in the file is added. (Parts are replayed
  in their order, and a later part holds no frame of an earlier one.)
* A first-generation run (no run id) is all that its stream ever sends, frame numbers starting
  again with each capture. Its producer is named after camera, stream and first capture time.
* Raw lines have nothing to rely on but the file: producer `raw-<sha256 of the file>`, and the
  line's number.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from frame_contract import ContractViolation, Frame, decode, format_capture_ts
from replay.errors import BadLine, InputRefused, InputUnreadable
from replay.jsonl import Line, read_lines
from replay.progress import Progress

BAD_LINES_LISTED = 10
MAX_SEQUENCE_ID = 2**63 - 1
"""A Pulsar sequence id is a Java long."""


class RunKey(NamedTuple):
    """One capture of one camera; of a first-generation camera, whatever its stream sent."""

    store_id: str
    camera_id: str
    run_id: str
    is_first_generation: bool

    @classmethod
    def of(cls, frame: Frame) -> "RunKey":
        """The run that the frame belongs to."""
        source = frame.source
        is_first_generation = frame.run_id == source.stream_id
        return cls(source.store_id, source.camera_id, frame.run_id, is_first_generation)


@dataclass(slots=True)
class RunPlan:
    """One run of the file."""

    key: RunKey
    first_capture_ts: datetime
    least_frame_index: int
    frames: int = 0

    @property
    def producer_name(self) -> str:
        """The name under which the broker remembers what it has of this run."""
        store, camera, run, is_first_generation = self.key
        if is_first_generation:
            return f"{store}/{camera}/{run}@{format_capture_ts(self.first_capture_ts)}"
        # with a hyphen in either, another store and camera may have the same beginning
        is_telling = "-" not in store + camera and run.startswith(f"{store}-{camera}-")
        return run if is_telling else f"{store}/{camera}/{run}"

    @property
    def sequence_base(self) -> int:
        """What is added to a frame's position in the file to give its sequence id."""
        return 0 if self.key.is_first_generation else self.least_frame_index


@dataclass(slots=True)
class FilePlan:
    """A checked file: its lines to publish and its runs, in the order of their first frames."""

    path: Path
    lines: int = 0
    runs: dict[RunKey, RunPlan] = field(default_factory=dict)
    sha256: str = ""

    @property
    def raw_producer_name(self) -> str:
        """The name under which the broker remembers what it has of the raw file."""
        return f"raw-{self.sha256}"


def frame_of(line: Line) -> Frame:
    """The frame of a line, which may end in CR LF; raises `ContractViolation`."""
    return decode(line.payload)


def plan_messages(path: Path) -> FilePlan:
    """The plan of a file whose every line keeps the contract.

    Blank lines are passed over. Raises `InputUnreadable` for a file that is missing or has no
    messages, `InputRefused` with the first `BAD_LINES_LISTED` lines that are none.
    """
    plan = FilePlan(path)
    bad_lines: list[BadLine] = []
    bad = 0
    with Progress("checking", None, "lines") as progress:
        for line in read_lines(path):
            progress.advance()
            if line.is_blank:
                continue
            plan.lines += 1
            try:
                frame = frame_of(line)
            except ContractViolation as violation:
                bad += 1
                if len(bad_lines) < BAD_LINES_LISTED:
                    bad_lines.append(BadLine(line.number, _why(line, violation)))
                continue
            _add(plan, frame)
    if bad:
        raise InputRefused(path, bad_lines, bad, plan.lines)
    if not plan.lines:
        raise InputUnreadable(path, "empty: there is no frame to publish")
    for run in plan.runs.values():
        if run.sequence_base > MAX_SEQUENCE_ID - run.frames:
            cause = f"frame_index {run.least_frame_index} leaves no room for sequence ids"
            raise InputUnreadable(path, cause)
    return plan


def plan_raw(path: Path) -> FilePlan:
    """The plan of any file of lines; raises `InputUnreadable` if it is missing or empty."""
    plan = FilePlan(path)
    digest = hashlib.sha256()
    with Progress("checking", None, "lines") as progress:
        for line in read_lines(path):
            progress.advance()
            plan.lines += 1
            digest.update(line.payload + b"\n")
    if not plan.lines:
        raise InputUnreadable(path, "empty: there is no line to publish")
    plan.sha256 = digest.hexdigest()
    return plan


def _add(plan: FilePlan, frame: Frame) -> None:
    key = RunKey.of(frame)
    run = plan.runs.get(key)
    if run is None:
        run = plan.runs[key] = RunPlan(key, frame.capture_ts, frame.frame_index)
    run.frames += 1
    run.least_frame_index = min(run.least_frame_index, frame.frame_index)


def _why(line: Line, violation: ContractViolation) -> str:
    cut_off = " (the last line has no end: was its writer stopped?)" if not line.is_whole else ""
    return f"{violation}{cut_off}"
