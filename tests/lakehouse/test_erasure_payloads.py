"""Whose a message is, and a message without one track: on bytes alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.erasure.payloads import may_be_of_track, told, without_track


@pytest.mark.parametrize(
    ("payload", "left"),
    [
        pytest.param(
            b'{ "a" :1e400, "detections" : [ {"track_id":5} , {"track_id":7} ],\n"z":"\xc3\xa9"}',
            b'{ "a" :1e400, "detections" : [{"track_id":7}],\n"z":"\xc3\xa9"}',
            id="all else as it was",
        ),
        pytest.param(
            b'{"detections":[{"track_id":7},  {"track_id":5},\t{"track_id":8}]}',
            b'{"detections":[{"track_id":7},\t{"track_id":8}]}',
            id="in the middle",
        ),
        pytest.param(b'{"detections":[{"track_id":5}]}', b'{"detections":[]}', id="the only one"),
        pytest.param(
            b'{"detections":[ {"track_id":7} ]}',
            b'{"detections":[ {"track_id":7} ]}',
            id="none of it",
        ),
        pytest.param(
            b'{"detections":[{"track_id":5}],"detections":[{"track_id":5},{}]}',
            b'{"detections":[],"detections":[{}]}',
            id="in an array that a later one overrides too",
        ),
        pytest.param(
            b'{"detections":[{"track_id":5,"track_id":6}]}',
            b'{"detections":[]}',
            id="by a name that a later one overrides",
        ),
        pytest.param(
            b'{"detections":[3,{"track_id":7}]}',
            b'{"detections":[{"track_id":7}]}',
            id="what is no detection could be anybody's",
        ),
        pytest.param(b'{"detections":null}', b'{"detections":null}', id="no detections"),
        pytest.param(b"{}", b"{}", id="an empty object"),
        pytest.param(b'{"detections":{"track_id":7}}', None, id="no array"),
        pytest.param(b'{"detections":[{"track_id":5}', None, id="cut off"),
        pytest.param(b'{"detections":[]} x', None, id="more than an object"),
        pytest.param(b'[{"track_id":5}]', None, id="an array"),
        pytest.param(b"\xff", None, id="no UTF-8"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b'{"detections":[' + b"[" * 100_000, None, id="nested deeply"),
    ],
)
def test_message_without_a_track(payload: bytes, left: bytes | None) -> None:
    assert without_track(payload, 5) == left


@pytest.mark.parametrize(
    ("detection", "is_meant"),
    [
        ('{"track_id":5}', True),
        ('{"track_id":"5"}', True),
        ('{"track_id":5.0}', True),
        ('{"track_id":[5]}', True),
        ('{"track_id":"five"}', True),
        ("3", True),
        ("no JSON", True),
        ('{"track_id":6}', False),
        ('{"track_id":55}', False),
        ('{"track_id":null}', False),
        ('{"det_id":"5","inner":{"track_id":5}}', False),
    ],
)
def test_detection_may_be_of_the_track(detection: str, is_meant: bool) -> None:
    assert may_be_of_track(detection, 5) is is_meant


def test_largest_track_is_not_its_neighbour() -> None:
    assert not may_be_of_track('{"track_id":9223372036854775806}', 2**63 - 1)
    assert may_be_of_track('{"track_id":9223372036854775807}', 2**63 - 1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.just("track_id"), st.sampled_from([None, 4, 5, 6]))),
    st.dictionaries(st.text(), json_values),
    st.sampled_from([None, 1]),
)
def test_any_message_keeps_all_but_the_track(
    detections: list[dict[str, int | None]], others: dict[str, object], indent: int | None
) -> None:
    message = {**others, "detections": detections}
    left = without_track(json.dumps(message, indent=indent).encode(), 5)
    assert left is not None
    kept = [each for each in detections if each.get("track_id") != 5]
    assert json.loads(left) == {**message, "detections": kept}


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_judged(payload: bytes) -> None:
    told(payload)
    without_track(payload, 5)


def test_run_of_a_first_generation_message_is_its_stream() -> None:
    said = told(b'{"source":{"store_id":"s","camera_id":5,"stream_id":"t"},"capture_ts":"x"}')
    assert (said.store_id, said.camera_id, said.run_id, said.captured_at) == ("s", None, "t", None)
