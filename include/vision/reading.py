"""Reading back a JSONL of frame metadata: the frames of one run, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from frame_contract import ContractViolation, Frame, decode
from vision.errors import VisionError

RUNS_NAMED = 10
"""How many runs an error names before it says how many more there are."""


class MetadataError(VisionError):
    """The JSONL cannot be read, or not as the frames of one run."""


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """One run as it stands in a JSONL, checked. Iterate over it for its frames, again at will."""

    path: Path
    run_id: str
    frames: int
    last_frame_index: int
    first_capture_ts: datetime
    last_capture_ts: datetime

    width_px: int
    height_px: int
    """The size of every frame."""

    def __iter__(self) -> Iterator[Frame]:
        for _, frame in _decoded(self.path):
            if frame.run_id == self.run_id:
                yield frame


def open_run(
    path: Path, run_id: str | None = None, *, if_several: str = "choose one by --run-id"
) -> RecordedRun:
    """The run of the file, or that of several which is named. Reads it through once, to check.

    `if_several`: what to do where there are several and none is named.

    Raises `MetadataError`, with the line's number where one is wrong.
    """
    runs: dict[str, RecordedRun] = {}
    problems: dict[str, str] = {}
    for number, frame in _decoded(path):
        before = runs.get(frame.run_id)
        if before is not None and frame.run_id not in problems:
            problem = _does_not_follow(frame, before)
            if problem:
                problems[frame.run_id] = f"{path}, line {number}: {problem}"
        runs[frame.run_id] = RecordedRun(
            path=path,
            run_id=frame.run_id,
            frames=before.frames + 1 if before else 1,
            last_frame_index=frame.frame_index,
            first_capture_ts=before.first_capture_ts if before else frame.capture_ts,
            last_capture_ts=frame.capture_ts,
            width_px=frame.image_size.width,
            height_px=frame.image_size.height,
        )
    run = _chosen(path, runs, run_id, if_several)
    if run.run_id in problems:
        raise MetadataError(problems[run.run_id])
    return run


def _chosen(
    path: Path, runs: dict[str, RecordedRun], run_id: str | None, if_several: str
) -> RecordedRun:
    if not runs:
        raise MetadataError(f"{path} is empty: give the JSONL of a run")
    if run_id is not None and run_id in runs:
        return runs[run_id]
    if run_id is None and len(runs) == 1:
        return next(iter(runs.values()))
    names = ", ".join(list(runs)[:RUNS_NAMED])
    if len(runs) > RUNS_NAMED:
        names += f" and {len(runs) - RUNS_NAMED} more"
    if run_id is None:
        raise MetadataError(f"{path} has {len(runs)} runs: {if_several}: {names}")
    raise MetadataError(f"{path} has no run {run_id}, but {names}")


def _does_not_follow(frame: Frame, before: RecordedRun) -> str | None:
    """What is wrong with a frame behind the others of its run."""
    if frame.frame_index <= before.last_frame_index:
        return (
            f"frame {frame.frame_index} comes after frame {before.last_frame_index}: "
            "the lines of a run must be in their order, each once"
        )
    if frame.capture_ts < before.last_capture_ts:
        return f"frame {frame.frame_index} was captured before the one before it"
    if (frame.image_size.width, frame.image_size.height) != (before.width_px, before.height_px):
        return (
            f"frame {frame.frame_index} is {frame.image_size.width}x{frame.image_size.height}, "
            f"those before it {before.width_px}x{before.height_px}"
        )
    return None


def _decoded(path: Path) -> Iterator[tuple[int, Frame]]:
    """Each line's number from 1 and frame."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.isspace():
                    continue
                try:
                    yield number, decode(line.rstrip(b"\r\n"))
                except ContractViolation as error:
                    raise MetadataError(f"{path}, line {number}: {error}") from None
    except OSError as error:
        raise MetadataError(f"cannot read {path}: {error.strerror}") from None
