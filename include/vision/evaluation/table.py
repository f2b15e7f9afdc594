"""The rows as a table for a terminal, as Markdown, or as JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from vision.evaluation.trials import DETECTIONS_ALONE, Trial

NOTHING = "-"

LEGEND = (
    "In percent, but for switches, people off and ms. A box is right at an overlap of one half; "
    "HOTA, DetA and AssA go from 0.05 to 0.95.",
    "count off: by which share a minute's count of different track ids is wrong, on average; "
    "people off: the same as people.",
    "frames: those that were looked at; no others are scored.",
    "ms: milliseconds of the median frame on this machine, one frame at a time.",
)

_TEXT_COLUMNS = 3
"""The first columns are words, the others numbers."""


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


_SCORES: dict[str, tuple[str, Callable[[float], str]]] = {
    "HOTA": ("hota", _percent),
    "DetA": ("deta", _percent),
    "AssA": ("assa", _percent),
    "MOTA": ("mota", _percent),
    "IDF1": ("idf1", _percent),
    "switches": ("switches", str),
    "recall": ("recall", _percent),
    "precision": ("precision", _percent),
    "count off": ("people_count_error_per_minute", _percent),
    "people off": ("people_off_per_minute", "{:.1f}".format),
}

_OF_DETECTIONS = {"DetA", "recall", "precision"}
"""What can be said of detections that no tracker has followed."""

HEADER = ("sequence", "detector", "tracker", "frames", *_SCORES, "detector ms", "tracker ms")


def render(trials: Sequence[Trial], form: str) -> str:
    """The rows in one of `settings.FORMATS`, ending in a line's end."""
    if form == "json":
        return json.dumps({"rows": [_record(trial) for trial in trials]}, indent=2) + "\n"
    cells = [HEADER, *(_cells(trial) for trial in trials)]
    lines = _markdown(cells) if form == "markdown" else _aligned(cells)
    return "\n".join([*lines, "", *LEGEND]) + "\n"


def _cells(trial: Trial) -> tuple[str, ...]:
    scores = asdict(trial.scores)
    is_alone = trial.tracker == DETECTIONS_ALONE
    return (
        trial.sequence,
        trial.detector,
        trial.tracker,
        str(trial.frames),
        *(
            NOTHING if is_alone and name not in _OF_DETECTIONS else shown(scores[field])
            for name, (field, shown) in _SCORES.items()
        ),
        *(NOTHING if ms is None else f"{ms:.1f}" for ms in (trial.detector_ms, trial.tracker_ms)),
    )


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = [
            cell.ljust(width) if place < _TEXT_COLUMNS else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


def _markdown(cells: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in cells]
    rule = ["---" if place < _TEXT_COLUMNS else "---:" for place in range(len(HEADER))]
    lines.insert(1, f"| {' | '.join(rule)} |")
    return lines


def _record(trial: Trial) -> dict[str, object]:
    """Shares from 0 to 1, milliseconds, and of each minute the people counted and the true ones."""
    scores = asdict(trial.scores)
    if trial.tracker == DETECTIONS_ALONE:
        kept = {_SCORES[name][0] for name in _OF_DETECTIONS}
        scores = {name: value if name in kept else None for name, value in scores.items()}
    return {
        "sequence": trial.sequence,
        "detector": trial.detector,
        "tracker": trial.tracker,
        "frames": trial.frames,
        **scores,
        "detector_ms": trial.detector_ms,
        "tracker_ms": trial.tracker_ms,
        "minutes": [
            {"counted": counted, "true": true}
            for measured in trial.measured
            for counted, true in measured.minutes
            if trial.tracker != DETECTIONS_ALONE
        ],
    }
