"""The parser as a Flink function. In a module of its own, so that workers can import it."""

from __future__ import annotations

from pyflink.table import DataTypes, Row
from pyflink.table.types import DataType
from pyflink.table.udf import ScalarFunction, udf

from flink_jobs import parser
from flink_jobs.parser import ParsedMessage, Rejected


def _row(names: tuple[str, ...], types: dict[str, DataType]) -> DataType:
    fields = [DataTypes.FIELD(name, types.get(name, DataTypes.STRING())) for name in names]
    return DataTypes.ROW(fields)


PARSED_TYPE = _row(
    ParsedMessage._fields,
    {
        "frame_key": DataTypes.BYTES(),
        "frame_index": DataTypes.BIGINT(),
        "capture_ms": DataTypes.BIGINT(),
        "image_width": DataTypes.INT(),
        "image_height": DataTypes.INT(),
        "places": DataTypes.ARRAY(DataTypes.INT()),
        "det_ids": DataTypes.ARRAY(DataTypes.STRING()),
        "class_names": DataTypes.ARRAY(DataTypes.STRING()),
        "confs": DataTypes.ARRAY(DataTypes.DOUBLE()),
        "boxes": DataTypes.ARRAY(DataTypes.DOUBLE()),
        "track_ids": DataTypes.ARRAY(DataTypes.BIGINT()),
        "rejected": DataTypes.ARRAY(_row(Rejected._fields, {})),
    },
)
"""`ParsedMessage` as Flink knows it; what is not named is text."""


class _ParseMessage(ScalarFunction):  # type: ignore[misc]
    """`parse_message(payload, message_id)`: a row, or NULL of a frame in which nobody was seen."""

    def eval(self, payload: bytes, message_id: bytes) -> Row | None:
        """Return the row of one message; never raises, whatever the bytes."""
        parsed = parser.parse_message(payload, message_id)
        if parsed is None:
            return None
        if parsed.rejected:
            parsed = parsed._replace(rejected=[Row(*each) for each in parsed.rejected])
        return Row(*parsed)


parse_message = udf(
    _ParseMessage(),
    input_types=[DataTypes.BYTES(), DataTypes.BYTES()],
    result_type=PARSED_TYPE,
)
