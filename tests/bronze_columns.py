"""What bronze_raw has of messages of all kinds: the job's SQL and the repair must agree."""

from __future__ import annotations

import json
from typing import NamedTuple

COLUMNS = ("store_id", "camera_id", "stream_id", "run_id", "frame_index", "capture_ts")
DESCRIBED = {
    "run_id": "r",
    "source": {"store_id": "s", "camera_id": "c", "stream_id": "t"},
    "frame_index": 4,
    "capture_ts": "2026-11-24T10:15:41.133Z",
}
NOTHING = (None,) * len(COLUMNS)
DEEP = 100_000
"""Levels that no stack holds."""


class Case(NamedTuple):
    """A message, and its columns in Bronze in the order of `COLUMNS`."""

    payload: bytes
    columns: tuple[str | int | None, ...]
    properties: dict[str, str] = {}  # noqa: RUF012 - never changed


def _sent(**changes: object) -> bytes:
    return json.dumps({**DESCRIBED, **changes}).encode()


def _runs(text: str) -> bytes:
    """A message whose run is raw JSON text."""
    return f'{{"run_id": {text}}}'.encode("utf-8", "surrogatepass")


def _run(value: str | None) -> tuple[str | int | None, ...]:
    return (None, None, None, value, None, None)


def _frame(value: int | None) -> tuple[str | int | None, ...]:
    return (None, None, None, None, value, None)


_ALL = ("s", "c", "t", "r", 4, "2026-11-24T10:15:41.133Z")
CASES: dict[str, Case] = {
    "from the payload": Case(_sent(), _ALL),
    "properties first": Case(
        _sent(), ("x", "c", "t", "r", 9, _ALL[5]), {"store_id": "x", "frame_index": "9"}
    ),
    "empty property": Case(b"[1]", (None, "", None, None, None, None), {"camera_id": ""}),
    "run of the first generation": Case(_sent(run_id=None), (*_ALL[:3], "t", *_ALL[4:])),
    "no JSON": Case(b"\xff no JSON", NOTHING),
    "empty": Case(b"", NOTHING),
    "source is a list": Case(_sent(source=[DESCRIBED["source"]]), (None, None, None, *_ALL[3:])),
    "source is a text": Case(_sent(source="s"), (None, None, None, *_ALL[3:])),
    "no UTF-8 in a text": Case(b'{"run_id": "a\xffb"}', _run("a\ufffdb")),
    "text behind the object": Case(_runs('"r"') + b" and more", _run("r")),
    "cut off": Case(_runs('"r"')[:-1], NOTHING),
    "byte order mark": Case(b"\xef\xbb\xbf" + _runs('"r"'), NOTHING),
    "key twice": Case(b'{"run_id": "a", "run_id": "b"}', _run("b")),
    "true": Case(_runs("true"), _run("true")),
    "null": Case(_runs("null"), NOTHING),
    "object": Case(_runs('{"a": 1}'), NOTHING),
    "deep object": Case(_runs('{"a":' * DEEP + "1" + "}" * DEEP), NOTHING),
    "deep list": Case(_runs("[" * DEEP + "]" * DEEP), NOTHING),
    "half of a pair": Case(_runs('"\\ud800x"'), _run("?x")),
    "integer of any size": Case(_runs("-0"), _run("0")),
    "integer of 5,000 digits": Case(_runs("9" * 5000), _run("9" * 5000)),
    "fraction": Case(_runs("1.50"), _run("1.5")),
    "fraction that is whole": Case(_runs("1e2"), _run("100.0")),
    "great fraction": Case(_runs("100000000.5"), _run("1.000000005E8")),
    "small fraction": Case(_runs("0.00001"), _run("1.0E-5")),
    "negative zero": Case(_runs("-0.0"), _run("-0.0")),
    "past a double": Case(_runs("-1e400"), _run("-Infinity")),
    "NaN": Case(_runs("NaN"), NOTHING),
    "trailing comma": Case(b'{"run_id": "r",}', NOTHING),
    **{
        f"frame_index {text!r}": Case(b"", _frame(number), {"frame_index": text})
        for text, number in {
            "12": 12,
            " -7 ": -7,
            "+5": 5,
            "12.7": 12,
            ".5": 0,
            "-.5": 0,
            ".": 0,
            "-": None,
            "": None,
            "\t4": None,
            "1e2": None,
            "1_0": None,
            "\u0663": None,
            "0" * 40 + "12": 12,
            str(2**63 - 1): 2**63 - 1,
            str(-(2**63)): -(2**63),
            str(2**63): None,
            "9" * 4500: None,
        }.items()
    },
}
