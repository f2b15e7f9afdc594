"""Shoppers: when they come, where they walk, how they queue."""

from __future__ import annotations

import itertools
import math
from datetime import timedelta

import msgspec
import numpy as np
import pytest
import scenes

from store_simulator import world
from store_simulator.scenario import Place, Store
from store_simulator.seeds import generator

DAY = 20_780
"""2026-11-23."""
HOUR_MS = world.HOUR_MS


def store(**changes: object) -> Store:
    return msgspec.structs.replace(scenes.STORE, **changes)


def whole_day(**changes: object) -> list[world.Shopper]:
    """Everyone of the small scenario's day, the first store changed."""
    day = scenes.with_store(scenes.scenario(18 * 60), **changes)
    return world.shoppers(day, day.stores[0])


def test_nobody_enters_outside_the_opening_hours() -> None:
    busy = store(shoppers_per_hour=2000.0, opens="09:30", closes="21:15")

    times_ms = world.arrivals_ms(1, busy, DAY) - DAY * world.DAY_MS

    assert 9.5 * HOUR_MS <= times_ms.min() < 9.52 * HOUR_MS
    assert 21.23 * HOUR_MS < times_ms.max() < 21.25 * HOUR_MS
    assert len(times_ms) == pytest.approx(2000 * 11.75, rel=0.03)


def test_arrivals_follow_the_hourly_profile_as_a_poisson_process() -> None:
    profile = [0.0] * 24
    profile[10], profile[11] = 1.0, 3.0
    counted = store(shoppers_per_hour=20.0, hourly_profile=tuple(profile))

    counts = np.array(
        [
            np.bincount(
                (world.arrivals_ms(seed, counted, DAY) % world.DAY_MS) // HOUR_MS, minlength=24
            )
            for seed in range(500)
        ]
    )

    assert counts.sum(axis=0).nonzero()[0].tolist() == [10, 11]
    assert counts[:, 10].mean() == pytest.approx(20, rel=0.05)
    assert counts[:, 11].mean() == pytest.approx(60, rel=0.05)
    # of a Poisson count the variance is the mean
    assert counts[:, 11].var() == pytest.approx(60, rel=0.2)


def test_nobody_walks_through_shelves_or_faster_than_people_do() -> None:
    corners = {scenes.STORE.entrance[0], *(place.at[0] for place in scenes.STORE.places)}
    corners |= {x for x, _ in scenes.STORE.checkouts}
    for shopper in whole_day():
        steps = zip(
            *(np.diff(each) for each in (shopper.times_ms, shopper.xs, shopper.ys)), strict=True
        )
        for place, (milliseconds, dx, dy) in enumerate(steps):
            assert milliseconds > 0
            metres_per_second = math.hypot(dx, dy) / milliseconds * 1000
            assert metres_per_second <= world.WALKING_LIMITS[1] * 1.01
            x, y = shopper.xs[place], shopper.ys[place]
            in_queue = y == shopper.ys[place + 1] == scenes.STORE.checkouts[0][1]
            if dx and not in_queue:
                assert dy == 0
                assert y in scenes.STORE.cross_aisles_y
            elif dy:
                assert x in corners


def test_everyone_enters_and_leaves_by_the_entrance_and_stays_at_places_meanwhile() -> None:
    people = whole_day()

    assert len(people) > 300
    assert [each.enters_ms for each in people] == sorted(each.enters_ms for each in people)
    for shopper in people:
        ends = [(shopper.xs[end], shopper.ys[end]) for end in (0, -1)]
        assert ends == [scenes.STORE.entrance] * 2
        assert shopper.stays
        moments = [t for stay in shopper.stays for t in (stay.from_ms, stay.to_ms)]
        assert moments == sorted(moments)
        assert shopper.enters_ms <= moments[0]
        assert moments[-1] <= shopper.leaves_ms


def test_shoppers_linger_as_long_as_the_place_says_on_average() -> None:
    stays = [stay for shopper in whole_day(shoppers_per_hour=400.0) for stay in shopper.stays]

    for place in scenes.STORE.places:
        seconds = [(s.to_ms - s.from_ms) / 1000 for s in stays if s.place == place.name]
        assert np.mean(seconds) == pytest.approx(place.linger_seconds, rel=0.15), place.name
        assert min(seconds) >= world.LEAST_LINGER_SECONDS


def test_one_is_served_at_a_time_in_the_order_of_coming() -> None:
    queue = [
        (stay.from_ms, stay.to_ms)
        for shopper in whole_day()
        for stay in shopper.stays
        if stay.place == world.CHECKOUT
    ]

    assert len(queue) > 200
    queue.sort()
    leaving = [left for _, left in queue]
    assert leaving == sorted(leaving)
    waited = [left for (came, _), left in zip(queue[1:], leaving, strict=False) if came < left]
    assert len(waited) > 20


def test_those_who_wait_stand_apart() -> None:
    people = whole_day(shoppers_per_hour=90.0)
    at_till = {
        shopper.name: next((s for s in shopper.stays if s.place == world.CHECKOUT), None)
        for shopper in people
    }
    checked = 0
    for shopper in people:
        stay = at_till[shopper.name]
        if stay is None:
            continue
        moment = stay.to_ms - 1  # at the till: everyone else in the queue is behind
        behind = [
            float(np.interp(moment, other.times_ms, other.xs))
            for other in people
            if other is not shopper
            and (their := at_till[other.name]) is not None
            and their.from_ms <= moment - 5000
            and their.to_ms > moment
        ]
        spots = sorted([scenes.STORE.checkouts[0][0], *behind])
        assert all(b - a > world.QUEUE_SPACING_METRES / 2 for a, b in itertools.pairwise(spots))
        checked += len(behind)
    assert checked > 50


def test_place_in_the_door_is_visited_without_a_step() -> None:
    door = scenes.STORE.entrance
    people = whole_day(
        places=(Place(name="door", at=door, linger_seconds=5.0),), checkouts=(), stops=1.0
    )

    assert all(shopper.leaves_ms > shopper.enters_ms for shopper in people)


def test_shoppers_who_came_before_the_start_are_inside_at_it() -> None:
    late = scenes.scenario(1)
    inside = [s for s in world.shoppers(late, scenes.STORE) if s.enters_ms < late.start_ms]

    assert inside
    assert all(shopper.leaves_ms >= late.start_ms for shopper in inside)


def test_shoppers_who_came_before_midnight_are_inside_after_it() -> None:
    midnight = scenes.SMALL.start + timedelta(hours=14)
    base = scenes.scenario(1, start=midnight)
    always = store(opens="00:00", closes="24:00", shoppers_per_hour=200.0)

    names = [shopper.name for shopper in world.shoppers(base, always)]

    assert {name.split("/")[1] for name in names} == {str(DAY), str(DAY + 1)}


def test_longer_simulation_begins_with_the_shorter_one() -> None:
    short, long = (world.shoppers(scenes.scenario(m), scenes.STORE) for m in (10, 60))

    assert 0 < len(short) < len(long)
    for one, other in zip(short, long, strict=False):
        assert one.name == other.name
        # the queue, too, knows only those who came before
        assert np.array_equal(one.times_ms, other.times_ms)


def test_children_with_other_names_have_other_numbers() -> None:
    draws = {
        generator(*names).random()  # type: ignore[arg-type]
        for names in [(1, "a"), (2, "a"), (1, "b"), (1, "a", "b"), (1, "ab"), (1, "b", "a")]
    }

    assert len(draws) == 6
