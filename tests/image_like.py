"""Seeded JSON texts that are image data, or just not: docs/message.md, *Image data*.

`raw_value(random)` gives one, to stand anywhere in a message; its sizes lie around the limits.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random

FILES = {
    "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01",
    "PNG": b"\x89PNG\r\n\x1a\n\x00\x00\x00\r",
    "GIF": b"GIF89a\x01\x00\x01\x00\x80\x00",
    "old GIF": b"GIF87a\x01\x00\x01\x00\x80\x00",
    "WebP": b"RIFF\x24\x01\x00\x00WEBP",
    "AVI": b"RIFF\x24\x01\x00\x00AVI ",
    "BMP": b"BM\x36\x00\x0c\x00\x00\x00\x00\x00\x36\x00",
    "TIFF": b"II*\x00\x08\x00\x00\x00\x0b\x00\x00\x01",
    "TIFF, big end first": b"MM\x00*\x00\x00\x00\x08\x00\x0b\x01\x00",
    "HEIC": b"\x00\x00\x00\x18ftypheic",
    "MP4": b"\x00\x00\x00\x20ftypisom",
    "WebM": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81",
}
"""The first twelve bytes of pictures and films."""
NO_FILES = (
    b"RIFF\x24\x01\x00\x00WAVE",
    b"BM\x36\x00\x0c\x00\x01\x00\x00\x00\x36\x00",
    b"%PDF-1.7\n\n\n\n",
)
"""Beginnings that are near those of pictures."""

_OF_64 = base64.b64encode(FILES["JPEG"] + bytes(36)).decode()
ESCAPED = (
    '"\\u0064ata:image/png,"',
    '"data\\u003Avideo/mp4,"',
    '"data:image\\/png,"',
    '"' + _OF_64.replace("/", "\\/") + '"',
    '"' + _OF_64[:40] + "\\n" + _OF_64[40:] + '"',
    '"' + _OF_64[:40] + "\\u0041" + _OF_64[41:] + '"',
    '"' + "\\b." * 64 + '"',
    '"' + "\\ufffd." * 64 + '"',
    '"' + "\\u0085." * 64 + '"',
    '"' + "\x7f." * 64 + '"',
    '"' + "\x9f." * 64 + '"',
)
"""Image data that shows only when the escapes are resolved, or on its last character."""


def file_of(first_bytes: bytes, length: int) -> bytes:
    """A file of so many bytes that begins so."""
    return (first_bytes + bytes(range(256)) * (length // 256 + 1))[:length]


def raw_value(random: Random) -> str:
    """One JSON text; each kind is as likely as another."""
    return random.choice(KINDS)(random)


def _around(random: Random, limit: int) -> int:
    return limit + random.choice([-1, 0, 1, limit])


def _quoted(text: str, random: Random) -> str:
    """The text as JSON, its characters written in one of the ways that JSON allows."""
    written = json.dumps(text, ensure_ascii=random.random() < 0.5)
    way = random.randrange(4)
    if way == 0:
        return written.replace("/", "\\/")
    if way == 1 and len(text) < 200:
        return '"' + "".join(f"\\u{ord(each):04X}" for each in text if ord(each) < 0x10000) + '"'
    return written


def _text(random: Random) -> str:
    return random.choice([_data_uri, _run, _file, _unwritten])(random)


def _data_uri(random: Random) -> str:
    beginnings = (
        "data:image/",
        "DATA:Video/",
        "data:IMAGE/",
        "data:image",
        "data:text/",
        " data:image/",
    )
    return random.choice(beginnings) + random.choice(
        ["", "png;base64,iVBORw0KGgo", "svg+xml,%3Csvg"]
    )


def _run(random: Random) -> str:
    run = random.choice(["A", "0f", "-_+/", "Ab9"]) * 3000
    run = run[: _around(random, random.choice([64, 1024]))]
    return _wrapped(random.choice(["", "=", "é", " "]) + run, random)


def _file(random: Random) -> str:
    begins = random.choice([*FILES.values(), *NO_FILES])
    characters = _around(random, 64)
    data = file_of(begins, characters)
    encoders: tuple[Callable[[bytes], str], ...] = (
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.urlsafe_b64encode(data).decode(),
        lambda data: data.hex(),
        lambda data: data.hex().upper(),
    )
    text = random.choice(encoders)(data)[:characters]
    return _wrapped(random.choice(["", "", "b'", "image ", "x"]) + text, random)


def _wrapped(text: str, random: Random) -> str:
    line_break = random.choice(["", "", "\n", "\r\n", "\t"])
    return line_break.join(text[start : start + 76] for start in range(0, len(text), 76))


def _unwritten(random: Random) -> str:
    count = _around(random, 64)
    return random.choice(
        [
            "\x01" * count,
            "\x7f" * count,
            "\x85\x9f" * (count // 2) + "\ufffd" * (count % 2),
            "\\xff" * count,
            "\\x1" * count,
            "é\n\t" * count,
            'a"\x08' * count,
            repr(file_of(FILES["JPEG"], count)),
            file_of(FILES["PNG"], 3 * count).decode("latin-1"),
        ]
    )


def _value(random: Random) -> str:
    return _quoted(_text(random), random)


def _name(random: Random) -> str:
    return f"{{{_value(random)}: {random.choice(['1', '{}', _value(random)])}}}"


def _array(random: Random) -> str:
    numbers = [random.choice(["0", "255", "-0.5e1", "true"])] * _around(random, 512)
    others: list[str] = random.choice([[], ["null"], ['"7"'], ['{"x": [1, 2]}'], ["[]"], ["[[]]"]])
    row = random.choice([1, 7, 600])
    rows = [f"[{', '.join(numbers[at : at + row])}]" for at in range(0, len(numbers), row)]
    if random.random() < 0.3:
        return f'{{"data": [{", ".join([*numbers, *others])}]}}'
    if random.random() < 0.2:
        return "[" + ", ".join(f'{{"row": {each}}}' for each in rows) + "]"
    return f"[ {' ,'.join([*others, *rows])} ]"


def _object(random: Random) -> str:
    members = [
        f'"{number}":{random.choice(["0", "false"])}' for number in range(_around(random, 512))
    ]
    others = random.choice([[], ['"a":null'], ['"a":[1,2,3]'], ['"0":[7]', '"0":{"0":0}']])
    return f"{{{','.join([*members, *others])}}}"


def _twice(random: Random) -> str:
    """A member that a later one overrides, and what stands in one another."""
    return f'{{"a": {_value(random)}, "a": [{_value(random)}, {_array(random)}]}}'


KINDS: tuple[Callable[[Random], str], ...] = (_value, _value, _name, _array, _object, _twice)
