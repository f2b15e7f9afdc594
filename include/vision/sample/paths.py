"""Who walks where and when: four scripted visits to the shop, over and over."""

import itertools
import math
from dataclasses import dataclass

CYCLE_SECONDS = 20.0
"""After this the script begins again."""

STRIDES_PER_SECOND = 1.8
SWAY_DEGREES = 1.3
BOUNCE_SHARE_OF_HEIGHT = 0.012


@dataclass(frozen=True)
class Visit:
    """A person's stay. Way points are (seconds, x, y) of the feet; equal places mean lingering.

    x runs from 0 to 1 over the image's width (outside: off screen), y from 0 at the back wall's
    foot to 1 at the lower edge.
    """

    person: str
    way: tuple[tuple[float, float, float], ...]


VISITS = (
    # comes in from the left, lingers before the shelf, leaves on the right, and comes back
    Visit(
        "pale coat",
        (
            (0.0, -0.12, 0.62),
            (4.5, 0.47, 0.62),
            (6.0, 0.50, 0.38),
            (9.0, 0.50, 0.38),
            (12.0, 1.15, 0.60),
        ),
    ),
    Visit("pale coat", ((14.5, 1.15, 0.55), (17.0, 0.62, 0.70), (19.9, -0.14, 0.80))),
    # from the right, crosses before the first, lingers on the left, goes back the same way
    Visit(
        "dark coat",
        (
            (0.5, 1.12, 0.86),
            (5.0, 0.24, 0.80),
            (6.5, 0.20, 0.45),
            (12.0, 0.20, 0.45),
            (18.0, 1.12, 0.74),
        ),
    ),
    # along the back shelf
    Visit(
        "blue coat",
        ((5.5, -0.10, 0.30), (11.0, 0.72, 0.34), (14.0, 0.74, 0.34), (17.5, 1.10, 0.42)),
    ),
    # straight through the foreground
    Visit("red coat", ((8.5, 1.14, 0.95), (15.0, -0.14, 0.92))),
)


@dataclass(frozen=True)
class Pose:
    """Where a person is and how they stand at one moment; units as in `Visit`."""

    person: str
    x: float
    y: float
    faces_left: bool
    lean_degrees: float
    bounce: float
    """How far the feet are off the floor, as a share of the person's height."""


def poses_at(seconds: float) -> list[Pose]:
    """Everyone in the shop at this moment, from the back to the front."""
    moment = seconds % CYCLE_SECONDS
    poses = [pose for visit in VISITS if (pose := _pose(visit, moment)) is not None]
    return sorted(poses, key=lambda pose: pose.y)


def _pose(visit: Visit, moment: float) -> Pose | None:
    legs = list(itertools.pairwise(visit.way))
    begun = [(begin, end) for begin, end in legs if begin[0] <= moment]
    if not begun or moment >= visit.way[-1][0]:
        return None
    begin, end = begun[-1]
    share = (moment - begin[0]) / (end[0] - begin[0])
    is_walking = begin[1:] != end[1:]
    phase = 2 * math.pi * STRIDES_PER_SECOND * moment
    # whoever lingers looks the way they came
    steps_x = [to[1] - start[1] for start, to in begun if to[1] != start[1]]
    return Pose(
        person=visit.person,
        x=begin[1] + share * (end[1] - begin[1]),
        y=begin[2] + share * (end[2] - begin[2]),
        faces_left=steps_x[-1] < 0,
        lean_degrees=SWAY_DEGREES * math.sin(phase / 2) if is_walking else 0.0,
        bounce=BOUNCE_SHARE_OF_HEIGHT * abs(math.sin(phase / 2)) if is_walking else 0.0,
    )
