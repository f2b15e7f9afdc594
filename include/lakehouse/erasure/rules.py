"""What of each table is erased: a rule for every table of `lakehouse.schema`. Pure.

A rule takes rows and gives back those that may stay, perhaps changed, and how many it erased or
changed. It notes in the `Trail` what rules further down need.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.erasure.payloads import Told, may_be_of_track, moment, told, without_track
from lakehouse.erasure.selection import Selection
from lakehouse.erasure.trail import HOUR, Trail

MINUTE = timedelta(minutes=1)
_INSTANT = timedelta(microseconds=1)
_Key = tuple[str, str, datetime]


class Erased(NamedTuple):
    """What may stay of some rows, and how many were erased or changed."""

    left: pa.Table
    rows: int


Rule = Callable[[pa.Table, Selection, Trail], Erased]


def _bronze(rows: pa.Table, selection: Selection, trail: Trail) -> Erased:
    """Messages of the selection; for a track, their detections of it. Unreadable ones go whole."""

    def judge(row: Mapping[str, Any]) -> bytes | None:
        said = told(row["payload"])
        if not _named(row, said, row["payload"], selection):
            return row["payload"]  # type: ignore[no-any-return]
        times = [each for each in (moment(row["capture_ts"]), said.captured_at) if each]
        times = times or [row["publish_ts"] or row["ingest_ts"]]
        if not any(map(selection.covers, times)):
            return row["payload"]  # type: ignore[no-any-return]
        left = None
        if selection.track_id is not None and said.is_object:
            left = without_track(row["payload"], selection.track_id)
        if left is None and not all(getattr(said, name) for name in selection.ids):
            trail.unreadable.add(row["message_id"])
        return left

    return _rewritten(rows, _may_name(rows, selection), judge)


def _quarantine(rows: pa.Table, selection: Selection, trail: Trail) -> Erased:
    """Rows of the selection, of erased messages, and those whose payload names it."""

    def judge(row: Mapping[str, Any]) -> bytes | None:
        payload = (row["payload"] or "").encode()
        is_message = row["reason"].startswith("message_")
        said = told(payload) if is_message else Told(is_object=True)
        if row["message_id"] not in trail.unreadable:
            if not _named(row, said, payload, selection):
                return payload
            when = said.captured_at or trail.captured_at.get(row["message_id"])
            if not selection.covers(when or row["ingest_ts"]):
                return payload
        if selection.track_id is None:
            return None
        if is_message:
            return without_track(payload, selection.track_id) if said.is_object else None
        return None if may_be_of_track(payload.decode(), selection.track_id) else payload

    may = _may_name(rows, selection)
    linked = [each in trail.unreadable for each in rows["message_id"].to_pylist()]
    return _rewritten(rows, pc.or_(may, pa.array(linked, pa.bool_())), judge)


def _silver(rows: pa.Table, selection: Selection, trail: Trail) -> Erased:
    """Detections of the selection."""
    newest = pc.max(rows["capture_ts"]).as_py()
    if newest is not None:
        trail.newest = max(newest, trail.newest or newest)
    gone = _of_ids(rows, selection, selection.ids)
    gone = pc.and_(gone, _covered(rows["capture_ts"], selection))
    if selection.track_id is not None:
        is_of_track = pc.fill_null(pc.equal(rows["track_id"], selection.track_id), False)
        gone = pc.and_(gone, is_of_track)
    counted = rows.filter(pc.and_(gone, pc.equal(rows["class_name"], "person")))
    for row in counted.select(["store_id", "camera_id", "capture_ts"]).to_pylist():
        trail.add_person(row["store_id"], row["camera_id"], row["capture_ts"])
    return Erased(rows.filter(pc.invert(gone)), _count(gone))


def _tracks(rows: pa.Table, selection: Selection, trail: Trail) -> Erased:
    """Summaries of tracks that reach into the time."""
    gone = _of_ids(rows, selection, selection.ids).to_pylist()
    for number, row in _rows_where(rows, gone):
        is_track = selection.track_id in (None, row["track_id"])
        # the keys of replaced rows lack all but the start
        end = row.get("end_ts") or row["start_ts"]
        gone[number] = is_track and selection.overlaps(row["start_ts"], end)
        if gone[number]:
            trail.add_track(row["store_id"], row["camera_id"], row["start_ts"], end)
            trail.days.add(row["start_ts"].date())
    return _without(rows, gone)


def _of_window(column: str, length: timedelta, touched: Callable[[Trail], set[_Key]]) -> Rule:
    """Rows of a camera's minutes or hours into which erased detections went.

    Where a whole camera or store is erased, its windows of that time go whatever went into them.
    """

    def rule(rows: pa.Table, selection: Selection, trail: Trail) -> Erased:
        of_camera = {name: value for name, value in selection.ids.items() if name != "run_id"}
        gone = _of_ids(rows, selection, of_camera).to_pylist()
        keys = touched(trail)
        for number, row in _rows_where(rows, gone):
            start = row[column]
            gone[number] = (row["store_id"], row["camera_id"], start) in keys or (
                selection.run_id is None and selection.overlaps(start, start + length - _INSTANT)
            )
            if gone[number]:
                trail.days.add(start.date())
        return _without(rows, gone)

    return rule


def _quality(rows: pa.Table, selection: Selection, _: Trail) -> Erased:
    """The words of a check's result that names the selection; its verdict and numbers stay."""
    hits = [
        any(text and all(each in text for each in selection.ids.values()) for text in pair)
        for pair in zip(rows["example"].to_pylist(), rows["detail"].to_pylist(), strict=True)
    ]
    for name in ("example", "detail"):
        blank = pc.if_else(pa.array(hits, pa.bool_()), None, rows[name])
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), blank)
    return Erased(rows, sum(hits))


def _nothing(rows: pa.Table, _: Selection, __: Trail) -> Erased:
    """A table of days or moments, all stores and cameras together."""
    return Erased(rows, 0)


RULES: dict[str, Rule] = {
    "bronze_raw": _bronze,
    "silver_detection": _silver,
    "silver_quarantine": _quarantine,
    "gold_track_summary": _tracks,
    "gold_people_per_minute": _of_window("ts_minute", MINUTE, lambda trail: trail.minutes),
    "gold_zone_dwell": _of_window("ts_hour", HOUR, lambda trail: trail.dwell_hours),
    "gold_zone_heatmap": _of_window("ts_hour", HOUR, lambda trail: trail.hours),
    "gold_late_events": _of_window("ts_hour", HOUR, lambda trail: trail.hours),
    "gold_backfill": _nothing,
    "gold_replay_end": _nothing,
    "data_quality": _quality,
}
"""In the order in which they are applied: that of the data, what others need first."""


def _named(row: Mapping[str, Any], said: Told, payload: bytes, selection: Selection) -> bool:
    """Whether the row's columns or its message name the selection.

    Where neither says anything, it is enough that the id stands somewhere in the bytes.
    """
    return all(
        wanted in known if (known := _known(row, said, name)) else wanted.encode() in payload
        for name, wanted in selection.ids.items()
    )


def _known(row: Mapping[str, Any], said: Told, name: str) -> tuple[str, ...]:
    return tuple(each for each in (row[name], getattr(said, name)) if each)


def _may_name(rows: pa.Table, selection: Selection) -> Any:
    """Rows that the columns, the payload's bytes or an escape in these can make the selection's."""
    payload = rows["payload"].cast(pa.large_binary())
    may = pc.match_substring(payload, b"\\")
    may = pc.or_(may, pc.match_substring(payload, selection.store_id.encode()))
    may = pc.or_(pc.fill_null(may, False), _of_ids(rows, selection, ("store_id",)))
    return may.combine_chunks() if isinstance(may, pa.ChunkedArray) else may


def _rewritten(
    rows: pa.Table, may: Any, judge: Callable[[Mapping[str, Any]], bytes | None]
) -> Erased:
    """Give each of some rows the payload that `judge` leaves of it; None: the row goes."""
    payloads = rows["payload"].to_pylist()
    is_text = not pa.types.is_binary(rows.schema.field("payload").type)
    is_text = is_text and not pa.types.is_large_binary(rows.schema.field("payload").type)
    kept = [True] * rows.num_rows
    changed = 0
    for number, row in _rows_where(rows, may.to_pylist()):
        left = judge(row)
        if left is None:
            kept[number] = False
        elif left != (row["payload"] or "").encode() if is_text else left != row["payload"]:
            payloads[number] = left.decode() if is_text else left
            changed += 1
    if changed:
        field = rows.schema.field("payload")
        place = rows.schema.get_field_index("payload")
        rows = rows.set_column(place, field, pa.array(payloads, field.type))
    return Erased(rows.filter(pa.array(kept, pa.bool_())), changed + kept.count(False))


def _rows_where(rows: pa.Table, mask: Sequence[bool]) -> list[tuple[int, dict[str, Any]]]:
    numbers = [number for number, each in enumerate(mask) if each]
    return list(zip(numbers, rows.take(pa.array(numbers, pa.int64())).to_pylist(), strict=True))


def _of_ids(rows: pa.Table, selection: Selection, names: Collection[str]) -> Any:
    mask = pa.array([True] * rows.num_rows, pa.bool_())
    for name in names:
        equal = pc.fill_null(pc.equal(rows[name], selection.ids[name]), False)
        mask = pc.and_(mask, equal.combine_chunks())
    return mask


def _covered(times: pa.ChunkedArray, selection: Selection) -> Any:
    mask = pa.array([True] * len(times), pa.bool_())
    if selection.since is not None:
        later = pc.greater_equal(times, pa.scalar(selection.since, times.type))
        mask = pc.and_(mask, later.combine_chunks())
    if selection.until is not None:
        earlier = pc.less(times, pa.scalar(selection.until, times.type))
        mask = pc.and_(mask, earlier.combine_chunks())
    return mask


def _without(rows: pa.Table, gone: Sequence[bool]) -> Erased:
    return Erased(rows.filter(pa.array([not each for each in gone], pa.bool_())), sum(gone))


def _count(mask: Any) -> int:
    return int(pc.sum(mask).as_py() or 0)
