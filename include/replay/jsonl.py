"""Lines of a JSONL file as bytes, numbered from 1."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from replay.errors import InputUnreadable

MAX_LINE_BYTES = 5 * 1024 * 1024
"""The largest message that a Pulsar broker takes by default (`maxMessageSize`)."""


class Line(NamedTuple):
    """One line without its line feed; `is_whole` unless the file ends before the line feed."""

    number: int
    payload: bytes
    is_whole: bool

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing but white space."""
        return not self.payload.strip()


def read_lines(path: Path) -> Iterator[Line]:
    """Every line; raises `InputUnreadable` for no file and for a line past `MAX_LINE_BYTES`."""
    with open_file(path) as file:
        number = 0
        while text := file.readline(MAX_LINE_BYTES + 2):
            number += 1
            payload = text.removesuffix(b"\n")
            if len(payload) > MAX_LINE_BYTES:
                raise InputUnreadable(
                    path,
                    f"line {number} is longer than {MAX_LINE_BYTES:,} bytes, more than Pulsar "
                    "takes: is this a JSONL file?",
                )
            yield Line(number, payload, len(text) > len(payload))


def open_file(path: Path) -> BinaryIO:
    """The file to read bytes from; raises `InputUnreadable`."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputUnreadable(
            path, 'no such file: `make vision ARGS="--input VIDEO"` writes one'
        ) from None
    except OSError as error:
        raise InputUnreadable(path, error.strerror or str(error)) from None
