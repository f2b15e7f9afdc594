"""The one definition of each table: columns, field ids, docs, key and partition.

Definitions in words: `docs/tables.md`. Everything else derives from here or is tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import (
    BinaryType,
    DateType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

FORMAT_VERSION = 2
_PROPERTIES = {
    "format-version": str(FORMAT_VERSION),
    "write.format.default": "parquet",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
}
_PARTITION_FIELD_ID = 1000


@dataclass(frozen=True)
class Column:
    """One column: its name, Iceberg type, documentation, and whether every row has it."""

    name: str
    type: IcebergType
    doc: str
    required: bool = False
    added_later: bool = False
    """It came when the table had rows: theirs are null, so `prove` lets a null in it pass."""


@dataclass(frozen=True)
class TableDefinition:
    """A table's grain, columns, key and day partition.

    `key` names the columns that identify a row. Where `upserted`, they are the table's Iceberg
    identifier fields, by which streaming Gold replaces rows.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    partition_by_day_of: str
    key: tuple[str, ...]
    upserted: bool = False
    properties: dict[str, str] = field(default_factory=lambda: dict(_PROPERTIES))

    @property
    def schema(self) -> Schema:
        """The PyIceberg schema; field ids count from 1 in the order of the columns."""
        fields = [
            NestedField(number, column.name, column.type, required=column.required, doc=column.doc)
            for number, column in enumerate(self.columns, start=1)
        ]
        ids = {each.name: each.field_id for each in fields}
        return Schema(
            *fields,
            identifier_field_ids=[ids[name] for name in self.key] if self.upserted else [],
        )

    @property
    def partition_spec(self) -> PartitionSpec:
        """Hidden partition by UTC day of one timestamp column."""
        source = self.schema.find_field(self.partition_by_day_of)
        return PartitionSpec(
            PartitionField(
                source_id=source.field_id,
                field_id=_PARTITION_FIELD_ID,
                transform=DayTransform(),
                name=f"{source.name}_day",
            )
        )


def _text(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, StringType(), doc, required)


def _long(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, LongType(), doc, required)


def _int(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, IntegerType(), doc, required)


def _double(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, DoubleType(), doc, required)


def _time(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, TimestamptzType(), doc, required)


_STORE = _text("store_id", "store", required=True)
_CAMERA = _text("camera_id", "camera, unique within its store", required=True)
_ZONE_X = _int("zone_x", "column of the 10 x 10 grid, 0 (left) to 9", required=True)
_ZONE_Y = _int("zone_y", "row of the 10 x 10 grid, 0 (top) to 9", required=True)

BRONZE_RAW = TableDefinition(
    name="bronze_raw",
    doc="One row a message received, untouched.",
    columns=(
        _text("store_id", "from the message's properties, else its payload"),
        _text("camera_id", "from the message's properties, else its payload"),
        _text("stream_id", "from the message's properties, else its payload"),
        _text("run_id", "from the message's properties, else its payload, else its stream_id"),
        _long("frame_index", "from the message's properties, else its payload"),
        _text("capture_ts", "frame's own time as text, as it came"),
        Column("payload", BinaryType(), "the message's bytes, verbatim", required=True),
        Column("message_id", BinaryType(), "Pulsar's message id, serialised", required=True),
        _time("publish_ts", "when the broker took the message"),
        _time("ingest_ts", "when bronze_ingest read the message", required=True),
    ),
    partition_by_day_of="ingest_ts",
    key=("message_id",),
)

SILVER_DETECTION = TableDefinition(
    name="silver_detection",
    doc="One row a valid detection, once.",
    columns=(
        _STORE,
        _CAMERA,
        _text("run_id", "one capture of one camera", required=True),
        _long("frame_index", "frame's number in its run, from 0", required=True),
        _time("capture_ts", "frame's own time", required=True),
        _text("det_id", "detection's id, unique within its frame", required=True),
        _text("stream_id", "stream", required=True),
        _int("image_width", "pixels", required=True),
        _int("image_height", "pixels", required=True),
        _text("class_name", "class of the object, e.g. person", required=True),
        _double("conf", "detector's confidence, 0 to 1", required=True),
        _double("x1", "box, left, pixels", required=True),
        _double("y1", "box, top, pixels", required=True),
        _double("x2", "box, right, pixels", required=True),
        _double("y2", "box, bottom, pixels", required=True),
        _long("track_id", "track within the run; null where no track was confirmed"),
        _ZONE_X,
        _ZONE_Y,
        _time("ingest_ts", "when bronze_ingest read the message", required=True),
    ),
    partition_by_day_of="capture_ts",
    key=("store_id", "camera_id", "run_id", "frame_index", "capture_ts", "det_id"),
)

SILVER_QUARANTINE = TableDefinition(
    name="silver_quarantine",
    doc="One row a message or detection that could not be used, and why.",
    columns=(
        _text("store_id", "where it could be read"),
        _text("camera_id", "where it could be read"),
        _text("reason", "stable code (docs/message.md): message_… or detection_…", required=True),
        _text("detail", "every problem found, each with the path of its field", required=True),
        _text(
            "payload",
            "the message or the detection's JSON; as \\xNN what is no UTF-8, no pictures",
        ),
        _time("ingest_ts", "when bronze_ingest read the message", required=True),
        _text("run_id", "where it could be read"),
        Column("message_id", BinaryType(), "the message in bronze_raw"),
        _time("replayed_ts", "when `quarantine replay` published it again; null: not worked yet"),
    ),
    partition_by_day_of="ingest_ts",
    key=("message_id", "reason", "detail"),
)

GOLD_PEOPLE_PER_MINUTE = TableDefinition(
    name="gold_people_per_minute",
    doc="Person detections and distinct tracks of a camera in a minute.",
    columns=(
        _STORE,
        _CAMERA,
        _time("ts_minute", "start of the minute", required=True),
        _long("detections", "person detections, tracked or not", required=True),
        _long("unique_people", "distinct (run_id, track_id)", required=True),
    ),
    partition_by_day_of="ts_minute",
    key=("store_id", "camera_id", "ts_minute"),
    upserted=True,
)

GOLD_TRACK_SUMMARY = TableDefinition(
    name="gold_track_summary",
    doc="One row a track; a track ends after 30 s without a detection.",
    columns=(
        _STORE,
        _CAMERA,
        _text("run_id", "one capture of one camera", required=True),
        _long("track_id", "track within the run", required=True),
        _time("start_ts", "first detection", required=True),
        _time("end_ts", "last detection", required=True),
        _long("frames", "detections of the track", required=True),
        _double("duration_seconds", "end_ts - start_ts", required=True),
        _double("min_x", "box centres, pixels", required=True),
        _double("max_x", "box centres, pixels", required=True),
        _double("delta_x", "max_x - min_x, pixels", required=True),
        _double("min_y", "box centres, pixels", required=True),
        _double("max_y", "box centres, pixels", required=True),
        _double("delta_y", "max_y - min_y, pixels", required=True),
        _double("avg_x", "mean of box centres, pixels", required=True),
        _double("avg_y", "mean of box centres, pixels", required=True),
        _double("avg_conf", "mean confidence, 0 to 1", required=True),
    ),
    partition_by_day_of="start_ts",
    key=("store_id", "camera_id", "run_id", "track_id", "start_ts"),
    upserted=True,
)

GOLD_ZONE_DWELL = TableDefinition(
    name="gold_zone_dwell",
    doc="Visits to a grid cell that started in an hour; a gap over 2 s ends a visit.",
    columns=(
        _STORE,
        _CAMERA,
        _time("ts_hour", "start of the hour in which the visits started", required=True),
        _ZONE_X,
        _ZONE_Y,
        _long("visits", "visits", required=True),
        _double("total_dwell_seconds", "sum of last - first detection", required=True),
        _double("avg_dwell_seconds", "mean of last - first detection", required=True),
        _double("max_dwell_seconds", "longest visit", required=True),
    ),
    partition_by_day_of="ts_hour",
    key=("store_id", "camera_id", "ts_hour", "zone_x", "zone_y"),
    upserted=True,
)

GOLD_ZONE_HEATMAP = TableDefinition(
    name="gold_zone_heatmap",
    doc="Person detections whose box centre fell in a grid cell in an hour.",
    columns=(
        _STORE,
        _CAMERA,
        _time("ts_hour", "start of the hour", required=True),
        _ZONE_X,
        _ZONE_Y,
        _long("hits", "person detections, tracked or not", required=True),
        _long("unique_tracks", "distinct (run_id, track_id)", required=True),
    ),
    partition_by_day_of="ts_hour",
    key=("store_id", "camera_id", "ts_hour", "zone_x", "zone_y"),
    upserted=True,
)

GOLD_LATE_EVENTS = TableDefinition(
    name="gold_late_events",
    doc="Person detections that streaming Gold left out, since they came behind the watermark.",
    columns=(
        _STORE,
        _CAMERA,
        _time("ts_hour", "start of the hour of the detections' capture_ts", required=True),
        _text("gold_table", "the table whose windows left them out", required=True),
        _long("detections", "detections left out", required=True),
        _double(
            "max_late_seconds",
            "most seconds that one was behind the newest capture_ts read before it",
            required=True,
        ),
    ),
    partition_by_day_of="ts_hour",
    key=("store_id", "camera_id", "ts_hour", "gold_table"),
    upserted=True,
)

GOLD_REPLAY_END = TableDefinition(
    name="gold_replay_end",
    doc="Ends of replays: streaming Gold closes what is open before one (ADR 018).",
    columns=(
        _time("up_to_ts", "all that was captured before it had been read", required=True),
        _text("reading", "the start of gold_streaming for which it was declared", required=True),
        _time("read_ts", "newest ingest_ts of Silver that had been read", required=True),
        _time("declared_ts", "when it was declared", required=True),
        _text("declared_by", "user and host", required=True),
    ),
    partition_by_day_of="declared_ts",
    key=("reading", "up_to_ts"),
)

GOLD_BACKFILL = TableDefinition(
    name="gold_backfill",
    doc="One row a Gold table and rebuild of a UTC day: what was published, and what it replaced.",
    columns=(
        Column("day", DateType(), "UTC day that was rebuilt", required=True),
        _text("gold_table", "the table", required=True),
        _text("owner", "the DAG run, or whoever else rebuilt it", required=True),
        _time("published_ts", "when it was published", required=True),
        _long("silver_snapshot_id", "snapshot of silver_detection that was read", required=True),
        _long(
            "silver_rows",
            "its person detections of the day and an hour either side",
            required=True,
        ),
        _long("rows", "rows published", required=True),
        _text("replaced", "stream or batch: who had made what was published before", required=True),
        _long("keys_same", "keys whose values were the same before", required=True),
        _long("keys_changed", "keys that had other values", required=True),
        _long("keys_only_published", "keys that were there before and are no more", required=True),
        _long("keys_only_rebuilt", "keys that were missing before", required=True),
    ),
    partition_by_day_of="published_ts",
    key=("day", "gold_table", "published_ts"),
)

DATA_QUALITY = TableDefinition(
    name="data_quality",
    doc="One row a check and UTC day, each time that it was run: what it found.",
    columns=(
        _time("checked_ts", "when the checks of that run began", required=True),
        Column("day", DateType(), "UTC day that was checked", required=True),
        _text("layer", "bronze, silver or gold", required=True),
        _text("check_name", "the check's SQL, in include/sql/checks/<layer>", required=True),
        _text("severity", "fail or warn: what a violation means", required=True),
        _text("outcome", "pass, warn, fail, or error where it could not be run", required=True),
        _long("violations", "what does not keep the check; null: it could not be run"),
        _long("checked", "what was looked at; null: it could not be run"),
        _text("example", "the worst or the first violation, in words"),
        _text("detail", "why it could not be run, or what of the day was let go"),
        _double("duration_seconds", "how long it took", required=True),
        _text("owner", "the DAG run, or `command`", required=True),
    ),
    partition_by_day_of="checked_ts",
    key=("checked_ts", "day", "layer", "check_name"),
)

TABLES: dict[str, TableDefinition] = {
    definition.name: definition
    for definition in (
        BRONZE_RAW,
        SILVER_DETECTION,
        SILVER_QUARANTINE,
        GOLD_PEOPLE_PER_MINUTE,
        GOLD_TRACK_SUMMARY,
        GOLD_ZONE_DWELL,
        GOLD_ZONE_HEATMAP,
        GOLD_LATE_EVENTS,
        GOLD_REPLAY_END,
        GOLD_BACKFILL,
        DATA_QUALITY,
    )
}

DAILY_GOLD = tuple(
    name
    for name, definition in TABLES.items()
    # what the stream left out is a record of the stream, which no batch writes
    if definition.upserted and definition is not GOLD_LATE_EVENTS
)
"""The tables that the batch of a day writes."""
