"""How the tracker's settings are chosen for a sequence: without a look at it."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict

import pytest

from bench.tracker_search import (
    CHILDREN,
    DRAWN,
    GENERATIONS,
    LEVELS,
    VARIED_SETTINGS,
    Changes,
    Fold,
    Score,
    Scores,
    one_step_from_shipped,
    search,
    varied,
)
from vision.settings import TrackingSettings

SEQUENCES = ("street", "square", "shop")


def some_scores(salt: dict[str, str]) -> Callable[[Sequence[Changes]], Scores]:
    """Scores without any sense, which another salt of a sequence makes others."""

    def one(changes: Changes, sequence: str) -> Score:
        said = repr((changes, sequence, salt.get(sequence, ""))).encode()
        return Score(zlib.crc32(said) / 2**32, 0.0)

    return lambda some: {(c, name): one(c, name) for c in some for name in SEQUENCES}


def test_what_a_fold_tries_and_chooses_does_not_depend_on_what_it_leaves_out() -> None:
    found = []
    for salt in ("this", "that"):
        folds = [Fold(frozenset({"square"})), Fold(frozenset({"street"}))]
        scores = search(folds, SEQUENCES, 1, some_scores({"street": salt}))
        found.append([(fold.tried, fold.choose(scores, SEQUENCES)) for fold in folds])
    (square, street), (other_square, other_street) = found
    assert street == other_street
    # the other fold sees the street, and chooses by it
    assert square != other_square


def test_a_search_goes_on_from_the_best_of_each_fold_and_scores_all_that_it_tried() -> None:
    fold = Fold(frozenset({"shop"}))
    scores = search([fold], SEQUENCES, 1, some_scores({}))
    assert len(fold.tried) == DRAWN + GENERATIONS * CHILDREN
    assert {changes for changes, _ in scores} == set(fold.tried)


def test_settings_are_varied_in_a_few_and_the_same_way_each_time() -> None:
    parent: Changes = tuple((name, float(levels[0])) for name, levels in LEVELS.items())
    children = varied(parent, 1)
    assert children == varied(parent, 1)
    assert all(len(set(child) - set(parent)) == VARIED_SETTINGS for child in children)


@pytest.mark.parametrize("name", LEVELS)
def test_levels_are_of_a_setting_and_reach_below_or_above_what_is_shipped(name: str) -> None:
    shipped = asdict(TrackingSettings())[name]
    assert shipped in LEVELS[name]
    steps = [value for ((setting, value),) in one_step_from_shipped() if setting == name]
    assert steps
    assert shipped not in steps
