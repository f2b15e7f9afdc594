"""What will be published of a file, known before anything is: its lines, its runs.

How a run's frames are named and numbered is `replay.run`. Raw lines have nothing to rely on but
the file: producer `raw-<sha256 of the file>`, and the line's number.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from frame_contract import ContractViolation, Frame, decode
from replay.errors import BadLine, InputRefused, InputUnreadable
from replay.jsonl import Line, read_lines
from replay.progress import Progress
from replay.run import RunKey, RunPlan

BAD_LINES_LISTED = 10
MAX_SEQUENCE_ID = 2**63 - 1
"""A Pulsar sequence id is a Java long."""


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
        run = plan.runs[key] = RunPlan.beginning_with(frame)
    run.frames += 1
    run.least_frame_index = min(run.least_frame_index, frame.frame_index)


def _why(line: Line, violation: ContractViolation) -> str:
    cut_off = " (the last line has no end: was its writer stopped?)" if not line.is_whole else ""
    return f"{violation}{cut_off}"
