"""Properties that hold for any bytes at all."""

import json
import time
from datetime import UTC, datetime
from random import Random
from typing import Any

import fuzzed_payloads
import msgspec
import pytest
from contract_messages import EXAMPLE, changed
from hypothesis import example, given
from hypothesis import strategies as st

from frame_contract import (
    MAX_MESSAGE_BYTES,
    BBox,
    Detection,
    Frame,
    ImageSize,
    Model,
    Reason,
    Report,
    Source,
    decode,
    encode,
    explain,
)
from frame_contract.explaining import KEPT_CHARACTERS, explain_by_walking
from frame_contract.image_data import is_image_text
from frame_contract.image_search import find

# texts of the code under test are among those that Hypothesis tries: `data:image/` too
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12
).filter(lambda text: not is_image_text(text))
ANY_TEXT = st.text(max_size=5) | st.sampled_from(["", "\0", "2.0", "1.5", "2026-11-24T10:15:41"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 0, 1, 5.0, 2**31, 2**63 - 1, 2**63, 10**400, 1e308, 0.5])
    | st.floats()
    | ANY_TEXT
)
KEYS = st.sampled_from(
    [
        *EXAMPLE,
        *EXAMPLE["source"],
        *EXAMPLE["image_size"],
        *EXAMPLE["model"],
        *EXAMPLE["detections"][0],
        *EXAMPLE["detections"][0]["bbox"],
        "other",
    ]
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=30,
)


def paths_of(value: Any, prefix: str = "") -> list[str]:
    """All dotted paths into a value, each container's own among them."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for name, member in members:
        path = f"{prefix}{name}"
        found.append(path)
        if isinstance(member, dict | list):
            found += paths_of(member, f"{path}.")
    return found


DETECTIONS = [
    EXAMPLE["detections"][0],
    EXAMPLE["detections"][0] | {"det_id": "d_2"},
    {"det_id": "d_3"},
]
WITH_THREE = changed(("detections", DETECTIONS))
CHANGE = st.tuples(st.sampled_from(sorted(paths_of(WITH_THREE))), ANY_JSON)


@st.composite
def nearly_sound(draw: st.DrawFn) -> bytes:
    """A sound message with up to three values replaced by anything."""
    message = json.loads(json.dumps(WITH_THREE))
    for path, value in draw(st.lists(CHANGE, max_size=3)):
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place = message
        try:
            for part in parents:
                place = place[part]
            place[last] = value
        except (TypeError, KeyError, IndexError):  # an earlier change took the place away
            continue
    return json.dumps(message).encode()


def boxes(side: ImageSize) -> st.SearchStrategy[BBox]:
    def spans(length: int) -> st.SearchStrategy[tuple[float, float]]:
        ends = st.integers(0, length) | st.floats(0, length)
        return st.tuples(ends, ends).filter(lambda span: span[0] < span[1])

    return st.builds(
        lambda xs, ys: BBox(x1=xs[0], x2=xs[1], y1=ys[0], y2=ys[1]),
        spans(side.width),
        spans(side.height),
    )


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    side = draw(st.builds(ImageSize, width=st.integers(1, 10_000), height=st.integers(1, 10_000)))
    moment = draw(
        st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
    )
    return Frame(
        schema_version=draw(st.sampled_from(["1.0", "1.7"])),
        run_id=draw(TEXT),
        source=draw(st.builds(Source, store_id=TEXT, camera_id=TEXT, stream_id=TEXT)),
        frame_index=draw(st.integers(0, 2**63 - 1)),
        capture_ts=moment.replace(microsecond=moment.microsecond // 1000 * 1000),
        image_size=side,
        detections=tuple(
            Detection(
                det_id=det_id,
                class_name=draw(TEXT),
                bbox=draw(boxes(side)),
                conf=draw(st.floats(0, 1)),
                track_id=draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
            )
            for det_id in draw(st.lists(TEXT, max_size=3, unique=True))
        ),
        model=draw(st.builds(Model, detector=TEXT, tracker=TEXT)),
    )


def assert_accounted_for(payload: bytes, report: Report) -> None:
    """Usable with each detection used or rejected once, or unusable for a named reason."""
    if report.frame is None:
        assert report.reason is not None
        assert not report.rejected
        assert not report.detections
        assert_without_image_data(payload, report.kept)
        return
    assert report.reason is None
    assert report.kept == ""
    sent = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])["detections"]
    texts = [bytes(raw).decode() for raw in msgspec.json.decode(sent, type=list[msgspec.Raw])]
    assert len(report.detections) + len(report.rejected) == len(texts)
    for rejected in report.rejected:
        if Reason.DETECTION_IMAGE_DATA in {problem.reason for problem in rejected.problems}:
            assert not find(f'{{"kept": {rejected.json}}}')
        else:
            assert rejected.json == texts[rejected.index]
    assert report.problems == tuple(p for rejected in report.rejected for p in rejected.problems)


def assert_without_image_data(payload: bytes, kept: str) -> None:
    """What is kept of an unusable message is short, or JSON without what looks like a picture."""
    sent = payload.decode("utf-8", "backslashreplace")
    if len(kept) > KEPT_CHARACTERS + 50:
        assert not find(f'{{"kept": {kept}}}')
    assert kept == sent or "<image data: " in kept or kept.endswith(f"… <{len(payload)} bytes>")


def judge(payload: bytes) -> Report:
    report = explain(payload)
    assert_accounted_for(payload, report)
    assert report == explain_by_walking(payload)  # the fast way and the slow way agree
    report.detail.encode()  # goes into a table, so it must be text
    return report


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff" * 10)
@example(b'{"detections":' * 50)
@example(b" " * (MAX_MESSAGE_BYTES + 1))
def test_any_bytes_give_a_reason_or_a_frame(payload: bytes) -> None:
    judge(payload)


@given(ANY_JSON)
def test_any_json_gives_a_reason_or_a_frame(value: Any) -> None:
    judge(json.dumps(value).encode())


@given(nearly_sound())
def test_nearly_sound_messages_are_accounted_for(payload: bytes) -> None:
    judge(payload)


@given(nearly_sound(), st.data())
def test_messages_with_bytes_flipped_are_accounted_for(payload: bytes, data: st.DataObject) -> None:
    broken = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    judge(bytes(broken))


@given(st.integers(0, 2**64))
def test_fuzzed_payloads_are_accounted_for(seed: int) -> None:
    judge(fuzzed_payloads.payload(Random(seed)))


def test_fuzzed_payloads_meet_every_reason_and_sound_messages() -> None:
    met: set[Reason | None] = set()
    for seed in range(3000):
        report = judge(fuzzed_payloads.payload(Random(seed)))
        met |= {report.reason, *(rejected.reason for rejected in report.rejected)}
    assert met == {None, *Reason} - {Reason.MESSAGE_TOO_LARGE}


MEBIBYTES_4 = {
    "arrays in arrays": b"[" * MAX_MESSAGE_BYTES,
    "objects in objects": b'{"a":' * (MAX_MESSAGE_BYTES // 5),
    "halves of pairs": b'"' + b"\\ud800" * (MAX_MESSAGE_BYTES // 6 - 1) + b'"',
    "backslashes": b'"' + b"\\" * (MAX_MESSAGE_BYTES - 2) + b'"',
    "digits": b"9" * MAX_MESSAGE_BYTES,
    "one key again and again": b"{" + b'"a":1,' * (MAX_MESSAGE_BYTES // 6 - 2) + b'"a":1}',
    "no text": b"\xff" * MAX_MESSAGE_BYTES,
    "white space": b" " * MAX_MESSAGE_BYTES,
    "pixels": b'{"a":[' + b"7," * (MAX_MESSAGE_BYTES // 2 - 5) + b"7]}",
    "rows of pixels": b'{"a":[' + b"[7]," * (MAX_MESSAGE_BYTES // 4 - 5) + b"[7]]}",
    "one long text": b'{"a":"' + b"A" * (MAX_MESSAGE_BYTES - 8) + b'"}',
    "quotes in a text": b'{"a":"' + b'\\"' * (MAX_MESSAGE_BYTES // 2 - 5) + b'"}',
    "backslashes in a text": b'{"a":"' + b"\\" * (MAX_MESSAGE_BYTES - 8) + b'"}',
    "many pictures": b"{" + b'"detections":"data:image/",' * (MAX_MESSAGE_BYTES // 30) + b'"a":1}',
    "pictures deep down": b'{"a":' * 800
    + b"["
    + b'"data:image/",' * (MAX_MESSAGE_BYTES // 20)
    + b"1]"
    + b"}" * 800,
    "runs that are too short": b'{"a":"'
    + (b"A" * 63 + b" ") * (MAX_MESSAGE_BYTES // 64 - 1)
    + b'"}',
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("payload", MEBIBYTES_4.values(), ids=MEBIBYTES_4.keys())
def test_the_largest_message_is_judged_in_time(payload: bytes) -> None:
    """A judgement that takes longer than reading would hold the job; these take a second or two."""
    began = time.process_time()

    assert explain(payload).reason is not None
    assert time.process_time() - began < 20


@given(frames())
def test_what_is_written_is_read_back_equal(frame: Frame) -> None:
    line = encode(frame)

    assert b"\n" not in line
    assert decode(line) == frame
    assert judge(line).problems == ()
    assert encode(frame) == line
