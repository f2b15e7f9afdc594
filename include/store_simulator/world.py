"""Who is where when: shoppers enter, walk the aisles, linger, queue, pay and leave.

A path is piecewise linear in metres of the floor. Times are milliseconds since 1970, in truth:
no camera's clock is involved. Shopper i of a day depends on the seed, the store, the day and i
only (and, in the queue, on those who came before), whatever else the scenario holds.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from store_simulator.scenario import HOURS, Point, Scenario, Store, seconds_of_day
from store_simulator.seeds import generator

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
WALKING_METRES_PER_SECOND = (1.1, 0.2)
"""Mean and deviation: people in shops stroll."""
WALKING_LIMITS = (0.5, 1.8)
PERSON_METRES = (1.70, 0.10)
PERSON_LIMITS = (1.35, 2.05)
STANDS_BESIDE_METRES = 0.4
"""Two people before one shelf do not stand in one another."""
LEAST_LINGER_SECONDS = 3.0
QUEUE_SPACING_METRES = 0.8
LONGEST_QUEUE = 30
"""Who finds more people waiting leaves without buying."""
LONGEST_VISIT_DAYS = 1
"""So far back are shoppers made who may still be inside when the simulation starts."""
CHECKOUT = "checkout"


@dataclass(slots=True)
class Stay:
    """A shopper at a place, walking up to it not included; of the checkout, the queue is."""

    place: str
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class Shopper:
    """One visit of one person."""

    name: str
    height_metres: float
    times_ms: npt.NDArray[np.int64]
    """Ascending; the first is the entry, the last the exit."""
    xs: npt.NDArray[np.float64]
    ys: npt.NDArray[np.float64]
    stays: list[Stay]

    @property
    def enters_ms(self) -> int:
        """When the entrance is passed."""
        return int(self.times_ms[0])

    @property
    def leaves_ms(self) -> int:
        """When it is passed again."""
        return int(self.times_ms[-1])


@dataclass(slots=True)
class _Walk:
    """A path while it is being walked."""

    metres_per_ms: float
    times_ms: list[int] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)

    @property
    def now_ms(self) -> int:
        return self.times_ms[-1]

    def reach(self, point: Point, at_ms: int) -> None:
        """Be there then: in a straight line from the last point."""
        self.times_ms.append(at_ms)
        self.points.append(point)

    def go(self, waypoints: Iterable[Point]) -> None:
        for point in waypoints:
            metres = math.dist(self.points[-1], point)
            if metres > 0:
                self.reach(point, self.now_ms + max(1, round(metres / self.metres_per_ms)))

    def stay(self, place: str, milliseconds: int) -> None:
        self.stays.append(Stay(place, self.now_ms, self.now_ms + milliseconds))
        self.reach(self.points[-1], self.now_ms + milliseconds)


@dataclass(slots=True)
class _AtCheckout:
    """A shopper on the way to a queue."""

    number: int
    walk: _Walk
    service_ms: int


def shoppers(scenario: Scenario, store: Store) -> list[Shopper]:
    """Everyone who is in the store at some time of the simulation, in the order of entry."""
    start_ms = scenario.start_ms
    end_ms = start_ms + scenario.duration_ms
    found: list[Shopper] = []
    for day in range(start_ms // DAY_MS - LONGEST_VISIT_DAYS, (end_ms - 1) // DAY_MS + 1):
        found += [
            each
            for each in _of_day(scenario.seed, store, day, end_ms)
            if each.enters_ms < end_ms and each.leaves_ms >= start_ms
        ]
    return found


def arrivals_ms(seed: int, store: Store, day: int) -> npt.NDArray[np.int64]:
    """When people enter on that day (days since 1970): Poisson, hour by hour, ascending."""
    random = generator(seed, "store", store.id, "arrivals", str(day))
    opens_ms, closes_ms = (seconds_of_day(each) * 1000 for each in (store.opens, store.closes))
    parts = []
    for hour in range(HOURS):
        from_ms = max(opens_ms, hour * HOUR_MS)
        to_ms = max(from_ms, min(closes_ms, (hour + 1) * HOUR_MS))
        open_share = (to_ms - from_ms) / HOUR_MS
        expected = store.shoppers_per_hour * store.hourly_profile[hour] * open_share
        moments = random.uniform(from_ms, to_ms, random.poisson(expected))
        parts.append(np.sort(moments).astype(np.int64))
    return np.concatenate(parts) + day * DAY_MS


def _of_day(seed: int, store: Store, day: int, end_ms: int) -> list[Shopper]:
    weights = np.array([place.popularity for place in store.places])
    walks: list[_Walk] = []
    heights: list[float] = []
    queues: defaultdict[int, list[_AtCheckout]] = defaultdict(list)
    for number, enters_ms in enumerate(arrivals_ms(seed, store, day).tolist()):
        if enters_ms >= end_ms:
            break
        random = generator(seed, "store", store.id, "shopper", str(day), str(number))
        heights.append(_normal(random, PERSON_METRES, PERSON_LIMITS))
        walk = _shop(store, weights, enters_ms, random)
        walks.append(walk)
        if store.checkouts and random.random() < store.buyers:
            which = int(random.integers(len(store.checkouts)))
            service_ms = round(1000 * random.exponential(store.service_seconds)) + 1
            walk.go(_way(walk.points[-1], store.checkouts[which], store.cross_aisles_y))
            queues[which].append(_AtCheckout(number, walk, service_ms))
    for which, queue in queues.items():
        _serve(store.checkouts[which], queue)
    for walk in walks:
        walk.go(_way(walk.points[-1], store.entrance, store.cross_aisles_y))
        if len(walk.points) == 1:  # all that they wanted stands in the door
            walk.reach(store.entrance, walk.now_ms + 1)
    return [
        Shopper(
            name=f"{store.id}/{day}/{number}",
            height_metres=height,
            times_ms=np.array(walk.times_ms, dtype=np.int64),
            xs=np.array([x for x, _ in walk.points]),
            ys=np.array([y for _, y in walk.points]),
            stays=walk.stays,
        )
        for number, (walk, height) in enumerate(zip(walks, heights, strict=True))
    ]


def _shop(
    store: Store, weights: npt.NDArray[np.float64], enters_ms: int, random: np.random.Generator
) -> _Walk:
    """From the entrance to the last shelf."""
    speed = _normal(random, WALKING_METRES_PER_SECOND, WALKING_LIMITS)
    walk = _Walk(speed / 1000)
    walk.reach(store.entrance, enters_ms)
    stops = min(len(store.places), max(1, int(random.poisson(store.stops))))
    chosen = random.choice(
        len(store.places), size=stops, replace=False, p=weights / weights.sum()
    ).tolist()
    for index in chosen:
        place = store.places[index]
        beside = float(random.uniform(-STANDS_BESIDE_METRES, STANDS_BESIDE_METRES))
        spot = (place.at[0], place.at[1] + beside)
        walk.go(_way(walk.points[-1], spot, store.cross_aisles_y))
        seconds = LEAST_LINGER_SECONDS + random.exponential(
            max(0.0, place.linger_seconds - LEAST_LINGER_SECONDS)
        )
        walk.stay(place.name, round(1000 * seconds))
    return walk


def _way(start: Point, end: Point, cross_aisles_y: tuple[float, ...]) -> list[Point]:
    """Along the own aisle to a cross aisle, along that, and into the other aisle."""
    if start[0] == end[0]:
        return [end]
    cross = min(cross_aisles_y, key=lambda y: abs(start[1] - y) + abs(end[1] - y))
    return [(start[0], cross), (end[0], cross), end]


def _serve(checkout: Point, queue: list[_AtCheckout]) -> None:
    """First come, first served; each stands behind those ahead and moves up when one leaves."""
    done_ms: list[int] = []
    for each in sorted(queue, key=lambda one: (one.walk.now_ms, one.number)):
        walk = each.walk
        came_ms = walk.now_ms
        leaving = done_ms[bisect_right(done_ms, came_ms) :]
        if len(leaving) > LONGEST_QUEUE:
            continue
        step_ms = round(QUEUE_SPACING_METRES / walk.metres_per_ms)
        if leaving:  # go along the queue to its end
            walk.reach(_slot(checkout, len(leaving)), came_ms + len(leaving) * step_ms)
        for left, moment in enumerate(leaving):
            ahead = len(leaving) - left
            if moment > walk.now_ms:
                walk.reach(_slot(checkout, ahead), moment)
            walk.reach(_slot(checkout, ahead - 1), walk.now_ms + step_ms)
        walk.reach(checkout, walk.now_ms + each.service_ms)
        done_ms.append(walk.now_ms)
        walk.stays.append(Stay(CHECKOUT, came_ms, walk.now_ms))


def _slot(checkout: Point, ahead: int) -> Point:
    return (checkout[0] + ahead * QUEUE_SPACING_METRES, checkout[1])


def _normal(
    random: np.random.Generator,
    mean_and_deviation: tuple[float, float],
    limits: tuple[float, float],
) -> float:
    low, high = limits
    return min(max(float(random.normal(*mean_and_deviation)), low), high)
