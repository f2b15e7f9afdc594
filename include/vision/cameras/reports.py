"""What a camera's process tells the one that started it: one JSON object a line."""

import msgspec

from vision.summary import ExtractSummary


class Frames(msgspec.Struct, frozen=True, tag="frames"):
    """How many frames of this process are done, of how many where that is known."""

    done: int
    total: int | None = None


class Alive(msgspec.Struct, frozen=True, tag="alive"):
    """It goes on, with or without frames."""


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The end, as it was meant to be or by a stop."""

    summary: ExtractSummary


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The end by an error that vision knows: its class, its one line, and what was done before."""

    kind: str
    text: str
    summary: ExtractSummary | None = None


Report = Frames | Alive | Done | Failed

_DECODER: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)


def encode_report(report: Report) -> bytes:
    """One line."""
    return msgspec.json.encode(report) + b"\n"


def decode_report(line: bytes) -> Report:
    """The report of a line; raises `msgspec.MsgspecError`."""
    return _DECODER.decode(line)
