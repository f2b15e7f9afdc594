"""Payloads for tests of the independent reader: sound, nearly sound, and any bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import image_like
from hypothesis import strategies as st

MESSAGE_DOC = Path(__file__).resolve().parents[2] / "docs" / "message.md"
_DETECTION = {
    "det_id": "d_1795515341_001",
    "class": "person",
    "bbox": {"x1": 100, "y1": 200, "x2": 300, "y2": 400},
    "conf": 0.92,
    "track_id": 5,
}
SOUND: dict[str, Any] = {
    "schema_version": "1.0",
    "run_id": "store_01-cam_01-20261124T101500Z",
    "source": {"store_id": "store_01", "camera_id": "cam_01", "stream_id": "stream_001"},
    "frame_index": 1234,
    "capture_ts": "2026-11-24T10:15:41.133Z",
    "image_size": {"width": 1280, "height": 720},
    "detections": [_DETECTION, _DETECTION | {"det_id": "d_2", "track_id": None}],
    "model": {"detector": "yolo11n", "tracker": "deepsort"},
    "dropped_frames": 3,
}
RAW_VALUES = [
    *("null", "true", "{}", "[]", '""', '"x"', '"\\u0000"', '"1"', '"1.7.3"', '"2.0"', '"1."'),
    *("0", "-0", "-1", "1.0", "1e2", "0.5", "1E-7", "1e308", "1e309", "-1e309", "5e-324"),
    *("2147483647", "2147483648", "9223372036854775807", "9223372036854775808"),
    *(
        "-9223372036854775808",
        "-9223372036854775809",
        "1" + "0" * 309,
        "9" * 5000,
        "0." + "0" * 400,
    ),
    *("NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x1", "'x'", "nul", "[1,]", "/**/1"),
    *(
        '"\\ud83d\\ude00"',
        '"\\ud800"',
        '"\\udc00"',
        '"\\ud800x\\udc00"',
        '"\\\\ud800"',
        '"\\u00e9"',
    ),
    *('"\\ud83d\\ud83d\\ude00"', '"\\q"', '"a\nb"', '"é😀"', '{"a":"\\ud800"}', '{"\\ud800":1}'),
    *('{"det_id":"d_2"}', '[{"det_id":"a"}]', "[5]", "[null]", ' "spaced" ', "[" * 20 + "]" * 20),
]
"""JSON texts, and texts that are none, to stand anywhere in a message."""
TIMES = st.from_regex(
    r"\A(19|20|99)\d\d-[01]\d-[0-3]\d[Tt_ ][0-2]\d:[0-6]\d:[0-6]\d(\.\d{0,10})?"
    r"(Z|z|[+-][0-2]\d(:?[0-6]\d)?)?\Z"
) | st.sampled_from(
    [
        *("2026-11-24t10:15:41z", "2026-11-24 10:15:41Z", "2026-11-24T10:15:41+0200"),
        *("2026-11-24T24:00:00Z", "2026-11-24T10:15:60Z", "2026-11-24", "2026-11-24T10:15Z"),
        *("2026-11-24T10:15:41+24:00", "2026-11-24T10:15:41-23:59", "0000-01-01T00:00:00Z"),
        *("1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T01:00:00+02:00"),
        *("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59-01:00", "2026-11-24T10:15:41.999999Z"),
        *("2026-11-24T10:15:41.9999995Z", "2026-11-24T10:15:41.9999994Z", "٢٠٢٦-11-24T10:15:41Z"),
        *("1969-12-31T23:59:59.9999999Z", "2026-11-24T10:15:41,5Z", "2026-W48-2T10:15:41Z"),
        *(
            "2026-02-29T10:15:41Z",
            "2024-02-29T10:15:41Z",
            " 2026-11-24T10:15:41Z",
            "20261124T101541Z",
        ),
    ]
)


def paths(value: Any, prefix: str = "") -> list[str]:
    """Dotted paths of all values within a value."""
    found = []
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        found.append(f"{prefix}{name}")
        if isinstance(inner, dict | list):
            found += paths(inner, f"{prefix}{name}.")
    return found


def spliced(changes: list[tuple[str, str | None]], *, ascii_only: bool = True) -> bytes:
    """The sound message with raw JSON texts put in at paths; None takes the field out."""
    message = json.loads(json.dumps(SOUND))
    for number, (path, text) in enumerate(changes):
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place = message
        try:
            for part in parents:
                place = place[part]
            if text is None:
                del place[last]
            else:
                place[last] = f"<{number}>"
        except (TypeError, KeyError, IndexError):  # an earlier change took the place away
            continue
    written = json.dumps(message, ensure_ascii=ascii_only)
    for number, (_, text) in enumerate(changes):
        written = written.replace(f'"<{number}>"', text or "")
    return written.encode("utf-8", "surrogatepass")


_PLACES = st.sampled_from(
    [*paths(SOUND), "other", "source.other", "detections.1.other", "detections.0.bbox.other"]
)
NEARLY_SOUND = st.lists(
    st.tuples(
        _PLACES,
        st.none()
        | st.sampled_from(RAW_VALUES)
        | st.integers().map(str)
        | st.floats().map(json.dumps)
        | st.text(max_size=5).map(json.dumps)
        | TIMES.map(json.dumps),
    ),
    max_size=4,
).map(spliced)
IMAGED = st.lists(
    st.tuples(_PLACES, st.randoms().map(image_like.raw_value) | st.sampled_from(RAW_VALUES)),
    min_size=1,
    max_size=3,
).map(spliced)
"""Messages with image data, or what is nearly that, anywhere."""
TIMED = TIMES.map(lambda time: spliced([("capture_ts", json.dumps(time))]))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*SOUND, "other", ""]), inner, max_size=9)
    ),
    max_leaves=20,
).map(lambda value: json.dumps(value).encode())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A nearly sound message, cut off, with bytes flipped, or with a member written twice."""
    payload = bytearray(draw(NEARLY_SOUND | IMAGED))
    for _ in range(draw(st.integers(0, 3))):
        payload[draw(st.integers(0, len(payload) - 1))] = draw(st.integers(0, 255))
    whole = bytes(payload[: draw(st.integers(0, len(payload)) | st.just(len(payload)))])
    if draw(st.booleans()):
        again = draw(st.sampled_from(RAW_VALUES) | st.randoms().map(image_like.raw_value))
        name = draw(st.sampled_from(sorted(SOUND))).encode()
        member = b', "' + name + b'" :' + again.encode("utf-8", "surrogatepass")
        whole = whole[:-1] + member + b"}"
    return whole


def documented_examples() -> list[bytes]:
    """Every JSON example of docs/message.md."""
    text = MESSAGE_DOC.read_text(encoding="utf-8")
    return [each.encode() for each in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
