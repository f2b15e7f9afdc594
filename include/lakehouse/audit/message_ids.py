"""Pulsar's message ids, read from their serialised form (protobuf `MessageIdData`).

The form itself cannot be compared: it also holds what differs between clients and subscriptions
(the partition, the size of the batch). Ledger, entry and place in the batch name a message: a
ledger's number is given once in a cluster.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from lakehouse.errors import LakehouseError

NOT_BATCHED = -1
_LEDGER, _ENTRY, _PARTITION, _BATCH_INDEX, _BATCH_SIZE = 1, 2, 3, 4, 6
_VARINT, _LENGTH_DELIMITED = 0, 2


class UnreadableMessageId(LakehouseError):
    """Bytes that are no Pulsar message id stand where one should."""

    def __init__(self, serialised: bytes) -> None:
        super().__init__(f"{serialised.hex()!r} is no serialised Pulsar message id")
        self.serialised = serialised


class MessageId(NamedTuple):
    """A message's place in its topic; ids of one partition compare as their messages stand."""

    ledger: int
    entry: int
    batch_index: int = NOT_BATCHED

    @classmethod
    def parse(cls, serialised: bytes) -> Self:
        """Read an id; raises `UnreadableMessageId`."""
        fields = _fields(serialised)
        try:
            return cls(fields[_LEDGER], fields[_ENTRY], fields.get(_BATCH_INDEX, NOT_BATCHED))
        except KeyError:
            raise UnreadableMessageId(serialised) from None

    def __str__(self) -> str:
        place = "" if self.batch_index == NOT_BATCHED else f":{self.batch_index}"
        return f"{self.ledger}:{self.entry}{place}"


def as_flink_writes(serialised: bytes) -> bytes:
    """The same id in the form of Flink's connector, which writes a batch size of 0 too."""
    fields = {_BATCH_SIZE: 0, **_fields(serialised)}
    kept = (_LEDGER, _ENTRY, _PARTITION, _BATCH_INDEX, _BATCH_SIZE)
    return b"".join(
        _written(number << 3) + _written(fields[number])
        for number in kept
        if number in fields and (number == _BATCH_SIZE or fields[number] != NOT_BATCHED)
    )


def _fields(serialised: bytes) -> dict[int, int]:
    """The numbers of an id, by their field; what is nested is passed over."""
    fields: dict[int, int] = {}
    position = 0
    try:
        while position < len(serialised):
            tag, position = _varint(serialised, position)
            value, position = _varint(serialised, position)
            if tag & 7 == _LENGTH_DELIMITED:
                position += value
            elif tag & 7 != _VARINT:
                raise UnreadableMessageId(serialised)
            fields[tag >> 3] = value
    except IndexError:
        raise UnreadableMessageId(serialised) from None
    return fields


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            # negative numbers are written as 64 bits
            return (value - (1 << 64) if value >= 1 << 63 else value), position
        shift += 7


def _written(number: int) -> bytes:
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
