"""A message that carries a picture is refused, and nothing that is kept of it shows the picture."""

import base64
import json
import re
from pathlib import Path
from random import Random
from typing import Any

import image_like
import pytest
from contract_messages import EXAMPLE, changed, payload, spliced
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frame_contract import ContractViolation, Known, Reason, decode, explain
from frame_contract.explaining import KEPT_CHARACTERS
from frame_contract.image_data import is_image_text, is_suspected
from frame_contract.image_search import find, without

SECTION = (
    (Path(__file__).parents[2] / "docs" / "message.md")
    .read_text(encoding="utf-8")
    .split("\n## Image data")[1]
    .split("\n## ")[0]
)
JPEG = image_like.file_of(image_like.FILES["JPEG"], 900)
ROWS = [[0, 128, 255] * 20] * 40

IMAGES: dict[str, Any] = {
    "data URI": "data:image/png;base64,",
    "data URI in capitals": "DATA:VIDEO/mp4,",
    "JPEG in base64": base64.b64encode(JPEG).decode(),
    "JPEG in base64 for URLs": base64.urlsafe_b64encode(JPEG).decode(),
    "JPEG in base64 in lines": base64.encodebytes(JPEG).decode(),
    "JPEG in base64 as Python shows bytes": str(base64.b64encode(JPEG)),
    "JPEG in hex": JPEG.hex(),
    "small JPEG in capital hex": JPEG[:32].hex().upper(),
    "JPEG as Python shows bytes": str(JPEG),
    "JPEG as Latin-1": JPEG.decode("latin-1"),
    "JPEG as UTF-8 with replacements": JPEG.decode(errors="replace"),
    "unknown bytes in base64": base64.b64encode(bytes(range(256)) * 4).decode(),
    "pixels": ROWS,
    "pixels in one row": [7] * 512,
    "mask": [[True, False] * 16] * 16,
    "pixels with gaps": [*ROWS, None, {"unit": "px"}],
    "typed array of JavaScript": {str(place): 0 for place in range(512)},
    "texts in a list": ["front", "data:image/webp;base64,UklGRg"],
    "name of a field": {"data:image/png;base64,iVBORw0KGgo": 1},
}
LEGAL: dict[str, Any] = {
    "keypoints of a body": [[640.5, 360.25, 0.9]] * 133,
    "511 numbers": [1] * 511,
    "numbers in many objects": [{"x": 1, "y": 2}] * 2000,
    "objects with rows of numbers": [{"row": [1] * 511}] * 3,
    "object of 511 numbers": {str(place): 0 for place in range(511)},
    "nulls": [None] * 5000,
    "SHA-512": "424d" + "0f" * 62,
    "UUID": "ffd8ffe0-89ab-4def-8123-456789abcdef",
    "JWT": ".".join(["eyJhbGciOiJIUzI1NiJ9", "e" * 900, "s" * 86]),
    "URL with a signature": "https://bucket.example/store_01/9j/4AAQ.jpg?"
    + "X-Amz-Token=FwoGZ%2F" * 90,
    "prose": "The camera at the entrance was cleaned today; nobody was in view. " * 100,
    "prose of another writing": "入口のカメラを掃除しました" * 200,
    "prose about pictures": "GIF89a, data:image/png and ftyp are not sent. " * 5,
    "1,024 letters": "A" * 1024,
    "63 characters of a JPEG": base64.b64encode(JPEG).decode()[:63],
    "RIFF that is sound": base64.b64encode(b"RIFF\x24\x01\x00\x00WAVE" + bytes(60)).decode(),
    "63 escapes of a terminal": "\x1b[31m" * 63,
}


@pytest.mark.parametrize("value", IMAGES.values(), ids=IMAGES.keys())
@pytest.mark.parametrize("path", ["frame", "source.crop", "run_id", "image_size", "detections"])
def test_image_data_outside_detections_makes_the_message_unusable(path: str, value: Any) -> None:
    sent = payload((path, value))
    if path == "detections" and not is_array_of_numbers(value):
        value = {"entries": value}  # in an array these would be detections
        sent = payload((path, value))
    report = explain(sent)

    assert report.reason is Reason.MESSAGE_IMAGE_DATA
    assert report.problems[0].reason is Reason.MESSAGE_IMAGE_DATA
    assert report.problems[0].path.startswith(path)
    assert_gone(value, report.kept, report.detail)


@pytest.mark.parametrize("text", image_like.ESCAPED)
def test_no_escape_hides_image_data(text: str) -> None:
    assert explain(spliced("frame", text)).reason is Reason.MESSAGE_IMAGE_DATA
    assert explain(spliced("detections.0.class", text)).rejected


def is_array_of_numbers(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value[0], str)


@pytest.mark.parametrize("value", IMAGES.values(), ids=IMAGES.keys())
@pytest.mark.parametrize("path", ["crop", "bbox.mask", "det_id", "class", "conf", "bbox"])
def test_image_data_in_a_detection_makes_that_one_unusable(path: str, value: Any) -> None:
    another = EXAMPLE["detections"][0] | {
        "det_id": "d_2",
        "bbox": {**EXAMPLE["detections"][0]["bbox"]},
    }
    report = explain(payload(("detections.1", another), (f"detections.1.{path}", value)))

    assert [each.det_id for each in report.detections] == ["d_1795515341_001"]
    (rejected,) = report.rejected
    assert rejected.reason is Reason.DETECTION_IMAGE_DATA
    assert rejected.problems[0].path.startswith(f"detections[1].{path}")
    assert_gone(value, rejected.json, rejected.detail)


def assert_gone(value: Any, kept: str, detail: str) -> None:
    """Neither text has any stretch of the value that would show something."""
    assert "<image data: " in kept
    for text in (kept, detail):
        assert not find(f'{{"kept": {json.dumps(text)}}}')
        assert len(text) < 1000
        assert not re.search(r"9j/4AAQ|ffd8ff|FFD8FF|JFIF|iVBOR|UklGR|0, ?128|true, ?false", text)


@pytest.mark.parametrize("value", LEGAL.values(), ids=LEGAL.keys())
@pytest.mark.parametrize("path", ["note", "model.note", "detections.0.note"])
def test_what_only_resembles_image_data_is_ignored(path: str, value: Any) -> None:
    report = explain(payload((path, value)))

    assert report.problems == ()
    assert len(report.detections) == 1


def test_a_frame_of_thousands_of_detections_is_no_picture() -> None:
    crowd = [EXAMPLE["detections"][0] | {"det_id": f"d_{number}"} for number in range(5000)]

    assert len(decode(payload(("detections", crowd))).detections) == 5000


def test_a_message_of_the_first_generation_is_held_to_it_too() -> None:
    first = changed(("frame", "data:image/jpeg;base64,"))
    for name in ("schema_version", "run_id", "model"):
        del first[name]

    assert explain(json.dumps(first).encode()).reason is Reason.MESSAGE_IMAGE_DATA
    del first["frame"]
    assert explain(json.dumps(first).encode()).problems == ()


def test_image_data_is_named_before_anything_else_and_the_rest_is_named_too() -> None:
    report = explain(payload(("schema_version", "2.0"), ("frame_index", -1), ("frame", ROWS)))

    assert [problem.reason for problem in report.problems] == [
        Reason.MESSAGE_IMAGE_DATA,
        Reason.MESSAGE_UNSUPPORTED_SCHEMA_VERSION,
        Reason.MESSAGE_OUT_OF_RANGE,
    ]
    assert report.known.store_id == "store_01"


def test_a_picture_in_a_detection_of_an_unusable_message_is_not_kept_either() -> None:
    report = explain(payload(("frame_index", -1), ("detections.0.crop", ROWS)))

    assert report.reason is Reason.MESSAGE_OUT_OF_RANGE
    assert "detection_image_data: detections[0].crop" in report.detail
    assert_gone(ROWS, report.kept, report.detail)


def test_what_was_no_picture_is_kept_byte_for_byte() -> None:
    sent = b' {"b" :1e2, "frame":"data:image/png,\\u0041", "c": "\\u00e9 \\/"} '

    assert explain(sent).kept == (
        ' {"b" :1e2, "frame":"<image data: 16 characters>", "c": "\\u00e9 \\/"} '
    )


def test_of_pictures_in_one_another_the_outermost_is_replaced() -> None:
    inner = json.dumps([*ROWS, {"thumbnail": "data:image/png,"}, "data:image/png,"])
    text = f'{{"a": {{"b": {inner}}}}}'

    (found,) = find(text)
    assert (found.path, found.placeholder) == ("a.b", "<image data: 2400 numbers>")
    assert without(text, [found]) == '{"a": {"b": "<image data: 2400 numbers>"}}'


def test_a_value_that_a_later_one_overrides_is_looked_at() -> None:
    sent = payload()[:-1] + b',"frame":"data:image/png,","frame":1}'

    assert explain(sent).reason is Reason.MESSAGE_IMAGE_DATA


def test_detections_that_later_ones_override_are_outside_of_detections() -> None:
    sent = b'{"detections":[{"crop":"data:image/png,"}],' + payload()[1:]

    report = explain(sent)
    assert report.reason is Reason.MESSAGE_IMAGE_DATA
    assert report.problems[0].path == "detections[0].crop"
    assert not report.rejected


def test_a_detection_that_is_a_picture_itself_is_refused_alone() -> None:
    report = explain(payload(("detections.1", "data:image/png,")))

    assert len(report.detections) == 1
    assert [rejected.reason for rejected in report.rejected] == [Reason.DETECTION_IMAGE_DATA]
    assert report.rejected[0].json == '"<image data: 15 characters>"'


def test_a_message_that_is_an_array_of_numbers_in_itself_is_replaced_whole() -> None:
    report = explain(json.dumps({str(place): 7 for place in range(600)}).encode())

    assert [problem.reason for problem in report.problems] == [Reason.MESSAGE_IMAGE_DATA]
    assert report.kept == '"<image data: 600 numbers>"'
    assert report.known == Known()


def test_a_name_that_is_a_picture_is_not_quoted_by_a_path() -> None:
    name = base64.b64encode(JPEG).decode()
    report = explain(payload(("extra", {name: {"frame": "data:image/png,"}})))

    assert [problem.path for problem in report.problems] == [
        "extra",
        "extra.<image data: 1200 characters>.frame",
    ]


def test_a_path_is_one_short_line_however_deep_it_is() -> None:
    deep = '{"a\\nb":' * 500 + '"data:image/png,"' + "}" * 500
    (problem,) = explain(spliced("extra", deep)).problems

    assert problem.path.startswith("'extra.a\\nb.a")
    assert len(problem.path) < 100


@pytest.mark.parametrize(
    "sent",
    [JPEG * 10, b'{"frame": "' + base64.b64encode(JPEG * 10), json.dumps(ROWS * 50).encode()],
    ids=["JPEG instead of JSON", "cut off", "array instead of an object"],
)
def test_of_what_nobody_can_look_into_only_the_beginning_is_kept(sent: bytes) -> None:
    report = explain(sent)

    assert report.reason is not Reason.MESSAGE_IMAGE_DATA
    text = sent.decode("utf-8", "backslashreplace")
    assert report.kept == f"{text[:KEPT_CHARACTERS]}… <{len(sent)} bytes>"
    assert explain(b"\xff" + b"x" * 1020).kept == "\\xff" + "x" * 1020


def test_a_picture_is_not_written() -> None:
    with pytest.raises(ContractViolation, match="message_image_data: frame: 15 characters"):
        decode(payload(("frame", "data:image/png,")))


DOCUMENTED = [
    (row.split("|")[1].strip(), first_bytes)
    for row in re.findall(r"^\|.*`.*$", SECTION, re.MULTILINE)
    for first_bytes in re.findall(r"`([0-9A-F]{2}(?: [0-9A-F?]{2})*)`", row)
]


def test_every_documented_file_is_tried() -> None:
    assert len(DOCUMENTED) == 11


@pytest.mark.parametrize(("name", "first_bytes"), DOCUMENTED)
def test_documented_first_bytes_are_those_that_are_refused(name: str, first_bytes: str) -> None:
    for any_byte in ("00", "5A", "FF"):
        begins = bytes.fromhex(first_bytes.replace("??", any_byte))
        data = begins + b"\x5a" * 48
        assert is_image_text(base64.b64encode(data).decode()[:64])
        assert is_image_text(data.hex()[:64])
        assert not is_image_text(data.hex()[:63])
        last_changed = begins[:-1] + bytes([begins[-1] ^ 0x80]) + b"\x5a" * 48
        assert not is_image_text(base64.b64encode(last_changed).decode()[:64])
        assert not is_image_text(last_changed.hex()[:64])


@given(st.randoms(), st.sampled_from(["frame", "source.frame", "detections.0.frame", "run_id"]))
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_no_image_data_goes_unsuspected(random: Random, path: str) -> None:
    sent = spliced(path, image_like.raw_value(random))
    found = find(sent.decode())

    assert is_suspected(sent, detections=1) or not found
    assert find(without(sent.decode(), found)) == ()


def test_ordinary_messages_are_not_suspected() -> None:
    crowd = [EXAMPLE["detections"][0] | {"det_id": f"d_{number}"} for number in range(400)]
    for sent in (
        payload(),
        payload(("source.store_id", "Zürich 店")),
        payload(("detections", crowd)),
    ):
        assert not is_suspected(sent, len(json.loads(sent)["detections"]))
