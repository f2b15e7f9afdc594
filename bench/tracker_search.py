"""A small search over the tracker's settings that shows what choosing them on sequences is worth.

Whoever chooses settings for a sequence never sees it: for each fold, which leaves sequences out,
settings are drawn, the best by the mean HOTA on the other sequences is varied, and again. Nothing
starts from the settings that are shipped, which have seen the real sequences.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from vision.settings import TrackingSettings

LEVELS: Mapping[str, tuple[float, ...]] = {
    "max_age_seconds": (1, 2, 4, 8),
    "confirm_after_frames": (1, 2, 3, 4),
    "min_new_confidence": (0.35, 0.45, 0.55),
    "appearance_weight": (0, 0.2, 0.4, 0.6),
    "lost_appearance_weight": (0.3, 0.5, 0.7, 0.9),
    "max_unlikeness": (0.2, 0.3, 0.45, 0.6),
    "max_lost_unlikeness": (0.3, 0.4, 0.5, 0.7),
    "max_cost": (0.4, 0.5, 0.6, 0.8),
    "min_overlap": (0.02, 0.08, 0.15, 0.3),
    "min_stay_overlap": (0.3, 0.5, 0.7),
    "growth_heights_per_second": (0, 0.2, 0.4, 0.8),
    "max_growth_heights": (0.3, 0.6, 1.2),
    "appearance_memory": (0.5, 0.8, 0.9),
    "min_first_overlap": (0.1, 0.3, 0.5),
    "max_first_unlikeness": (0.3, 0.5, 0.7),
    "speed_memory_seconds": (0.5, 2, 10),
    "max_motion_rate": (5, 10, 25),
    "box_error_heights": (0.03, 0.05, 0.1, 0.15),
    "drift_heights": (0.05, 0.1, 0.2, 0.4),
    "speed_change_heights": (0.1, 0.25, 0.5, 1),
    "first_speed_heights": (0.5, 1, 2),
}
"""What each setting may be. Settings of `TrackingSettings` that are not here stay as shipped."""

DRAWN = 40
CHILDREN = 8
GENERATIONS = 1
VARIED_SETTINGS = 3
"""How much is tried: what is drawn, what each best one is varied to, how often, in how much."""

Changes = tuple[tuple[str, float], ...]
"""What differs from the settings that are shipped: names and values."""

SHIPPED: Changes = ()


@dataclass(frozen=True)
class Score:
    """What settings reach on one sequence."""

    hota: float
    people_count_error_per_minute: float


Scores = dict[tuple[Changes, str], Score]
"""By settings and sequence."""


@dataclass
class Fold:
    """One choice: on all sequences but some."""

    left_out: frozenset[str]
    tried: list[Changes] = field(default_factory=list)
    """What may be chosen: nothing in it has come about by a look at what is left out."""

    def choose(self, scores: Scores, sequences: Sequence[str]) -> Changes:
        """The best of what was tried, on what is not left out."""
        seen = [name for name in sequences if name not in self.left_out]
        return max(self.tried, key=lambda changes: mean_hota(scores, changes, seen))


def mean_hota(scores: Scores, changes: Changes, sequences: Sequence[str]) -> float:
    """Every sequence weighs the same."""
    return float(np.mean([scores[changes, name].hota for name in sequences]))


def search(
    folds: Sequence[Fold],
    sequences: Sequence[str],
    seed: int,
    score: Callable[[Sequence[Changes]], Scores],
) -> Scores:
    """Fill every fold's `tried`; all scores. `score` is asked for each settings once."""
    rng = np.random.default_rng(seed)
    drawn = [
        tuple((name, float(rng.choice(values))) for name, values in LEVELS.items())
        for _ in range(DRAWN)
    ]
    scores = score(drawn)
    for fold in folds:
        fold.tried += drawn
    for generation in range(GENERATIONS):
        children = {}
        for fold in folds:
            parent = fold.choose(scores, sequences)
            # the same parent has the same children in every fold
            children[parent] = varied(parent, seed + generation)
            fold.tried += children[parent]
        new = [
            one for some in children.values() for one in some if (one, sequences[0]) not in scores
        ]
        scores |= score(list(dict.fromkeys(new)))
    return scores


def varied(parent: Changes, seed: int) -> list[Changes]:
    """`CHILDREN` settings that differ from these in a few; the same each time."""
    rng = np.random.default_rng([seed, zlib.crc32(repr(parent).encode())])
    children = []
    for _ in range(CHILDREN):
        values = dict(parent)
        for name in rng.choice(list(LEVELS), VARIED_SETTINGS, replace=False).tolist():
            values[name] = float(rng.choice([one for one in LEVELS[name] if one != values[name]]))
        children.append(tuple(values.items()))
    return children


def one_step_from_shipped() -> list[Changes]:
    """Each setting alone at the next lower and the next higher of its levels."""
    steps: list[Changes] = []
    for name, shipped in asdict(TrackingSettings()).items():
        levels = LEVELS.get(name, ())
        lower = [one for one in levels if one < shipped][-1:]
        higher = [one for one in levels if one > shipped][:1]
        steps += [((name, float(value)),) for value in (*lower, *higher)]
    return steps
