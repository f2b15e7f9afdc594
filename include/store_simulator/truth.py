"""The truth beside the frames, as Parquet: docs/simulator.md says what each table holds."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from store_simulator.kinds import KINDS
from store_simulator.messages import REASONS, USABLE, Messages
from store_simulator.noise import NOBODY, Event
from store_simulator.simulation import CameraRun
from store_simulator.world import Shopper

Ints = npt.NDArray[np.int64]

TIME = pa.timestamp("ms", tz="UTC")
SCHEMAS: dict[str, pa.Schema] = {
    "visits": pa.schema(
        {"store": pa.string(), "shopper": pa.string(), "enter_ts": TIME, "leave_ts": TIME}
    ),
    "dwell": pa.schema(
        {
            "store": pa.string(),
            "shopper": pa.string(),
            "place": pa.string(),
            "from_ts": TIME,
            "to_ts": TIME,
        }
    ),
    "tracks": pa.schema(
        {
            "store": pa.string(),
            "camera": pa.string(),
            "run_id": pa.string(),
            "track_id": pa.int64(),
            "shopper": pa.string(),
            "first_capture_ts": TIME,
            "last_capture_ts": TIME,
            "frames": pa.int64(),
        }
    ),
    "minutes": pa.schema(
        {
            "store": pa.string(),
            "camera": pa.string(),
            "ts_minute": TIME,
            "people": pa.int64(),
            "unique_people": pa.int64(),
            "detections": pa.int64(),
        }
    ),
    "messages": pa.schema(
        {
            "store": pa.string(),
            "camera": pa.string(),
            "run_id": pa.string(),
            "frame_index": pa.int64(),
            "capture_ts": TIME,
            "noise": pa.list_(pa.string()),
            "sent_at_ms": pa.int64(),
            "usable": pa.bool_(),
            "reason": pa.string(),
            "detections": pa.int64(),
            "rejected_detections": pa.int64(),
            "in_jsonl": pa.bool_(),
        }
    ),
    "noise": pa.schema(
        {
            "kind": pa.string(),
            "store": pa.string(),
            "camera": pa.string(),
            "run_id": pa.string(),
            "frame_index": pa.int64(),
            "capture_ts": TIME,
            "shopper": pa.string(),
            "track_id": pa.int64(),
            "detail": pa.string(),
        }
    ),
}
"""Tables and their columns, each written here once."""


class TruthWriter:
    """Writes `<folder>/<table>.parquet`, all of `SCHEMAS`; a context manager."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._writers = {
            name: pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            for name, schema in SCHEMAS.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def store(self, store_id: str, people: Sequence[Shopper]) -> None:
        """The visits of a store and where people stayed."""
        self._write(
            "visits",
            pa.repeat(store_id, len(people)),
            [person.name for person in people],
            _times([person.enters_ms for person in people]),
            _times([person.leaves_ms for person in people]),
        )
        stays = [(person.name, stay) for person in people for stay in person.stays]
        self._write(
            "dwell",
            pa.repeat(store_id, len(stays)),
            [name for name, _ in stays],
            [stay.place for _, stay in stays],
            _times([stay.from_ms for _, stay in stays]),
            _times([stay.to_ms for _, stay in stays]),
        )

    def messages(self, run: CameraRun, messages: Messages, in_jsonl: npt.NDArray[np.bool_]) -> None:
        """A piece of a run, in the order of sending."""
        count = len(messages)
        is_usable = messages.reasons == USABLE
        self._write(
            "messages",
            *_of_run(run, count),
            messages.frame_index,
            _times(messages.capture_ms),
            _kinds(messages.kinds),
            messages.sent_ms,
            is_usable,
            pa.DictionaryArray.from_arrays(
                pa.array(np.where(is_usable, 0, messages.reasons), mask=is_usable),
                [str(reason) for reason in REASONS],
            ).cast(pa.string()),
            messages.detections,
            messages.rejected,
            in_jsonl,
        )

    def events(self, run: CameraRun, events: Sequence[Event], people: Sequence[Shopper]) -> None:
        """What the dials of a camera did."""
        tables = []
        for event in events:
            count = len(event.frame_index)
            tables.append(
                _table(
                    "noise",
                    pa.repeat(str(event.kind), count),
                    *_of_run(run, count),
                    event.frame_index,
                    _times(event.capture_ms),
                    _names(event.shopper, people),
                    pa.array(event.track_id, mask=event.track_id == 0),
                    [str(each) or None for each in event.detail],
                )
            )
        if tables:
            self._writers["noise"].write_table(pa.concat_tables(tables))

    def camera(self, run: CameraRun, people: Sequence[Shopper]) -> None:
        """The tracks and minutes of a run that is through."""
        tracks = run.tracks()
        self._write(
            "tracks",
            *_of_run(run, len(tracks.track_id)),
            tracks.track_id,
            _names(tracks.shopper, people),
            _times(tracks.first_ms),
            _times(tracks.last_ms),
            tracks.frames,
        )
        minutes = run.minutes()
        self._write(
            "minutes",
            *_of_run(run, len(minutes.minute_ms))[:2],
            _times(minutes.minute_ms),
            minutes.people,
            minutes.unique_people,
            minutes.detections,
        )

    def _write(self, name: str, *columns: object) -> None:
        table = _table(name, *columns)
        if len(table):
            self._writers[name].write_table(table)


def _table(name: str, *columns: object) -> pa.Table:
    schema = SCHEMAS[name]
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, type=field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.table(arrays, schema=schema)


def _of_run(run: CameraRun, count: int) -> list[pa.Array]:
    names = (run.store_id, run.camera_id, run.run_id)
    return [pa.repeat(name, count) for name in names]


def _times(milliseconds: Ints | Sequence[int]) -> pa.Array:
    return pa.array(np.asarray(milliseconds, dtype=np.int64)).cast(TIME)


def _names(shoppers: Ints, people: Sequence[Shopper]) -> pa.Array:
    """`NOBODY` as null."""
    names = pa.array([person.name for person in people], type=pa.string())
    return names.take(pa.array(shoppers, mask=shoppers == NOBODY))


def _kinds(kinds: Ints) -> pa.Array:
    """The bits as lists of names."""
    bits = np.array([kind.bit for kind in KINDS])
    is_set = (kinds[:, None] & bits) != 0
    offsets = np.concatenate([[0], np.cumsum(is_set.sum(axis=1))]).astype(np.int32)
    names = pa.array([str(kind) for kind in KINDS]).take(pa.array(np.nonzero(is_set)[1]))
    return pa.ListArray.from_arrays(offsets, names)
