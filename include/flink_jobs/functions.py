"""The parser as a Flink table function. In a module of its own, so that workers can import it."""

from __future__ import annotations

from collections.abc import Iterator

from pyflink.table import DataTypes
from pyflink.table.udf import TableFunction, udtf

from flink_jobs.parser import ParsedRow, parse_message

_TYPES = {
    "item_key": DataTypes.BYTES(),
    "frame_index": DataTypes.BIGINT(),
    "capture_ms": DataTypes.BIGINT(),
    "image_width": DataTypes.INT(),
    "image_height": DataTypes.INT(),
    "conf": DataTypes.DOUBLE(),
    "x1": DataTypes.DOUBLE(),
    "y1": DataTypes.DOUBLE(),
    "x2": DataTypes.DOUBLE(),
    "y2": DataTypes.DOUBLE(),
    "track_id": DataTypes.BIGINT(),
    "zone_x": DataTypes.INT(),
    "zone_y": DataTypes.INT(),
}
"""Types of the columns that are not text."""


class _ParseFrame(TableFunction):  # type: ignore[misc]
    """`parse_frame(payload, message_id)`: a row a detection, or a row a quarantined thing."""

    def eval(self, payload: bytes, message_id: bytes) -> Iterator[ParsedRow]:
        """Yield the rows of one message; never raises, whatever the bytes."""
        yield from parse_message(payload, message_id)


parse_frame = udtf(
    _ParseFrame(),
    input_types=[DataTypes.BYTES(), DataTypes.BYTES()],
    result_types=[_TYPES.get(name, DataTypes.STRING()) for name in ParsedRow._fields],
)
