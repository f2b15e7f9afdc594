"""What the soak judges of its samples."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench import streams
from bench.layers import Layers
from bench.long_day import LIMITS, Day, granted, judged, measured, remembered
from bench.sampling import Lag, Sizes
from local_stack.memory import DEFAULT

HELD = streams.Held(rows=2**14, data_files=3, delete_files=1, snapshots=9, metadata_kib=40)


def lag(at: float, published: int, read: int) -> Lag:
    return Lag(
        at=at,
        published=published,
        in_bronze=read,
        read_by_silver=read,
        in_silver=3 * read,
        read_by_gold=3 * read,
    )


def sizes(of: Lag) -> Sizes:
    return Sizes(
        lag=of,
        state_bytes={streams.BRONZE: 50 * of.in_bronze, streams.SILVER: 9000, streams.GOLD: 2**20},
        memory_mib={"trino": 700},
        tables=dict.fromkeys(streams.WRITTEN, HELD),
    )


LAGS = [lag(0.0, 100, 0), lag(2.0, 200, 100), lag(4.0, 300, 250)]
WHOLE = Layers(
    published=10,
    messages_in_bronze=10,
    frames_in_bronze=10,
    detections_in_bronze=30,
    detections_in_silver=30,
    runs=2,
    runs_that_differ=0,
    of_closed_minutes_in_silver=25,
    of_closed_minutes_in_gold=25,
    left_out_by_gold=0,
)


def test_delay_of_silver_is_told_in_seconds_of_what_was_published() -> None:
    found = measured(LAGS, [sizes(each) for each in LAGS])
    assert found["seconds behind", streams.SILVER] == [0.0, 2.0, 1.0]
    assert found["seconds behind", streams.GOLD] == [0.0, 0.0, 0.0]


def test_all_that_is_measured_has_a_limit() -> None:
    found = measured(LAGS, [sizes(each) for each in LAGS])
    assert {what for what, _ in found} == set(LIMITS)
    assert found["memory MiB", "trino"] == [700, 700, 700]
    assert ("data files", "bronze_raw") not in found
    assert found["snapshots", "bronze_raw"] == [9, 9, 9]
    assert found["data files", "gold_zone_dwell"] == [3, 3, 3]


def test_state_that_must_grow_is_judged_by_what_each_thing_takes_of_it() -> None:
    assert remembered(sizes(lag(9.0, 100, 100))) == {
        streams.BRONZE: 50.0,
        streams.SILVER: 30.0,
        streams.GOLD: 64.0,
    }


def test_before_the_first_message_nothing_is_remembered() -> None:
    assert remembered(sizes(lag(0.0, 0, 0)))[streams.BRONZE] == 0.0


GROWS = [100.0, 100.0, 300.0]
KEPT = timedelta(seconds=1500)


def is_flat(values: list[float], what: str, of: str) -> bool:
    found = {(what, of): values}
    return judged(found, granted(found, DEFAULT.memory, KEPT))[f"{what}: {of}"].is_flat


def test_memory_may_grow_up_to_its_setting_and_files_may_not() -> None:
    heap = float(DEFAULT.memory.trino_heap)
    assert is_flat([100, 100, heap], "memory MiB", "trino")
    assert not is_flat([100, 100, 2 * heap], "memory MiB", "trino")
    # once is too much
    assert not is_flat([2 * heap, *GROWS, *GROWS[2:] * 2], "memory MiB", "trino")
    assert is_flat(GROWS, "memory MiB", "minio")
    assert is_flat(GROWS, "memory MiB", "python-workers")
    assert not is_flat([100, 100, 400], "memory MiB", "python-workers")
    # it has no setting
    assert not is_flat(GROWS, "memory MiB", "another")
    assert not is_flat(GROWS, "data files", "gold_zone_dwell")


def test_snapshots_may_be_those_of_the_time_that_they_are_kept_and_of_as_long_again() -> None:
    assert is_flat(GROWS, "snapshots", "silver_detection")
    assert not is_flat([100, 100, 400], "snapshots", "silver_detection")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"not_flat": ["data files: bronze_raw"]}, id="grows"),
        pytest.param(
            {
                "maintained": [
                    streams.Maintenance(seconds=9.0, left=[], beyond_budget=["bronze_raw: 21"])
                ]
            },
            id="beyond its budget",
        ),
        pytest.param({"gold_state_in_a_week_mib": 67.0}, id="state fills the heap"),
    ],
)
def test_day_that_grows_does_not_stay_small(change: dict[str, Any]) -> None:
    day = Day(
        simulated_hours=24,
        speed=50,
        frames=10,
        seconds=9,
        drained_seconds=1,
        maintained=[streams.Maintenance(seconds=9.0, left=[], beyond_budget=[])],
        trends={},
        not_flat=[],
        state_mib={},
        bytes_remembered={},
        gold_state_in_a_week_mib=31,
        gold_state_may_be_mib=66,
        failures={},
        layers=WHOLE,
    )
    assert day.stays_small
    assert not replace(day, **change).stays_small


def test_layers_that_have_everything_once_agree() -> None:
    assert WHOLE.agree


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"messages_in_bronze": 9, "frames_in_bronze": 9}, id="lost by Bronze"),
        pytest.param({"messages_in_bronze": 11}, id="twice in Bronze"),
        pytest.param({"frames_in_bronze": 9}, id="one lost, another twice"),
        pytest.param({"runs_that_differ": 1}, id="Silver has other detections of a run"),
        pytest.param({"of_closed_minutes_in_gold": 24}, id="Gold lacks one"),
        pytest.param({"left_out_by_gold": 1}, id="late"),
        pytest.param(
            {"of_closed_minutes_in_silver": 0, "of_closed_minutes_in_gold": 0},
            id="no minute closed",
        ),
    ],
)
def test_layers_that_differ_do_not_agree(change: dict[str, int]) -> None:
    assert not replace(WHOLE, **change).agree
