"""What `decode` and `explain` make of sound messages, and what `encode` writes."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from contract_messages import EXAMPLE, GONE, changed, payload

from frame_contract import (
    BBox,
    ContractViolation,
    Detection,
    Frame,
    FrameIdentity,
    ImageSize,
    Known,
    Model,
    Reason,
    Source,
    TimestampError,
    decode,
    encode,
    event_time_ms,
    explain,
    format_capture_ts,
    identity,
    known_properties,
    message_key,
    message_properties,
    parse_capture_ts,
    writing,
)

CAPTURED_AT = datetime(2026, 11, 24, 10, 15, 41, 133000, tzinfo=UTC)
FRAME = Frame(
    schema_version="1.0",
    run_id="store_01-cam_01-20261124T101500Z",
    source=Source(store_id="store_01", camera_id="cam_01", stream_id="stream_001"),
    frame_index=1234,
    capture_ts=CAPTURED_AT,
    image_size=ImageSize(width=1280, height=720),
    detections=(
        Detection(
            det_id="d_1795515341_001",
            class_name="person",
            bbox=BBox(x1=100, y1=200, x2=300, y2=400),
            conf=0.92,
            track_id=5,
        ),
    ),
    model=Model(detector="yolo11n", tracker="deepsort"),
)


def frame_with(**changes: Any) -> Frame:
    return msgspec.structs.replace(FRAME, **changes)


def frame_with_detection(**changes: Any) -> Frame:
    return frame_with(detections=(msgspec.structs.replace(FRAME.detections[0], **changes),))


def test_the_example_of_the_design_is_read_and_written_as_it_stands() -> None:
    assert decode(payload()) == FRAME
    assert encode(FRAME) == json.dumps(EXAMPLE, separators=(",", ":")).encode()


def test_a_sound_message_has_no_problems_and_all_is_known() -> None:
    report = explain(payload())

    assert (report.frame, report.problems, report.rejected) == (FRAME, (), ())
    assert report.detections == FRAME.detections
    assert report.known == Known(
        store_id="store_01",
        camera_id="cam_01",
        stream_id="stream_001",
        run_id="store_01-cam_01-20261124T101500Z",
        frame_index=1234,
        capture_ts="2026-11-24T10:15:41.133Z",
        schema_version="1.0",
    )


SOUND: dict[str, list[tuple[str, Any]]] = {
    "nobody seen": [("detections", [])],
    "unknown fields": [("weather", {"sun": [1e300]}), ("detections.0.pose", None)],
    "minor version": [("schema_version", "1.9")],
    "major version alone": [("schema_version", "1")],
    "optional fields null": [("schema_version", None), ("run_id", None), ("model", None)],
    "no track": [("detections.0.track_id", GONE)],
    "null track": [("detections.0.track_id", None)],
    "box of the whole image": [
        ("detections.0.bbox", {"x1": 0, "y1": 0.0, "x2": 1280.0, "y2": 720})
    ],
    "confidence 0": [("detections.0.conf", 0)],
    "confidence 1": [("detections.0.conf", 1)],
    "least track": [("detections.0.track_id", -(2**63))],
    "greatest index": [("frame_index", 2**63 - 1)],
    "emoji as a pair": [("source.store_id", "🛒")],
    "escaped backslash before u0000": [("source.store_id", "a\\u0000")],
    "escaped backslash before ud800": [("source.store_id", "a\\ud800")],
    "1970": [("capture_ts", "1970-01-01T00:00:00Z")],
}


@pytest.mark.parametrize("changes", SOUND.values(), ids=SOUND.keys())
def test_a_sound_message_is_used_whole(changes: list[tuple[str, Any]]) -> None:
    report = explain(payload(*changes))

    assert report.problems == ()
    assert len(report.detections) == len(changed(*changes)["detections"])


def test_the_run_of_a_first_generation_message_is_its_stream() -> None:
    frame = decode(payload(("schema_version", GONE), ("run_id", GONE), ("model", GONE)))

    assert (frame.schema_version, frame.run_id, frame.model) == (None, "stream_001", None)


def test_text_in_utf8_is_read_as_it_is() -> None:
    message = changed(("source.store_id", "Zürich 店"))

    frame = decode(json.dumps(message, ensure_ascii=False).encode())

    assert frame.source.store_id == "Zürich 店"
    assert decode(encode(frame)) == frame


TIMES = {
    "milliseconds": ("2026-11-24T10:15:41.133Z", CAPTURED_AT),
    "offset": ("2026-11-24T12:15:41.133+02:00", CAPTURED_AT),
    "offset across midnight": (
        "2026-11-24T23:30:00-05:00",
        datetime(2026, 11, 25, 4, 30, tzinfo=UTC),
    ),
    "whole second": ("2026-11-24T10:15:41Z", CAPTURED_AT.replace(microsecond=0)),
    "microseconds are cut off": ("2026-11-24T10:15:41.133999Z", CAPTURED_AT),
    "lower case": ("2026-11-24t10:15:41.133z", CAPTURED_AT),
}


@pytest.mark.parametrize(("text", "moment"), TIMES.values(), ids=TIMES.keys())
def test_a_time_is_read_in_utc_and_whole_milliseconds(text: str, moment: datetime) -> None:
    frame = decode(payload(("capture_ts", text)))

    assert frame.capture_ts == moment == parse_capture_ts(text)
    assert frame.capture_ts.tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (CAPTURED_AT, "2026-11-24T10:15:41.133Z"),
        (CAPTURED_AT.replace(microsecond=999_999), "2026-11-24T10:15:41.999Z"),
        (CAPTURED_AT.replace(microsecond=0), "2026-11-24T10:15:41.000Z"),
        (CAPTURED_AT.astimezone(timezone(timedelta(hours=-8))), "2026-11-24T10:15:41.133Z"),
    ],
)
def test_a_time_is_written_in_utc_with_three_digits(moment: datetime, text: str) -> None:
    assert format_capture_ts(moment) == text


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(TimestampError, match="no time zone"):
        format_capture_ts(datetime(2026, 11, 24))


def test_a_text_that_is_no_time_says_what_one_looks_like() -> None:
    with pytest.raises(TimestampError, match=r"such as 2026-11-24T10:15:41\.133Z"):
        parse_capture_ts("yesterday\ud800")


NOT_WRITTEN: dict[str, tuple[Frame, Reason, str]] = {
    "no version": (
        frame_with(schema_version=None),
        Reason.MESSAGE_MISSING_FIELD,
        "schema_version",
    ),
    "no run": (frame_with(run_id=""), Reason.MESSAGE_MISSING_FIELD, "run_id"),
    "no model": (frame_with(model=None), Reason.MESSAGE_MISSING_FIELD, "model"),
    "other version": (
        frame_with(schema_version="2.0"),
        Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION,
        "schema_version",
    ),
    "time without a zone": (
        frame_with(capture_ts=CAPTURED_AT.replace(tzinfo=None)),
        Reason.MESSAGE_BAD_TIMESTAMP,
        "capture_ts",
    ),
    "time as text": (
        frame_with(capture_ts="2026-11-24T10:15:41Z"),
        Reason.MESSAGE_BAD_TIMESTAMP,
        "capture_ts",
    ),
    "negative index": (frame_with(frame_index=-1), Reason.MESSAGE_OUT_OF_RANGE, "frame_index"),
    "an object that JSON lacks": (
        frame_with(frame_index=1j),
        Reason.MESSAGE_WRONG_TYPE,
        "",
    ),
    "half a surrogate pair": (frame_with(run_id="\ud800"), Reason.MESSAGE_BAD_TEXT, ""),
    "nan": (
        frame_with_detection(conf=float("nan")),
        Reason.DETECTION_OUT_OF_RANGE,
        "detections[0].conf",
    ),
    "infinite box": (
        frame_with_detection(bbox=BBox(x1=0, y1=0, x2=float("inf"), y2=5)),
        Reason.DETECTION_OUT_OF_RANGE,
        "detections[0].bbox.x2",
    ),
    "track of the tracker's own type": (
        frame_with_detection(track_id="5"),
        Reason.DETECTION_WRONG_TYPE,
        "detections[0].track_id",
    ),
    "box outside": (
        frame_with_detection(bbox=BBox(x1=0, y1=0, x2=1281, y2=5)),
        Reason.DETECTION_OUTSIDE_IMAGE,
        "detections[0].bbox.x2",
    ),
    "same id twice": (
        frame_with(detections=FRAME.detections * 2),
        Reason.DETECTION_DUPLICATE_DET_ID,
        "detections[1].det_id",
    ),
}


@pytest.mark.parametrize(("frame", "reason", "path"), NOT_WRITTEN.values(), ids=NOT_WRITTEN.keys())
def test_a_frame_that_breaks_the_contract_is_not_written(
    frame: Frame, reason: Reason, path: str
) -> None:
    with pytest.raises(ContractViolation) as caught:
        encode(frame)

    assert [(p.reason, p.path) for p in caught.value.problems] == [(reason, path)]


def test_what_is_written_has_the_fields_of_the_frame_in_their_order() -> None:
    assert writing._Wire.__struct_fields__ == Frame.__struct_fields__


def test_key_event_time_properties_and_identity_come_from_the_frame() -> None:
    assert message_key(FRAME) == "store_01/cam_01"
    assert event_time_ms(FRAME) == 1795515341133
    assert message_properties(FRAME) == {
        "store_id": "store_01",
        "camera_id": "cam_01",
        "stream_id": "stream_001",
        "run_id": "store_01-cam_01-20261124T101500Z",
        "frame_index": "1234",
        "capture_ts": "2026-11-24T10:15:41.133Z",
        "schema_version": "1.0",
    }
    assert identity(FRAME) == FrameIdentity(
        "store_01", "cam_01", "store_01-cam_01-20261124T101500Z", 1234, CAPTURED_AT
    )


def test_a_first_generation_message_travels_without_a_version() -> None:
    first_generation = frame_with(schema_version=None)

    assert "schema_version" not in message_properties(first_generation)


def test_the_properties_of_a_sound_message_are_those_of_what_is_known() -> None:
    assert known_properties(explain(payload()).known) == message_properties(FRAME)
    assert known_properties(Known(store_id="s", frame_index=0)) == {
        "store_id": "s",
        "frame_index": "0",
    }


def test_importing_the_contract_imports_little() -> None:
    code = "import sys, frame_contract; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    foreign = set(done.stdout.split()) - set(sys.stdlib_module_names)
    foreign = {name for name in foreign if not name.startswith(("_", "sitecustomize"))}

    assert foreign <= {"frame_contract", "msgspec", "typing_extensions"}


def test_dropped_frames_are_written_where_there_are_any_and_nowhere_else() -> None:
    assert b"dropped_frames" not in encode(FRAME)
    line = encode(frame_with(dropped_frames=3))
    assert line.endswith(b',"dropped_frames":3}')
    assert decode(line).dropped_frames == 3
    with pytest.raises(ContractViolation):
        encode(frame_with(dropped_frames=-1))
