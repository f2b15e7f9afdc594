"""Where standing people show in an image: cases whose answer is plain without a computer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from store_simulator.camera import Projection
from store_simulator.scenario import Camera

LEVEL_METRES = 0.85
"""Half of a person of 1.70 m."""


def camera(**changes: object) -> Camera:
    """At the origin, 0.85 m high, looking level along x; its focal length is 500 px."""
    settings: dict[str, object] = {
        "id": "c",
        "at": (0.0, 0.0),
        "looks_at": (10_000.0, 0.0),
        "height_metres": LEVEL_METRES,
        "field_of_view_degrees": 90.0,
        "width": 1000,
        "height": 800,
    }
    return Camera(**{**settings, **changes})  # type: ignore[arg-type]


def boxes(seen_by: Camera, *people: tuple[float, float], height: float = 1.70) -> list[list[int]]:
    xs, ys = (np.array(each, dtype=float) for each in zip(*people, strict=True))
    return Projection(seen_by).see(xs, ys, np.full(len(people), height)).boxes.tolist()


CASES = {
    "ten metres ahead: in the middle, 85 px tall, shoulders 25 px": (
        [(10.0, 0.0)],
        [[488, 358, 512, 443]],
    ),
    "twice as far: half as tall": ([(20.0, 0.0)], [[494, 379, 506, 421]]),
    "to the left of the line of sight is left in the image": (
        [(10.0, 5.0)],
        [[238, 358, 262, 443]],
    ),
    "to the right is right": ([(10.0, -5.0)], [[738, 358, 762, 443]]),
    "behind the camera": ([(-10.0, 0.0)], []),
    "at the camera's own place": ([(0.0, 0.0)], []),
    "beside the view": ([(10.0, 11.0)], []),
    "half in at the right edge: clipped": ([(10.0, -10.0)], [[988, 358, 1000, 443]]),
    "a quarter in at the edge: too little": ([(4.0, -4.12)], []),
    "half in at the edge, as near": ([(4.0, -4.0)], [[969, 294, 1000, 506]]),
    "too far to be found: 16 px at 53 m": ([(60.0, 0.0)], []),
    "so near that head and feet are outside": ([(0.9, 0.0)], [[361, 0, 639, 800]]),
}


@pytest.mark.parametrize(("people", "expected"), CASES.values(), ids=CASES.keys())
def test_person_shows_where_a_pinhole_puts_them(
    people: list[tuple[float, float]], expected: list[list[int]]
) -> None:
    found = boxes(camera(), *people)

    assert len(found) == len(expected)
    for box, wanted in zip(found, expected, strict=True):
        assert box == pytest.approx(wanted, abs=1)


def test_spot_that_a_camera_looks_at_is_in_the_middle_of_the_image() -> None:
    high = camera(at=(3.0, 4.0), looks_at=(9.0, 12.0), height_metres=3.0)

    u, v, ahead = Projection(high).project(np.array([9.0]), np.array([12.0]), 0.0)

    assert (u[0], v[0]) == pytest.approx((500, 400))
    assert ahead[0] == pytest.approx(math.sqrt(100 + 9))


def test_head_is_above_the_feet_and_tall_people_reach_higher() -> None:
    high = camera(height_metres=3.0, looks_at=(6.0, 0.0))

    short, tall = boxes(high, (6.0, 0.0), height=1.5)[0], boxes(high, (6.0, 0.0), height=1.9)[0]

    assert tall[1] < short[1]
    assert tall[3] == short[3] == pytest.approx(400, abs=1)


def test_point_behind_the_camera_is_nowhere_in_the_image() -> None:
    u, v, ahead = Projection(camera()).project(np.array([-10.0]), np.array([0.0]), 0.0)

    assert np.isnan([u[0], v[0]]).all()
    assert ahead[0] < 0


def test_wider_view_makes_people_smaller() -> None:
    wide = boxes(camera(field_of_view_degrees=120.0), (10.0, 0.0))[0]
    narrow = boxes(camera(field_of_view_degrees=60.0), (10.0, 0.0))[0]

    assert wide[3] - wide[1] < narrow[3] - narrow[1]


def test_every_box_of_a_crowd_lies_in_the_image_and_has_an_area() -> None:
    random = np.random.default_rng(1)
    xs, ys = random.uniform(-30, 30, (2, 20_000))
    seen_by = camera(height_metres=3.0, looks_at=(5.0, 2.0))

    seen = Projection(seen_by).see(xs, ys, random.uniform(1.4, 2.0, 20_000))

    x1, y1, x2, y2 = seen.boxes.T
    assert len(seen.which) > 1000
    assert ((x1 >= 0) & (x1 < x2) & (x2 <= 1000) & (y1 >= 0) & (y1 < y2) & (y2 <= 800)).all()
