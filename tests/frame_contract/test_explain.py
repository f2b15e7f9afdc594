"""What `explain` says of messages that are wrong in one way or several."""

import json
from typing import Any

import pytest
from contract_messages import EXAMPLE, GONE, changed, payload, spliced

from frame_contract import MAX_MESSAGE_BYTES, ContractViolation, Known, Reason, decode, explain

FIRST_GENERATION_PARTIAL = (
    b'{"source":{"store_id":"S001","camera_id":"CAM01","stream_id":"stream1"},"detections":'
    b'[{"det_id":"d1","class":"person","bbox":{"x1":100,"y1":200}}],"image_size":'
    b'{"width":1280,"height":720}}'
)
BIG = 10**30

UNUSABLE_BYTES = {
    "empty": (b"", Reason.MESSAGE_NOT_JSON),
    "white space": (b" \r\n\t", Reason.MESSAGE_NOT_JSON),
    "no json": (b"hello", Reason.MESSAGE_NOT_JSON),
    "cut off": (payload()[:100], Reason.MESSAGE_NOT_JSON),
    "two objects": (b"{}{}", Reason.MESSAGE_NOT_JSON),
    "byte order mark": (b"\xef\xbb\xbf" + payload(), Reason.MESSAGE_NOT_JSON),
    "nan": (spliced("detections.0.conf", "NaN"), Reason.MESSAGE_NOT_JSON),
    "infinity": (spliced("detections.0.bbox.x2", "Infinity"), Reason.MESSAGE_NOT_JSON),
    "trailing comma": (b'{"a":1,}', Reason.MESSAGE_NOT_JSON),
    "raw control character": (b'{"a":"\x00"}', Reason.MESSAGE_NOT_JSON),
    "high surrogate": (spliced("run_id", r'"\ud800"'), Reason.MESSAGE_NOT_JSON),
    "low surrogate": (spliced("run_id", r'"\uDC00x"'), Reason.MESSAGE_NOT_JSON),
    "two high surrogates": (spliced("run_id", r'"\ud83d\ud83d"'), Reason.MESSAGE_NOT_JSON),
    "surrogate in an unknown field": (spliced("model.x", r'"\udc00"'), Reason.MESSAGE_NOT_JSON),
    "surrogate as a key": (b'{"\\ud800": 1}', Reason.MESSAGE_NOT_JSON),
    "utf-16": (payload().decode().encode("utf-16"), Reason.MESSAGE_NOT_UTF8),
    "latin-1": (b'{"a":"caf\xe9"}', Reason.MESSAGE_NOT_UTF8),
    "latin-1 in an unknown field": (payload()[:-1] + b',"a":"\xe9"}', Reason.MESSAGE_NOT_UTF8),
    "surrogate in utf-8": (b'{"a":"\xed\xa0\x80"}', Reason.MESSAGE_NOT_UTF8),
    "array": (b"[1]", Reason.MESSAGE_NOT_AN_OBJECT),
    "text": (b'"x"', Reason.MESSAGE_NOT_AN_OBJECT),
    "number": (b"1", Reason.MESSAGE_NOT_AN_OBJECT),
    "huge number": (b"1e999", Reason.MESSAGE_NOT_AN_OBJECT),
    "null": (b" null ", Reason.MESSAGE_NOT_AN_OBJECT),
    "deep arrays": (b"[" * 100_000 + b"]" * 100_000, Reason.MESSAGE_NESTED_TOO_DEEPLY),
    "deep in an unknown field": (
        payload()[:-1] + b',"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
        Reason.MESSAGE_NESTED_TOO_DEEPLY,
    ),
    "too large": (payload() + b" " * MAX_MESSAGE_BYTES, Reason.MESSAGE_TOO_LARGE),
}


@pytest.mark.parametrize(("data", "reason"), UNUSABLE_BYTES.values(), ids=UNUSABLE_BYTES.keys())
def test_bytes_that_are_no_message_have_one_problem_of_the_whole(
    data: bytes, reason: Reason
) -> None:
    report = explain(data)

    assert not report.is_usable
    assert [(problem.reason, problem.path) for problem in report.problems] == [(reason, "")]
    assert report.known == Known()


OF_THE_MESSAGE: dict[str, tuple[str, Any, Reason]] = {
    "no source": ("source", GONE, Reason.MESSAGE_MISSING_FIELD),
    "no stream": ("source.stream_id", GONE, Reason.MESSAGE_MISSING_FIELD),
    "no frame index": ("frame_index", GONE, Reason.MESSAGE_MISSING_FIELD),
    "no time": ("capture_ts", GONE, Reason.MESSAGE_MISSING_FIELD),
    "no image size": ("image_size", GONE, Reason.MESSAGE_MISSING_FIELD),
    "no height": ("image_size.height", GONE, Reason.MESSAGE_MISSING_FIELD),
    "no detections": ("detections", GONE, Reason.MESSAGE_MISSING_FIELD),
    "no tracker": ("model.tracker", GONE, Reason.MESSAGE_MISSING_FIELD),
    "source is a list": ("source", [], Reason.MESSAGE_WRONG_TYPE),
    "source is null": ("source", None, Reason.MESSAGE_WRONG_TYPE),
    "store is a number": ("source.store_id", 1, Reason.MESSAGE_WRONG_TYPE),
    "index as text": ("frame_index", "1234", Reason.MESSAGE_WRONG_TYPE),
    "index is true": ("frame_index", True, Reason.MESSAGE_WRONG_TYPE),
    "index with fraction": ("frame_index", 5.5, Reason.MESSAGE_WRONG_TYPE),
    "index as a float": ("frame_index", 5.0, Reason.MESSAGE_WRONG_TYPE),
    "index is null": ("frame_index", None, Reason.MESSAGE_WRONG_TYPE),
    "time is a number": ("capture_ts", 1795515341, Reason.MESSAGE_WRONG_TYPE),
    "detections is an object": ("detections", {}, Reason.MESSAGE_WRONG_TYPE),
    "detections is null": ("detections", None, Reason.MESSAGE_WRONG_TYPE),
    "model is text": ("model", "yolo", Reason.MESSAGE_WRONG_TYPE),
    "run is a number": ("run_id", 7, Reason.MESSAGE_WRONG_TYPE),
    "version is a number": ("schema_version", 1.0, Reason.MESSAGE_WRONG_TYPE),
    "negative index": ("frame_index", -1, Reason.MESSAGE_OUT_OF_RANGE),
    "index past 64 bits": ("frame_index", 2**63, Reason.MESSAGE_OUT_OF_RANGE),
    "huge index": ("frame_index", BIG, Reason.MESSAGE_OUT_OF_RANGE),
    "width of zero": ("image_size.width", 0, Reason.MESSAGE_OUT_OF_RANGE),
    "negative height": ("image_size.height", -720, Reason.MESSAGE_OUT_OF_RANGE),
    "width past 32 bits": ("image_size.width", 2**31, Reason.MESSAGE_OUT_OF_RANGE),
    "empty store": ("source.store_id", "", Reason.MESSAGE_BAD_TEXT),
    "empty run": ("run_id", "", Reason.MESSAGE_BAD_TEXT),
    "nul in the camera": ("source.camera_id", "cam\0_01", Reason.MESSAGE_BAD_TEXT),
    "time without offset": (
        "capture_ts",
        "2026-11-24T10:15:41.133",
        Reason.MESSAGE_BAD_TIMESTAMP,
    ),
    "date alone": ("capture_ts", "2026-11-24", Reason.MESSAGE_BAD_TIMESTAMP),
    "no such day": ("capture_ts", "2026-02-30T00:00:00Z", Reason.MESSAGE_BAD_TIMESTAMP),
    "year zero": ("capture_ts", "0000-01-01T00:00:00Z", Reason.MESSAGE_BAD_TIMESTAMP),
    "before 1970": ("capture_ts", "1969-12-31T23:59:59.999Z", Reason.MESSAGE_BAD_TIMESTAMP),
    "past the calendar": (
        "capture_ts",
        "9999-12-31T23:59:59-01:00",
        Reason.MESSAGE_BAD_TIMESTAMP,
    ),
    "version 2": ("schema_version", "2.0", Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION),
    "version 10": ("schema_version", "10.1", Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION),
    "version in words": ("schema_version", "one", Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION),
}


@pytest.mark.parametrize(
    ("path", "value", "reason"), OF_THE_MESSAGE.values(), ids=OF_THE_MESSAGE.keys()
)
def test_a_wrong_field_of_the_message_makes_it_unusable(
    path: str, value: Any, reason: Reason
) -> None:
    report = explain(payload((path, value)))

    assert report.frame is None
    assert report.detections == ()
    assert report.reason is reason
    assert [(problem.reason, problem.path) for problem in report.problems] == [(reason, path)]


OF_A_DETECTION: dict[str, tuple[str, Any, Reason, str]] = {
    "text": ("", "person", Reason.DETECTION_NOT_AN_OBJECT, ""),
    "null": ("", None, Reason.DETECTION_NOT_AN_OBJECT, ""),
    "list": ("", [], Reason.DETECTION_NOT_AN_OBJECT, ""),
    "no id": (".det_id", GONE, Reason.DETECTION_MISSING_FIELD, ".det_id"),
    "no class": (".class", GONE, Reason.DETECTION_MISSING_FIELD, ".class"),
    "no box": (".bbox", GONE, Reason.DETECTION_MISSING_FIELD, ".bbox"),
    "no x2": (".bbox.x2", GONE, Reason.DETECTION_MISSING_FIELD, ".bbox.x2"),
    "no confidence": (".conf", GONE, Reason.DETECTION_MISSING_FIELD, ".conf"),
    "box is a list": (".bbox", [1, 2, 3, 4], Reason.DETECTION_WRONG_TYPE, ".bbox"),
    "x1 as text": (".bbox.x1", "100", Reason.DETECTION_WRONG_TYPE, ".bbox.x1"),
    "x1 is null": (".bbox.x1", None, Reason.DETECTION_WRONG_TYPE, ".bbox.x1"),
    "confidence is true": (".conf", True, Reason.DETECTION_WRONG_TYPE, ".conf"),
    "confidence as text": (".conf", "0.9", Reason.DETECTION_WRONG_TYPE, ".conf"),
    "track as text": (".track_id", "5", Reason.DETECTION_WRONG_TYPE, ".track_id"),
    "track as a float": (".track_id", 5.0, Reason.DETECTION_WRONG_TYPE, ".track_id"),
    "track is true": (".track_id", True, Reason.DETECTION_WRONG_TYPE, ".track_id"),
    "id is a number": (".det_id", 1, Reason.DETECTION_WRONG_TYPE, ".det_id"),
    "confidence above 1": (".conf", 1.0001, Reason.DETECTION_OUT_OF_RANGE, ".conf"),
    "confidence in percent": (".conf", 92, Reason.DETECTION_OUT_OF_RANGE, ".conf"),
    "negative confidence": (".conf", -0.1, Reason.DETECTION_OUT_OF_RANGE, ".conf"),
    "track past 64 bits": (".track_id", 2**63, Reason.DETECTION_OUT_OF_RANGE, ".track_id"),
    "empty id": (".det_id", "", Reason.DETECTION_BAD_TEXT, ".det_id"),
    "empty class": (".class", "", Reason.DETECTION_BAD_TEXT, ".class"),
    "nul in the id": (".det_id", "\0", Reason.DETECTION_BAD_TEXT, ".det_id"),
    "x1 equals x2": (".bbox.x1", 300, Reason.DETECTION_BAD_BBOX, ".bbox"),
    "y1 past y2": (".bbox.y1", 401, Reason.DETECTION_BAD_BBOX, ".bbox"),
    "negative x1": (".bbox.x1", -0.5, Reason.DETECTION_OUTSIDE_IMAGE, ".bbox.x1"),
    "x2 past the width": (".bbox.x2", 1280.01, Reason.DETECTION_OUTSIDE_IMAGE, ".bbox.x2"),
    "y2 past the height": (".bbox.y2", 721, Reason.DETECTION_OUTSIDE_IMAGE, ".bbox.y2"),
}


@pytest.mark.parametrize(
    ("place", "value", "reason", "where"), OF_A_DETECTION.values(), ids=OF_A_DETECTION.keys()
)
def test_a_wrong_detection_is_rejected_and_the_others_stay_usable(
    place: str, value: Any, reason: Reason, where: str
) -> None:
    good = EXAMPLE["detections"][0] | {"det_id": "d_1795515341_002"}
    message = changed(("detections.1", good), (f"detections.0{place}", value))

    report = explain(json.dumps(message).encode())

    assert report.is_usable
    assert report.reason is None
    assert [detection.det_id for detection in report.detections] == ["d_1795515341_002"]
    (rejected,) = report.rejected
    assert (rejected.index, rejected.reason) == (0, reason)
    assert json.loads(rejected.json) == message["detections"][0]
    assert [problem.path for problem in report.problems] == [f"detections[0]{where}"]
    assert report.problems == rejected.problems


NUMBERS_TOO_BIG = {
    "exponent": "1e999",
    "negative exponent": "-1e999",
    "digits": "9" * 5000,
}


@pytest.mark.parametrize("number", NUMBERS_TOO_BIG.values(), ids=NUMBERS_TOO_BIG.keys())
def test_a_number_that_no_machine_holds_spoils_its_own_detection_only(number: str) -> None:
    report = explain(spliced("detections.0.bbox.x2", number))

    assert report.is_usable
    assert [problem.reason for problem in report.problems] == [Reason.DETECTION_OUT_OF_RANGE]
    assert len(report.problems[0].detail) < 150


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (payload()[:-1], "it ends in the middle"),
        (rb'{"a":"\ud800"}', "half of a surrogate pair is no text"),
        (rb'{"a":"\ud83d\ude00", "b":"\udc00"}', "half of a surrogate pair is no text"),
        (b'{"a":x}', "invalid character (byte 5)"),
        (b"\xef\xbb\xbf{}", "starts with a byte order mark: leave it out"),
    ],
)
def test_what_is_no_json_says_why(data: bytes, detail: str) -> None:
    assert explain(data).detail == f"message_not_json: {detail}"


def test_a_rejected_detection_keeps_its_text_as_it_was_sent() -> None:
    text = '{ "conf" : 0.920,"det_id":"caf\u00e9"}'

    report = explain(spliced("detections.0", text))

    assert [rejected.json for rejected in report.rejected] == [text]


def test_the_second_detection_of_one_det_id_is_rejected() -> None:
    first = EXAMPLE["detections"][0]

    report = explain(payload(("detections.1", first | {"conf": 0.1})))

    assert [detection.conf for detection in report.detections] == [0.92]
    assert [rejected.index for rejected in report.rejected] == [1]
    assert report.rejected[0].reason is Reason.DETECTION_DUPLICATE_DET_ID


def test_a_rejected_detection_does_not_take_its_det_id() -> None:
    good = EXAMPLE["detections"][0]

    report = explain(payload(("detections", [good | {"conf": 2}, good])))

    assert len(report.detections) == 1
    assert [rejected.reason for rejected in report.rejected] == [Reason.DETECTION_OUT_OF_RANGE]


def test_a_message_without_half_of_its_fields_names_every_one_of_them() -> None:
    report = explain(FIRST_GENERATION_PARTIAL)

    assert report.frame is None
    assert report.reason is Reason.MESSAGE_MISSING_FIELD
    assert [(str(problem.reason), problem.path) for problem in report.problems] == [
        ("message_missing_field", "frame_index"),
        ("message_missing_field", "capture_ts"),
        ("detection_missing_field", "detections[0].bbox.x2"),
        ("detection_missing_field", "detections[0].bbox.y2"),
        ("detection_missing_field", "detections[0].conf"),
    ]
    assert report.rejected == ()  # the message goes to the quarantine as one row
    assert report.known == Known(
        store_id="S001", camera_id="CAM01", stream_id="stream1", run_id="stream1"
    )


def test_an_unsupported_version_is_named_before_all_else() -> None:
    report = explain(payload(("schema_version", "2.0"), ("run_id", 7), ("source", GONE)))

    assert report.reason is Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION
    assert len(report.problems) == 3


def test_what_is_right_by_itself_is_known_of_a_bad_message() -> None:
    report = explain(
        payload(
            ("source.camera_id", ""),
            ("run_id", 7),
            ("capture_ts", "2026-11-24T12:15:41.133+02:00"),
            ("image_size", 0),
        )
    )

    assert report.known == Known(
        store_id="store_01",
        camera_id=None,
        stream_id="stream_001",
        run_id=None,
        frame_index=1234,
        capture_ts="2026-11-24T10:15:41.133Z",
        schema_version="1.0",
    )


def test_a_long_list_of_problems_is_one_short_line() -> None:
    report = explain(payload(("detections", [None] * 5000)))

    assert len(report.rejected) == 5000
    assert report.detail.endswith("; and 4990 more")
    assert len(report.detail) < 1000
    assert "\n" not in report.detail


def test_of_fields_with_one_name_the_last_counts() -> None:
    sound = payload()[:-1] + b',"frame_index":-1,"frame_index":7}'
    report = explain(sound)

    assert report.problems == ()
    assert report.frame is not None
    assert report.frame.frame_index == 7


def test_decode_refuses_a_message_with_one_bad_detection() -> None:
    with pytest.raises(ContractViolation, match=r"detections\[0\]\.conf") as caught:
        decode(payload(("detections.0.conf", 2)))

    assert [problem.reason for problem in caught.value.problems] == [Reason.DETECTION_OUT_OF_RANGE]


def test_explaining_at_the_bottom_of_a_deep_stack_raises_nothing() -> None:
    def dive(depth: int) -> bool:
        return explain(nested).is_usable if depth == 0 else dive(depth - 1)

    for levels in range(1, 800, 37):
        nested = payload()[:-1] + b',"x":' + b"[" * levels + b"]" * levels + b"}"
        for depth in (0, 400, 700):
            assert dive(depth) in (True, False)
