"""The independent reader and the contract's own code judge every payload alike."""

from __future__ import annotations

import base64
import json
from random import Random

import fuzzed_payloads
import image_like
import pytest
from any_messages import (
    ANY_JSON,
    IMAGED,
    NEARLY_SOUND,
    RAW_VALUES,
    SOUND,
    TIMED,
    damaged,
    documented_examples,
    paths,
    spliced,
)
from hypothesis import HealthCheck, example, given, settings
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
    assert (reading.kept or "") == report.kept
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


@pytest.mark.parametrize("first_bytes", [*image_like.FILES.values(), *image_like.NO_FILES])
def test_beginnings_of_files_are_judged_alike(first_bytes: bytes) -> None:
    data = image_like.file_of(first_bytes, 80)
    texts = (base64.b64encode(data).decode(), data.hex(), data.hex().upper())
    for text in texts:
        for length in (63, 64):
            reading = assert_both_agree(spliced([("other", json.dumps(text[:length]))]))
            is_file = first_bytes not in image_like.NO_FILES and length == 64
            assert reading.reason == ("message_image_data" if is_file else None)


@pytest.mark.parametrize("text", image_like.ESCAPED)
def test_escaped_image_data_is_judged_alike(text: str) -> None:
    reading = assert_both_agree(spliced([("other", text)]))
    assert reading.reason == "message_image_data"


@pytest.mark.parametrize(
    "again", ["[]", "{}", "7", '["data:image/png,"]', '[{"a": "data:image/png,"}]']
)
@pytest.mark.parametrize("text", ['"data:image/png,"', "[]", '{"a": "data:image/png,"}'])
def test_image_data_in_detections_that_stand_there_twice_is_judged_alike(
    text: str, again: str
) -> None:
    first = spliced([("detections.1", text)])
    for name in ("detections", "\\u0064etections"):
        assert_both_agree(first[:-1] + f', "{name}": {again}}}'.encode())
        assert_both_agree(f'{{"{name}": {again}, '.encode() + first[1:])


@pytest.mark.parametrize("changed", range(12))
def test_beginnings_with_another_byte_are_judged_alike(changed: int) -> None:
    for first_bytes in image_like.FILES.values():
        data = bytearray(image_like.file_of(first_bytes, 80))
        data[changed] ^= 0x81
        assert_both_agree(spliced([("other", json.dumps(data.hex()[:64]))]))


@given(IMAGED)
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
def test_messages_with_image_data_are_judged_alike(payload: bytes) -> None:
    assert_both_agree(payload)


@given(st.integers(0, 2**64))
@settings(max_examples=400)
def test_fuzzed_payloads_are_judged_alike(seed: int) -> None:
    assert_both_agree(fuzzed_payloads.payload(Random(seed)))


@given(TIMED)
@settings(max_examples=400)
@example(spliced([("capture_ts", '"2026-11-24T10:15:41.9999999Z"')]))
@example(spliced([("capture_ts", '"9999-12-31T23:59:59.9999999Z"')]))
@example(spliced([("capture_ts", '"1969-12-31T23:59:59.9999999Z"')]))
def test_times_are_judged_alike(payload: bytes) -> None:
    assert_both_agree(payload)


@given(damaged())
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
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
        ("other", '"data:image/png;base64,"'),
        ("detections.1.other", '"data:image/png;base64,"'),
    ):
        assert_both_agree(spliced([(path, text)]))
    assert {str(reason) for reason in Reason} == SEEN
