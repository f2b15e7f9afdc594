"""Seeded payloads of every kind that a topic can hold: sound, nearly sound, and no message at all.

`payload(random)` gives one; the same seed gives the same. The unit tests judge them by the contract
and the parser, the integration test sends them through Pulsar and Flink.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import image_like

RAW_VALUES = (
    # numbers at the borders of what int, long and double hold, and written in other ways
    *("0", "-0", "-1", "1.0", "-0.0", "1e2", "5e-324", "1e-400", "1.7976931348623157e308", "1e309"),
    *("2147483647", "2147483648", "9223372036854775807", "9223372036854775808"),
    *(
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "9" * 400,
        "9" * 5000,
    ),
    *("0." + "3" * 400, "1E+2", "00", "01", "+1", ".5", "1.", "0x10", "NaN", "Infinity"),
    # texts: empty, NUL, halves of surrogate pairs in all places, escapes that are none
    *('""', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"x\\ud83d"'),
    *('"\\ud83d\\ude00"', '"\\\\ud800"', '"\\x41"', '"\n"', '"\\u202e"', '"\u00e9\u5e97"', '"1"'),
    # other types, unfinished and foreign syntax
    *("null", "true", "false", "{}", "[]", "[[]]", '{"a":{}}', "[1,]", "{,}", "undefined", "'a'"),
    *("/* */ 1", "tru", '"', "{", "[", "1 2", '{"x1":1,"x1":2}'),
    # times
    *('"2026-11-24T10:15:41Z"', '"2026-11-24T10:15:41"', '"2026-11-24T24:00:00Z"'),
    *('"2026-02-30T10:15:41Z"', '"1969-12-31T23:59:59.999Z"', '"9999-12-31T23:59:59.999-01:00"'),
    *('"0001-01-01T00:00:00+01:00"', '"2026-11-24T10:15:60Z"', '"2026-11-24T10:15:41.1339999Z"'),
)
"""JSON texts, and texts that are none, to stand where a value stood."""
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp500")
_BOX = {"x1": 1, "y1": 2, "x2": 3, "y2": 4}
NESTINGS = (2, 90, 900, 1100, 20_000)
"""Levels: harmless, around what recursion stands, and far past it."""


def message(random: Random) -> dict[str, Any]:
    """A sound message of one of a few cameras and frames, so that some frames come twice."""
    second = random.randrange(60)
    return {
        "schema_version": "1.0",
        "run_id": f"store_01-cam_{random.randrange(3)}-1",
        "source": {
            "store_id": "store_01",
            "camera_id": f"cam_{random.randrange(3)}",
            "stream_id": "stream_001",
        },
        "frame_index": second,
        "capture_ts": f"2026-11-24T10:15:{second:02}.000Z",
        "image_size": {"width": 1280, "height": 720},
        "detections": [
            {
                "det_id": f"d_{number}",
                "class": random.choice(["person", "dog"]),
                "bbox": {
                    "x1": random.randrange(600),
                    "y1": random.uniform(0, 300),
                    "x2": 640,
                    "y2": 720,
                },
                "conf": round(random.random(), 3),
                "track_id": random.choice([None, random.randrange(9)]),
            }
            for number in range(random.randrange(4))
        ],
        "model": {"detector": "yolo11n", "tracker": "deepsort"},
    }


def payload(random: Random) -> bytes:
    """One payload; each kind is as likely as another."""
    return random.choice(KINDS)(random)


def _sound(random: Random) -> bytes:
    return json.dumps(message(random)).encode()


def _with_other_values(random: Random) -> bytes:
    return _with_values(random, lambda: random.choice(RAW_VALUES))


def _with_image_data(random: Random) -> bytes:
    return _with_values(random, lambda: image_like.raw_value(random))


def _with_values(random: Random, value: Callable[[], str]) -> bytes:
    """Up to three values, or whole members, replaced by JSON texts."""
    sent = message(random)
    put: dict[str, str] = {}
    for number in range(random.randint(1, 3)):
        place = _any_place(sent, random)
        mark = f"<{number}>"
        if isinstance(place, list):
            place.insert(random.randint(0, len(place)), mark)
        else:
            place[random.choice([*place, "other"])] = mark
        put[mark] = value()
    text = json.dumps(sent)
    for mark, other in put.items():
        text = text.replace(json.dumps(mark), other)
    return text.encode("utf-8", "surrogatepass")


def _with_a_spoiled_detection(random: Random) -> bytes:
    """One detection sent twice, or with any JSON text in one of its fields."""
    sent = message(random)
    spoiled = {"det_id": "d_0", "class": "person", "bbox": _BOX, "conf": 0.5, "track_id": 1}
    place = random.choice([spoiled, dict(_BOX)])
    if place is not spoiled:
        spoiled["bbox"] = place
    if random.random() < 0.7:
        place[random.choice(list(place))] = "<any>"
    sent["detections"].insert(random.randint(0, len(sent["detections"])), spoiled)
    likely = random.choice([RAW_VALUES, ('""', '"\\u0000"', "-1", "2")])
    text = json.dumps(sent).replace('"<any>"', random.choice(likely))
    return text.encode("utf-8", "surrogatepass")


def _with_members_gone(random: Random) -> bytes:
    sent = message(random)
    for _ in range(random.randint(1, 3)):
        place = _any_place(sent, random)
        if place:
            del place[random.choice(list(place) if isinstance(place, dict) else range(len(place)))]
    return json.dumps(sent).encode()


def _with_keys_twice(random: Random) -> bytes:
    """A member written again, with another value, before or after the first."""
    text = json.dumps(message(random))
    name = random.choice(["frame_index", "capture_ts", "source", "detections", "x1", "det_id"])
    values = (random.choice(RAW_VALUES), image_like.raw_value(random))
    again = f'"{name}": {random.choice(values)}'
    if random.random() < 0.5:
        return f"{{{again}, {text[1:]}".encode("utf-8", "surrogatepass")
    return text.replace(f'"{name}":', f'{again}, "{name}":', 1).encode("utf-8", "surrogatepass")


def _with_bytes_changed(random: Random) -> bytes:
    sent = bytearray(_sound(random))
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(sent))
        random.choice(
            [
                lambda at: sent.__setitem__(at, random.randrange(256)),
                lambda at: sent.insert(at, random.randrange(256)),
                lambda at: sent.__delitem__(at),
            ]
        )(place)
    return bytes(sent)


def _cut_off(random: Random) -> bytes:
    whole = _sound(random)
    return whole[: random.randrange(len(whole))]


def _nested(random: Random) -> bytes:
    levels = random.choice(NESTINGS)
    deep = random.choice(["[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels])
    if random.random() < 0.3:
        return deep.encode()
    sent = message(random)
    sent[random.choice([*sent, "other"])] = "<deep>"
    return json.dumps(sent).replace('"<deep>"', deep).encode()


def _otherwise_encoded(random: Random) -> bytes:
    return json.dumps(message(random)).encode(random.choice(ENCODINGS))


def _any_bytes(random: Random) -> bytes:
    return random.randbytes(random.choice([0, 1, 3, 40, 300]))


def _any_json(random: Random) -> bytes:
    return json.dumps(_json(random, 4)).encode()


def _json(random: Random, levels: int) -> Any:
    names = [*message(random), "store_id", "x1", "", "other"]
    kind = random.randrange(8 if levels else 6)
    if kind < 6:
        scalars = (None, True, random.uniform(-1e9, 1e9), random.getrandbits(70), "", "text")
        return scalars[kind]
    inner = [_json(random, levels - 1) for _ in range(random.randrange(6))]
    return inner if kind == 6 else {random.choice(names): each for each in inner}


def _any_place(sent: dict[str, Any], random: Random) -> Any:
    """The message, or an object or array within it."""
    places: list[Any] = [sent]
    for place in places:
        inner = place.values() if isinstance(place, dict) else place
        places += [each for each in inner if isinstance(each, dict | list)]
    return random.choice(places)


KINDS: tuple[Callable[[Random], bytes], ...] = (
    _sound,
    _with_other_values,
    _with_image_data,
    _with_a_spoiled_detection,
    _with_members_gone,
    _with_keys_twice,
    _with_bytes_changed,
    _cut_off,
    _nested,
    _otherwise_encoded,
    _any_bytes,
    _any_json,
)
