"""The parser: any message becomes detections or a reason."""

from __future__ import annotations

import base64
import json
from math import isfinite
from random import Random

import fuzzed_payloads
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_jobs.functions import _TYPES
from flink_jobs.parser import ParsedRow, parse_message, zone
from frame_contract import BBox, ImageSize

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


def parsed(message: object, message_id: bytes = b"1") -> list[ParsedRow]:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return list(parse_message(payload, message_id))


def changed(**fields: object) -> dict[str, object]:
    return {**FRAME, **fields}


def test_valid_frame_yields_a_row_for_each_detection_with_every_column() -> None:
    first, second = parsed(FRAME)
    assert first._replace(item_key=b"") == ParsedRow(
        item_key=b"",
        store_id="store_01",
        camera_id="cam_01",
        stream_id="stream_001",
        run_id="store_01-cam_01-20261124T101500Z",
        frame_index=7,
        capture_ms=1795515341133,
        image_width=1280,
        image_height=720,
        det_id="d_1795515341_001",
        class_name="person",
        conf=0.92,
        x1=100.0,
        y1=200.0,
        x2=300.0,
        y2=400.0,
        track_id=5,
        zone_x=1,
        zone_y=4,
    )
    assert second.track_id is None
    assert second.reason is None


def test_frame_without_detections_yields_nothing() -> None:
    assert parsed(changed(detections=[])) == []


def test_partial_message_yields_one_quarantine_row_that_names_every_missing_field() -> None:
    (row,) = parsed(PARTIAL)
    assert row.reason == "message_missing_field"
    assert (row.store_id, row.camera_id) == ("S001", "CAM01")
    assert row.bad_payload == PARTIAL.decode()
    assert row.detail is not None
    for path in ("frame_index", "capture_ts", "detections[0].bbox.x2", "detections[0].conf"):
        assert path in row.detail


def test_the_same_bad_message_sent_five_times_is_five_quarantine_rows() -> None:
    keys = {parsed(PARTIAL, message_id=bytes([n]))[0].item_key for n in range(5)}
    assert len(keys) == 5


def test_the_same_frame_sent_twice_has_the_same_keys() -> None:
    assert parsed(FRAME, b"1") == parsed(FRAME, b"2")


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
def test_another_identity_has_other_keys(field: str, value: object) -> None:
    ours = {row.item_key for row in parsed(FRAME)}
    theirs = {row.item_key for row in parsed(changed(**{field: value}))}
    assert not ours & theirs


def test_bad_detection_is_quarantined_alone_and_once() -> None:
    bad = {**FRAME["detections"][0], "det_id": "d_1795515341_003", "conf": 1.5}  # type: ignore[index]
    message = changed(detections=[*FRAME["detections"], bad])  # type: ignore[misc]
    rows = parsed(message)
    assert [row.reason for row in rows] == [None, None, "detection_out_of_range"]
    assert rows[2].store_id == "store_01"
    assert json.loads(rows[2].bad_payload or "")["det_id"] == "d_1795515341_003"
    assert parsed(message, b"again") == rows


def test_bytes_that_are_no_text_are_kept_legibly() -> None:
    (row,) = parsed(b"\xff\xfe{")
    assert row.reason == "message_not_utf8"
    assert row.bad_payload == "\\xff\\xfe{"


PICTURE = base64.b64encode(b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 40).decode()


def test_detection_with_a_picture_is_quarantined_alone_and_without_it() -> None:
    whole, other = FRAME["detections"]  # type: ignore[misc]
    rows = parsed(changed(detections=[whole, {**other, "crop": PICTURE}]))  # type: ignore[dict-item]
    assert [row.reason for row in rows] == [None, "detection_image_data"]
    assert rows[0] == parsed(FRAME)[0]
    kept = json.loads(rows[1].bad_payload or "")
    assert kept == {**other, "crop": "<image data: 13668 characters>"}  # type: ignore[dict-item]
    assert rows[1].detail == (
        "detection_image_data: detections[1].crop: 13,668 characters that look like a picture"
    )


def test_message_with_a_picture_is_quarantined_whole_and_without_it() -> None:
    (row,) = parsed(changed(frame={"jpeg": PICTURE, "pixels": [[7] * 30] * 20}))
    assert row.reason == "message_image_data"
    assert row.store_id == "store_01"
    kept = {"jpeg": "<image data: 13668 characters>", "pixels": "<image data: 600 numbers>"}
    assert json.loads(row.bad_payload or "") == changed(frame=kept)
    assert "frame.jpeg" in (row.detail or "")


def test_picture_instead_of_a_message_is_quarantined_without_what_it_shows() -> None:
    (row,) = parsed(base64.b64decode(PICTURE))
    assert row.reason == "message_not_utf8"
    assert (row.bad_payload or "").startswith("\\xff\\xd8\\xff")
    assert (row.bad_payload or "").endswith("… <10250 bytes>")
    assert len(row.bad_payload or "") < 1100


@pytest.mark.parametrize(
    ("box", "cell"),
    [
        ((0, 0, 10, 10), (0, 0)),
        ((1270, 710, 1280, 720), (9, 9)),
        ((1279.9, 719.9, 1280, 720), (9, 9)),
        ((64, 36, 192, 108), (1, 1)),
        ((63, 35, 191, 107), (0, 0)),
    ],
    ids=["top left", "bottom right", "corner", "on the line", "left of the line"],
)
def test_zone_is_the_cell_of_the_centre(
    box: tuple[float, float, float, float], cell: tuple[int, int]
) -> None:
    x1, y1, x2, y2 = box
    assert zone(BBox(x1=x1, y1=y1, x2=x2, y2=y2), ImageSize(width=1280, height=720)) == cell


_OPTIONAL = {"track_id", "reason", "detail", "bad_payload"}
"""What a detection's row may lack: Silver's other columns refuse null, which would stop the job."""


def assert_flink_can_take(row: ParsedRow) -> None:
    """Every value fits the type that `functions.py` tells Flink, and Silver's required columns."""
    for name, value in row._asdict().items():
        if value is None:
            assert row.reason is not None or name in _OPTIONAL, f"{name} is null"
            continue
        told = type(_TYPES[name]).__name__ if name in _TYPES else "VarCharType"
        if isinstance(value, str):
            assert told == "VarCharType"
            value.encode("utf-8")
        elif isinstance(value, bytes):
            assert len(value) == 16
        elif isinstance(value, float):
            assert told == "DoubleType"
            assert isfinite(value)
        else:
            assert type(value) is int
            bits = {"BigIntType": 63, "IntType": 31}[told]
            assert -(2**bits) <= value < 2**bits
    if row.reason is None:
        assert {row.zone_x, row.zone_y} <= set(range(10))
    else:
        assert row.detail is not None
        assert row.bad_payload is not None
        assert row.det_id is None


def assert_rows_or_a_reason(payload: bytes) -> None:
    """One row for an unusable message; for a usable one its detections, each key once."""
    rows = list(parse_message(payload, b"1"))
    for row in rows:
        assert_flink_can_take(row)
    if any(str(row.reason).startswith("message_") for row in rows):
        assert len(rows) == 1
    assert len({row.item_key for row in rows}) == len(rows)
    assert list(parse_message(payload, b"1")) == rows


@given(st.binary(max_size=400))
def test_any_bytes_yield_one_reason(payload: bytes) -> None:
    assert_rows_or_a_reason(payload)
    assert [row.reason is None for row in parse_message(payload, b"1")] == [False]


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


def test_null_payload_is_quarantined() -> None:
    (row,) = parse_message(None, b"1")
    assert row.reason == "message_not_json"
