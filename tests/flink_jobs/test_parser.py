"""The parser: any message becomes detections or a reason."""

from __future__ import annotations

import base64
import json
from math import isfinite
from random import Random
from typing import Any

import fuzzed_payloads
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyflink.table.types import (
    ArrayType,
    BigIntType,
    DataType,
    DoubleType,
    IntType,
    RowType,
    VarBinaryType,
    VarCharType,
)

from flink_jobs.functions import DETECTION, PARSED_TYPE, _ParseMessage
from flink_jobs.parser import ParsedMessage, Rejected, named, parse_message

FRAME = {
    "schema_version": "1.0",
    "run_id": "store_01-cam_01-20261124T101500Z",
    "source": {"store_id": "store_01", "camera_id": "cam_01", "stream_id": "stream_001"},
    "frame_index": 7,
    "capture_ts": "2026-11-24T10:15:41.133Z",
    "image_size": {"width": 1280, "height": 720},
    "detections": [
        {
            "det_id": "d_1795515341_001",
            "class": "person",
            "bbox": {"x1": 100, "y1": 200, "x2": 300, "y2": 400},
            "conf": 0.92,
            "track_id": 5,
        },
        {
            "det_id": "d_1795515341_002",
            "class": "person",
            "bbox": {"x1": 0, "y1": 0, "x2": 10, "y2": 20},
            "conf": 0.5,
            "track_id": None,
        },
    ],
    "model": {"detector": "yolo11n", "tracker": "deepsort"},
}
PARTIAL = (
    b'{"source":{"store_id":"S001","camera_id":"CAM01","stream_id":"stream1"},'
    b'"detections":[{"det_id":"d1","class":"person","bbox":{"x1":100,"y1":200}}],'
    b'"image_size":{"width":1280,"height":720}}'
)


def parsed(message: object, message_id: bytes = b"1") -> ParsedMessage:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    row = parse_message(payload, message_id)
    assert row is not None
    return row


def encoded(message: object) -> list[Any]:
    """The message's row as it goes to Flink."""
    row = _ParseMessage().eval(json.dumps(message).encode(), b"1")
    return list(row.to_row()._values)


def names_of(row: ParsedMessage) -> list[str]:
    return [each.det_id for each in row.detections] + [each.name for each in row.rejected]


def the_rejected(message: object, message_id: bytes = b"1") -> Rejected:
    (rejected,) = parsed(message, message_id).rejected
    return rejected


def changed(**fields: object) -> dict[str, object]:
    return {**FRAME, **fields}


def test_valid_frame_yields_its_identity_and_its_detections() -> None:
    row = parsed(FRAME)
    assert row._replace(frame_key=b"", detections=()) == ParsedMessage(
        frame_key=b"",
        item_names="\0d_1795515341_001\0d_1795515341_002\0",
        store_id="store_01",
        camera_id="cam_01",
        stream_id="stream_001",
        run_id="store_01-cam_01-20261124T101500Z",
        frame_index=7,
        capture_ms=1795515341133,
        image_width=1280,
        image_height=720,
        detections=(),
        rejected=[],
    )
    assert [(each.det_id, each.track_id) for each in row.detections] == [
        ("d_1795515341_001", 5),
        ("d_1795515341_002", None),
    ]


def test_flink_gets_every_field_in_the_order_of_its_type() -> None:
    bad = {**FRAME["detections"][1], "conf": 7}  # type: ignore[index]
    message = changed(detections=[FRAME["detections"][0], bad])  # type: ignore[index]
    row = encoded(message)
    assert row[1:10] == list(parsed(message)[1:10])
    [found], [rejected] = row[10:]
    assert found.to_row()._values == [
        *("d_1795515341_001", "person", 0.92, 100.0, 200.0, 300.0, 400.0, 5)
    ]
    assert rejected.to_row()._values[1] == "detection_out_of_range"
    assert PARSED_TYPE["detections"].data_type.element_type.field_names() == list(DETECTION)


def test_frame_without_detections_yields_nothing() -> None:
    assert parse_message(json.dumps(changed(detections=[])).encode(), b"1") is None


def test_partial_message_is_rejected_whole_and_every_missing_field_named() -> None:
    row = parsed(PARTIAL)
    assert (row.store_id, row.camera_id, row.detections) == ("S001", "CAM01", ())
    (rejected,) = row.rejected
    assert rejected.reason == "message_missing_field"
    assert rejected.payload == PARTIAL.decode()
    for path in ("frame_index", "capture_ts", "detections[0].bbox.x2", "detections[0].conf"):
        assert path in rejected.detail


def test_the_same_bad_message_sent_five_times_is_five_things() -> None:
    keys = {parsed(PARTIAL, message_id=bytes([n])).frame_key for n in range(5)}
    assert len(keys) == 5


def test_the_same_frame_sent_twice_has_the_same_key() -> None:
    assert parsed(FRAME, b"1") == parsed(FRAME, b"2")


def test_a_message_never_has_the_key_of_a_frame() -> None:
    identity = b"store_01\0cam_01\0store_01-cam_01-20261124T101500Z\x007\x001795515341133"
    assert parsed(PARTIAL, message_id=identity).frame_key != parsed(FRAME).frame_key


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run_id", "another"),
        ("frame_index", 8),
        ("capture_ts", "2026-11-24T10:15:41.134Z"),
        ("source", {"store_id": "store_02", "camera_id": "cam_01", "stream_id": "stream_001"}),
        ("source", {"store_id": "store_01", "camera_id": "cam_02", "stream_id": "stream_001"}),
    ],
    ids=["run", "frame", "time", "store", "camera"],
)
def test_another_identity_has_another_key(field: str, value: object) -> None:
    assert parsed(FRAME).frame_key != parsed(changed(**{field: value})).frame_key


def test_bad_detection_is_rejected_alone_and_named_by_place_and_text() -> None:
    bad = {**FRAME["detections"][0], "det_id": "d_1795515341_003", "conf": 1.5}  # type: ignore[index]
    message = changed(detections=[*FRAME["detections"], bad])  # type: ignore[misc]
    row = parsed(message)
    assert len(row.detections) == 2
    (rejected,) = row.rejected
    assert rejected.reason == "detection_out_of_range"
    assert json.loads(rejected.payload or "")["det_id"] == "d_1795515341_003"
    assert parsed(message, b"again") == row

    elsewhere = changed(detections=[bad, *FRAME["detections"]])  # type: ignore[misc]
    other = changed(detections=[*FRAME["detections"], {**bad, "conf": 1.6}])  # type: ignore[misc]
    names = {rejected.name, the_rejected(elsewhere).name, the_rejected(other).name}
    assert len(names) == 3


def test_every_item_is_found_in_the_names_and_no_part_of_one() -> None:
    bad = {**FRAME["detections"][0], "det_id": "d_1795515341_0", "conf": 1.5}  # type: ignore[index]
    row = parsed(changed(detections=[*FRAME["detections"], bad]))  # type: ignore[misc]
    for name in names_of(row):
        assert named(name) in row.item_names
    assert named("d_1795515341_0") not in row.item_names
    assert named("d_1795515341_00") not in row.item_names


def test_bytes_that_are_no_text_are_kept_legibly() -> None:
    rejected = the_rejected(b"\xff\xfe{")
    assert rejected.reason == "message_not_utf8"
    assert rejected.payload == "\\xff\\xfe{"


PICTURE = base64.b64encode(b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 40).decode()


def test_detection_with_a_picture_is_rejected_alone_and_without_it() -> None:
    whole, other = FRAME["detections"]  # type: ignore[misc]
    row = parsed(changed(detections=[whole, {**other, "crop": PICTURE}]))  # type: ignore[dict-item]
    assert [each.det_id for each in row.detections] == [whole["det_id"]]  # type: ignore[index]
    (rejected,) = row.rejected
    assert rejected.reason == "detection_image_data"
    kept = json.loads(rejected.payload or "")
    assert kept == {**other, "crop": "<image data: 13668 characters>"}  # type: ignore[dict-item]
    assert rejected.detail == (
        "detection_image_data: detections[1].crop: 13,668 characters that look like a picture"
    )


def test_message_with_a_picture_is_rejected_whole_and_without_it() -> None:
    row = parsed(changed(frame={"jpeg": PICTURE, "pixels": [[7] * 30] * 20}))
    assert row.store_id == "store_01"
    (rejected,) = row.rejected
    assert rejected.reason == "message_image_data"
    kept = {"jpeg": "<image data: 13668 characters>", "pixels": "<image data: 600 numbers>"}
    assert json.loads(rejected.payload or "") == changed(frame=kept)
    assert "frame.jpeg" in rejected.detail


def test_picture_instead_of_a_message_is_rejected_without_what_it_shows() -> None:
    rejected = the_rejected(base64.b64decode(PICTURE))
    assert rejected.reason == "message_not_utf8"
    assert (rejected.payload or "").startswith("\\xff\\xd8\\xff")
    assert (rejected.payload or "").endswith("… <10250 bytes>")
    assert len(rejected.payload or "") < 1100


_OF_FRAMES = {"frame_index", "capture_ms", "image_width", "image_height"}
_OPTIONAL = {"store_id", "camera_id", "stream_id", "run_id", "track_id", "payload"}
"""What may lack a value. Silver's other columns refuse null, which would stop the job."""


def assert_fits(name: str, value: object, told: DataType) -> None:
    if value is None:
        assert name in _OPTIONAL or name in _OF_FRAMES, f"{name} is null"
    elif isinstance(told, ArrayType):
        assert type(value) is list
        for each in value:
            assert_fits(name, each, told.element_type)
    elif isinstance(told, RowType):
        values = value.to_row()._values  # type: ignore[attr-defined]
        for field, inner in zip(told.fields, values, strict=True):
            assert_fits(field.name, inner, field.data_type)
    elif isinstance(told, VarCharType):
        assert isinstance(value, str)
        value.encode("utf-8")
    elif isinstance(told, VarBinaryType):
        assert isinstance(value, bytes)
        assert len(value) == 16
    elif isinstance(told, DoubleType):
        assert type(value) is float
        assert isfinite(value)
    else:
        assert type(value) is int
        bits = {BigIntType: 63, IntType: 31}[type(told)]
        assert -(2**bits) <= value < 2**bits


def assert_rows_or_a_reason(payload: bytes) -> None:
    """Detections and what is rejected, each name once; of an unusable message the reason alone."""
    row = parse_message(payload, b"1")
    assert parse_message(payload, b"1") == row
    sent = _ParseMessage().eval(payload, b"1")
    assert (row is None) == (sent is None)
    if row is None:
        return
    # every value fits the type that Flink is told
    assert_fits("message", sent, PARSED_TYPE)
    for name in ("store_id", "camera_id", "stream_id", "run_id", *_OF_FRAMES):
        assert getattr(row, name) is not None or not row.detections, f"{name} is null"
    if any(each.reason.startswith("message_") for each in row.rejected):
        assert (len(row.rejected), row.detections) == (1, ())
    names = names_of(row)
    assert names
    assert len(set(names)) == len(names)
    assert row.item_names == named("\0".join(names))


@given(st.binary(max_size=400))
def test_any_bytes_yield_one_reason(payload: bytes) -> None:
    assert_rows_or_a_reason(payload)
    assert the_rejected(payload).reason.startswith("message_")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(FRAME)), _JSON)
def test_any_value_in_any_field_yields_rows_or_a_reason(field: str, value: object) -> None:
    assert_rows_or_a_reason(json.dumps(changed(**{field: value})).encode())


@given(st.integers(0, 2**64))
def test_fuzzed_payloads_yield_rows_or_a_reason(seed: int) -> None:
    assert_rows_or_a_reason(fuzzed_payloads.payload(Random(seed)))


def test_null_payload_is_rejected() -> None:
    row = parse_message(None, b"1")
    assert row is not None
    assert [each.reason for each in row.rejected] == ["message_not_json"]
