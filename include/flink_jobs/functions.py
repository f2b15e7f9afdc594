"""The parser as a Flink function. In a module of its own, so that workers can import it."""

from __future__ import annotations

from pyflink.common import RowKind

# a row in the encoder's own form: of a `Row` it asks for the names of its fields each time, which
# was a quarter of the worker's time
from pyflink.fn_execution.coder_impl_fast import InternalRow
from pyflink.table import DataTypes
from pyflink.table.types import DataType
from pyflink.table.udf import ScalarFunction, udf

from flink_jobs import parser
from flink_jobs.parser import ParsedMessage, Rejected

_DOUBLES = ("conf", "x1", "y1", "x2", "y2")
_INSERT = RowKind.INSERT.value
DETECTION = ("det_id", "class_name", *_DOUBLES, "track_id")
"""A detection's fields, in Silver's words."""
_TYPES = {
    "frame_key": DataTypes.BYTES(),
    "frame_index": DataTypes.BIGINT(),
    "capture_ms": DataTypes.BIGINT(),
    "image_width": DataTypes.INT(),
    "image_height": DataTypes.INT(),
    **dict.fromkeys(_DOUBLES, DataTypes.DOUBLE()),
    "track_id": DataTypes.BIGINT(),
}
"""Of what is neither text nor a list."""


def _row(names: tuple[str, ...], **lists: DataType) -> DataType:
    types = _TYPES | lists
    fields = [DataTypes.FIELD(name, types.get(name, DataTypes.STRING())) for name in names]
    return DataTypes.ROW(fields)


PARSED_TYPE = _row(
    ParsedMessage._fields,
    detections=DataTypes.ARRAY(_row(DETECTION)),
    rejected=DataTypes.ARRAY(_row(Rejected._fields)),
)
"""`ParsedMessage` as Flink knows it."""


class _ParseMessage(ScalarFunction):  # type: ignore[misc]
    """`parse_message(payload, message_id)`: a row, or NULL of a frame in which nobody was seen."""

    def eval(self, payload: bytes, message_id: bytes) -> InternalRow | None:
        """Return the row of one message; never raises, whatever the bytes."""
        parsed = parser.parse_message(payload, message_id)
        if parsed is None:
            return None
        *of_message, detections, rejected = parsed
        of_detections = [
            InternalRow(
                [
                    *(each.det_id, each.class_name, each.conf),
                    *(box.x1, box.y1, box.x2, box.y2),
                    each.track_id,
                ],
                _INSERT,
            )
            for each in detections
            for box in (each.bbox,)
        ]
        of_rejected = [InternalRow(list(each), _INSERT) for each in rejected]
        return InternalRow([*of_message, of_detections, of_rejected], _INSERT)


parse_message = udf(
    _ParseMessage(),
    input_types=[DataTypes.BYTES(), DataTypes.BYTES()],
    result_type=PARSED_TYPE,
)
