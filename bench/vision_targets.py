"""What vision must reach (issue 4), beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TIMES_BASELINE = 6.0
OF_DETECTOR_ALONE = 0.9
FRAMES_PER_SECOND = 25.0
"""On two free cores, of videos of no more than 480 lines."""

LARGEST_LINES = 480
MOST_MEMORY_GROWTH = 0.05
"""The share of what is held after the first mark that may have come to it at the last one."""

OURS = "deepsort/histogram"
LIBRARY = "(library)"
"""How `python -m vision evaluate` calls our default, and what the libraries' defaults end in."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One figure, what it must be, and whether it is."""

    name: str
    of: str
    """The video or the sequence."""

    figure: float
    at_least: float | None = None
    at_most: float | None = None
    met: bool
    met_every_frame: bool | None = None
    """Whether it would be met too if still frames were detected again; None: makes no difference.
    It does not decide: leaving still frames out is part of our default."""


def of_speed(video: Mapping[str, Any]) -> list[Target]:
    """Of one video's rates, a `bench.vision.Speed` as it is written."""
    needed = {"times_baseline": TIMES_BASELINE, "of_detector_alone": OF_DETECTOR_ALONE}
    if int(video["size"].partition("x")[2]) <= LARGEST_LINES:
        needed["end_to_end"] = FRAMES_PER_SECOND
    return [
        Target(
            name=name,
            of=video["video"],
            figure=video[name],
            at_least=least,
            met=video[name] >= least,
            met_every_frame=video[f"{name}_every_frame"] >= least,
        )
        for name, least in needed.items()
    ]


def of_memory(video: str, growth_share: float) -> list[Target]:
    """Of how much more memory is held at the last mark than at the first, as a share of that."""
    return [
        Target(
            name="memory_growth_share",
            of=video,
            figure=growth_share,
            at_most=MOST_MEMORY_GROWTH,
            met=growth_share <= MOST_MEMORY_GROWTH,
        )
    ]


def of_accuracy(rows: Sequence[Mapping[str, Any]], sequences: Sequence[str]) -> list[Target]:
    """Of the rows of `python -m vision evaluate`: ours against the best library, by sequence."""
    targets = []
    for sequence in sequences:
        hota = {row["tracker"]: row["hota"] for row in rows if row["sequence"] == sequence}
        best = max(value for tracker, value in hota.items() if tracker.endswith(LIBRARY))
        targets.append(
            Target(
                name="hota", of=sequence, figure=hota[OURS], at_least=best, met=hota[OURS] >= best
            )
        )
    return targets
