from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.errors import SettingsError
from vision.timestamps import (
    DetectionNumbers,
    LiveClock,
    PositionClock,
    RateClock,
    default_run_id,
    from_epoch_ms,
    parse_start_time,
    rational_rate,
    to_epoch_ms,
)

START = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("announced", "expected"),
    [
        (10.0, Fraction(10)),
        (25.0, Fraction(25)),
        (12.5, Fraction(25, 2)),
        (29.97, Fraction(2997, 100)),
        (30000 / 1001, Fraction(30000, 1001)),
        (24000 / 1001, Fraction(24000, 1001)),
        (60000 / 1001, Fraction(60000, 1001)),
        (1 / 3, Fraction(1, 3)),
    ],
)
def test_container_float_becomes_the_exact_rate(announced: float, expected: Fraction) -> None:
    assert rational_rate(announced) == expected


def test_odd_measured_rate_is_not_forced_onto_a_usual_one() -> None:
    assert abs(rational_rate(29.871234) - Fraction(29.871234)) < Fraction(1, 10**6)


def test_ntsc_rate_does_not_drift_over_an_hour() -> None:
    clock = RateClock(START, rational_rate(30000 / 1001))
    frames_in_an_hour = 30000 * 3600 // 1001
    elapsed = clock.capture_epoch_ms(frames_in_an_hour, 0.0) - to_epoch_ms(START)
    assert elapsed == round(Fraction(1000 * frames_in_an_hour * 1001, 30000))
    # what an int rate of 29 or 30 would make of it is minutes or seconds away
    assert abs(elapsed - 3_600_000) <= 34


def test_frame_time_is_the_design_documents_example() -> None:
    clock = RateClock(START, Fraction(30))
    assert from_epoch_ms(clock.capture_epoch_ms(1234, 0.0)).isoformat() == (
        "2026-11-24T10:15:41.133000+00:00"
    )


@given(st.integers(0, 10**7), st.fractions(Fraction(1, 10), 240))
def test_frame_time_is_never_more_than_half_a_millisecond_off(index: int, rate: Fraction) -> None:
    elapsed = RateClock(START, rate).capture_epoch_ms(index, 0.0) - to_epoch_ms(START)
    assert abs(elapsed - Fraction(1000 * index) / rate) <= Fraction(1, 2)


def test_position_clock_counts_from_the_first_stamp_and_never_goes_back() -> None:
    clock = PositionClock(START)
    stamps = [500.0, 533.4, 520.0, 700.0]
    elapsed = [
        clock.capture_epoch_ms(n, stamp) - to_epoch_ms(START) for n, stamp in enumerate(stamps)
    ]
    assert elapsed == [0, 33, 33, 200]


def test_live_clock_adds_what_has_passed_since() -> None:
    moments = iter([100.0, 100.0404, 101.5])
    clock = LiveClock(START, steady_seconds=lambda: next(moments))
    assert [clock.now_epoch_ms() - to_epoch_ms(START) for _ in range(2)] == [40, 1500]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T10:15:00Z", START),
        ("2026-11-24T11:15:00+01:00", START),
        ("2026-11-24 10:15", START),
        ("20261124T101500Z", START),
        ("2026-11-24T10:15:00.123456Z", START.replace(microsecond=123000)),
    ],
)
def test_start_time_is_read_as_utc_milliseconds(text: str, expected: datetime) -> None:
    assert parse_start_time(text) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]
)
def test_start_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--start-time"):
        parse_start_time(text)


def test_no_start_time_is_now_in_whole_milliseconds() -> None:
    moment = parse_start_time(None)
    assert moment.microsecond % 1000 == 0
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5


def test_run_is_named_after_store_camera_and_start() -> None:
    assert default_run_id("store_01", "cam_01", START) == "store_01-cam_01-20261124T101500Z"


def test_detections_are_counted_within_the_second_across_frames() -> None:
    numbers = DetectionNumbers()
    second = to_epoch_ms(START)
    moments = [second, second, second + 999, second + 1000, second + 2000]
    assert [numbers.next_id(moment) for moment in moments] == [
        "d_1795515300_001",
        "d_1795515300_002",
        "d_1795515300_003",
        "d_1795515301_001",
        "d_1795515302_001",
    ]


def test_the_thousandth_detection_of_a_second_still_has_a_name_of_its_own() -> None:
    numbers = DetectionNumbers()
    names = [numbers.next_id(0) for _ in range(1200)]
    assert len(set(names)) == 1200
    assert names[-1] == "d_0_1200"
