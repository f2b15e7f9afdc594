"""The independent reader and the contract's own code judge every payload alike."""

from __future__ import annotations

import pytest
from any_messages import (
    ANY_JSON,
    NEARLY_SOUND,
    RAW_VALUES,
    SOUND,
    TIMED,
    damaged,
    documented_examples,
    paths,
    spliced,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from frame_contract import MAX_MESSAGE_BYTES, Reason, event_time_ms, explain
from lakehouse.proving.reading import Reading, read

SEEN: set[str] = set()
"""Reason codes that the tests of this file have met."""


def assert_both_agree(payload: bytes) -> Reading:
    """Compare the reading with the contract's report, field by field."""
    reading, report = read(payload), explain(payload)
    SEEN.update(filter(None, (reading.reason, *(each.reason for each in reading.rejected))))
    known = report.known
    assert reading.reason == report.reason
    assert (reading.store_id, reading.camera_id, reading.stream_id, reading.run_id) == (
        known.store_id,
        known.camera_id,
        known.stream_id,
        known.run_id,
    )
    if report.frame is None:
        return reading
    frame = report.frame
    assert (reading.frame_index, reading.capture_ms) == (frame.frame_index, event_time_ms(frame))
    assert (reading.width, reading.height) == (frame.image_size.width, frame.image_size.height)
    assert [
        (d.det_id, d.class_name, d.x1, d.y1, d.x2, d.y2, d.conf, d.track_id)
        for d in reading.detections
    ] == [
        (d.det_id, d.class_name, d.bbox.x1, d.bbox.y1, d.bbox.x2, d.bbox.y2, d.conf, d.track_id)
        for d in frame.detections
    ]
    assert [(r.place, r.reason, r.text) for r in reading.rejected] == [
        (r.index, str(r.reason), r.json) for r in report.rejected
    ]
    return reading


@pytest.mark.parametrize("payload", documented_examples())
def test_examples_of_the_documentation_are_read_alike(payload: bytes) -> None:
    assert_both_agree(payload)


def test_the_documented_example_is_usable() -> None:
    reading = read(documented_examples()[0])
    assert reading.reason is None
    assert [detection.det_id for detection in reading.detections] == ["d_1795515341_001"]


@pytest.mark.parametrize("path", [*paths(SOUND), "other"])
def test_each_value_in_each_place_is_judged_alike(path: str) -> None:
    for text in [None, *RAW_VALUES]:
        assert_both_agree(spliced([(path, text)]))


@given(NEARLY_SOUND)
@settings(max_examples=600)
def test_nearly_sound_messages_are_judged_alike(payload: bytes) -> None:
    assert_both_agree(payload)


@given(TIMED)
@settings(max_examples=400)
@example(spliced([("capture_ts", '"2026-11-24T10:15:41.9999999Z"')]))
@example(spliced([("capture_ts", '"9999-12-31T23:59:59.9999999Z"')]))
@example(spliced([("capture_ts", '"1969-12-31T23:59:59.9999999Z"')]))
def test_times_are_judged_alike(payload: bytes) -> None:
    assert_both_agree(payload)


@given(damaged())
@settings(max_examples=600)
def test_damaged_messages_are_judged_alike(payload: bytes) -> None:
    assert_both_agree(payload)


@given(ANY_JSON)
def test_any_json_is_judged_alike(payload: bytes) -> None:
    assert_both_agree(payload)


@given(st.binary(max_size=200))
@example(b"")
@example(b" \r\n")
@example(b"\xef\xbb\xbf{}")
@example(b"\xed\xa0\x80")
@example(b'"\\ud800"')
@example(b"{}{}")
@example(b'{"detections":' * 50)
@example(b"[" * 5000)
@example(b"[" * 5000 + b"]" * 5000)
@example(b'{"a":' * 5000 + b"1" + b"}" * 5000)
@example(b" " * (MAX_MESSAGE_BYTES + 1))
@example(b" " * MAX_MESSAGE_BYTES)
def test_any_bytes_are_judged_alike(payload: bytes) -> None:
    assert_both_agree(payload)


def test_every_reason_code_was_met_in_both() -> None:
    assert_both_agree(b"\xff")
    assert_both_agree(b" " * (MAX_MESSAGE_BYTES + 1))
    assert_both_agree(b"[" * 5000)
    assert_both_agree(b"[1]")
    assert_both_agree(b"")
    for path in ("frame_index", "detections.0.conf"):
        for text in ("-1", "true", None):
            assert_both_agree(spliced([(path, text)]))
    for path, text in (
        ("run_id", '""'),
        ("capture_ts", '"now"'),
        ("schema_version", '"2.0"'),
        ("detections.0", "5"),
        ("detections.0.class", '""'),
        ("detections.0.bbox.x1", "300"),
        ("detections.0.bbox.x1", "-1"),
        ("detections.1.det_id", '"d_1795515341_001"'),
    ):
        assert_both_agree(spliced([(path, text)]))
    assert {str(reason) for reason in Reason} == SEEN
