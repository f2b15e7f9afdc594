"""What all cameras together have done: a table for people, JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vision.cameras.attempts import BAD_INPUT, DONE, STOPPED
from vision.cameras.process import CameraProcess
from vision.cameras.reports import Failed


@dataclass(frozen=True, kw_only=True)
class CameraSummary:
    """One camera, over all its processes."""

    camera: str
    source: str
    """Without its password."""
    output: str | None
    to: str | None
    run_ids: tuple[str, ...]
    frames: int
    detections: int
    tracks: int
    published: int
    dropped_frames: int
    reconnections: int
    silent_seconds: float
    restarts: int
    """Processes that were started after the first one."""
    ended_by: str
    """As in the summary of an extraction; else `bad input`, `crash`, `stop`."""
    exit_code: int
    """Of the last process: as `python -m vision` has it, or 128 + the signal that ended it."""
    error: str | None
    """What was wrong, in one line."""


def summarize(process: CameraProcess) -> CameraSummary:
    """The camera's, once it has ended."""
    camera, attempts = process.camera, process.attempts
    totals = attempts.total()
    last = attempts.all[-1] if attempts.all else None
    is_fine = last is None or last.exit_code == DONE
    is_asked_for = last is not None and last.was_ended and process.is_stopping
    error = None if last is None or is_fine or is_asked_for else last.in_words
    if last is None or (totals.summary is None and last.exit_code in STOPPED):
        ended_by = "stop"
    elif last.has_crashed:
        ended_by = "crash"
    elif last.end is not None and last.end.summary is not None:
        ended_by = last.end.summary.ended_by
    else:
        ended_by = "bad input" if isinstance(last.end, Failed) else "crash"
    return CameraSummary(
        camera=camera.name,
        source=str(camera.source),
        output=None if camera.output is None else str(camera.output.absolute()),
        to=camera.settings.to,
        run_ids=tuple(totals.run_ids),
        frames=totals.frames,
        detections=totals.detections,
        tracks=totals.tracks,
        published=totals.published,
        dropped_frames=totals.dropped_frames,
        reconnections=totals.reconnections,
        silent_seconds=round(totals.silent_seconds, 3),
        restarts=totals.restarts,
        ended_by=ended_by,
        exit_code=STOPPED[1] if last is None else last.exit_code,
        error=error,
    )


def exit_code(cameras: Sequence[CameraSummary], signal_number: int | None) -> int:
    """0 if all are done, or were stopped in time; 2 if any failed; 130 or 143 after a signal."""
    if signal_number is not None:
        return 128 + signal_number
    return DONE if all(each.error is None for each in cameras) else BAD_INPUT


def as_json(store: str, cameras: Sequence[CameraSummary], code: int, seconds: float) -> str:
    """`cameras.summary.json`."""
    whole: dict[str, Any] = {
        "store_id": store,
        "exit_code": code,
        "seconds": round(seconds, 3),
        "frames": sum(each.frames for each in cameras),
        "detections": sum(each.detections for each in cameras),
        "cameras": [asdict(each) | {"run_ids": list(each.run_ids)} for each in cameras],
    }
    return json.dumps(whole, indent=2) + "\n"


_COLUMNS = {
    "camera": "camera",
    "frames": "frames",
    "detections": "detections",
    "tracks": "tracks",
    "dropped": "dropped_frames",
    "reconnections": "reconnections",
    "silent s": "silent_seconds",
    "restarts": "restarts",
    "ended by": "ended_by",
    "exit": "exit_code",
}
_TEXTS = {"camera", "ended by"}


def as_table(cameras: Sequence[CameraSummary]) -> str:
    """One line a camera, and one for what was wrong with it."""
    return format_table(
        list(_COLUMNS),
        [
            [
                f"{getattr(each, name):,}" if head not in _TEXTS else getattr(each, name)
                for head, name in _COLUMNS.items()
            ]
            for each in cameras
        ],
        texts=_TEXTS,
    )


def format_table(heads: Sequence[str], rows: Sequence[Sequence[str]], texts: set[str]) -> str:
    """Columns as wide as they must be; those in `texts` begin left, the others end right."""
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if head in texts else cell.rjust(width)
            for head, cell, width in zip(heads, row, widths, strict=True)
        ).rstrip()
        for row in (heads, *rows)
    )
