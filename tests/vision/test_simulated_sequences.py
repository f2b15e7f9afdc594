"""Simulated pedestrians, by which the tracker's settings are looked at."""

from dataclasses import replace
from itertools import islice

import numpy as np

from bench.simulated_sequences import (
    SCENES,
    Figure,
    SimulatedPictures,
    _visible_shares,
    simulate,
)

SCENE = replace(SCENES[5], seconds=3)


def test_a_scene_gives_the_same_people_detections_and_pixels_each_time() -> None:
    one, other = simulate(SCENE), simulate(SCENE)
    assert one.detections == other.detections
    assert one.sequence.truth == other.sequence.truth
    pictures = [simulated.sequence.pictures for simulated in (one, other)]
    frames = [dict(islice(some.frames(), 5)) for some in pictures if some is not None]
    assert len(frames) == 2
    assert all(np.array_equal(frames[0][index], frames[1][index]) for index in range(5))
    assert simulate(replace(SCENE, seed=99)).detections != one.detections


def test_true_boxes_lie_in_the_picture_once_a_person() -> None:
    truth = simulate(SCENE).sequence.truth
    assert len(truth.people) == SCENE.frames
    assert any(truth.people)
    for people in truth.people:
        assert len({one.identity for one in people}) == len(people)
        for x1, y1, x2, y2 in (one.bbox_xyxy_px for one in people):
            assert 0 <= x1 < x2 <= SCENE.width_px
            assert 0 <= y1 < y2 <= SCENE.height_px


def test_who_is_behind_another_or_out_of_the_picture_shows_less() -> None:
    figures = [
        Figure(0, 9.0, (100, 100, 140, 200)),
        Figure(1, 8.0, (-20, 100, 20, 200)),
        Figure(2, 5.0, (120, 80, 200, 280)),
    ]
    assert _visible_shares(SCENE, figures) == [0.5, 0.5, 1.0]


def test_the_nearer_person_is_painted_over_the_farther_one() -> None:
    box = (100.0, 100.0, 200.0, 300.0)
    far, near = Figure(0, 9.0, box), Figure(1, 5.0, box)
    painted = [
        dict(SimulatedPictures(SCENE, (figures,)).frames())[0]
        for figures in ((far, near), (near,), (far,))
    ]
    trunk = slice(150, 190), slice(130, 170)
    assert np.array_equal(painted[0][trunk], painted[1][trunk])
    assert not np.array_equal(painted[0][trunk], painted[2][trunk])
