"""Streaming Gold in a few lines: what Flink's windows show of detections in the order they come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

LATENESS_MS, VISIT_GAP_MS, TRACK_GAP_MS = 5_000, 2_000, 30_000
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[Any, ...]
Row = dict[str, Any]


@dataclass
class Tumbling:
    """Windows of one length; what comes after its window was shown is left out."""

    length_ms: int
    open: dict[tuple[Key, int], list[Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, key: Key, row: Row, watermark: int) -> None:
        start = row["ms"] - row["ms"] % self.length_ms
        if start + self.length_ms - 1 > watermark:
            self.open[key, start].append(row)

    def shown(self, watermark: int) -> Iterable[tuple[Key, int, list[Row]]]:
        for key, start in [each for each in self.open if each[1] + self.length_ms - 1 <= watermark]:
            yield key, start, self.open.pop((key, start))


@dataclass
class Sessions:
    """Windows that grow by each row within the gap."""

    gap_ms: int
    open: dict[Key, list[list[Row]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, key: Key, row: Row, watermark: int) -> None:
        near = [each for each in self.open[key] if self._touch(each, row["ms"])]
        merged = sorted([row, *(one for each in near for one in each)], key=lambda one: one["ms"])
        if merged[-1]["ms"] + self.gap_ms - 1 > watermark:
            self.open[key] = [each for each in self.open[key] if each not in near] + [merged]

    def shown(self, watermark: int) -> Iterable[tuple[Key, list[Row]]]:
        for key, sessions in self.open.items():
            ended = [each for each in sessions if each[-1]["ms"] + self.gap_ms - 1 <= watermark]
            self.open[key] = [each for each in sessions if each not in ended]
            yield from ((key, each) for each in ended)

    def _touch(self, session: list[Row], ms: int) -> bool:
        return session[0]["ms"] - self.gap_ms <= ms <= session[-1]["ms"] + self.gap_ms


def streaming_gold(silver: Iterable[Row]) -> dict[str, list[Row]]:
    """The four tables as streaming Gold leaves them, by the rows in the order of arrival."""
    minutes, hours, starts = Tumbling(MINUTE_MS), Tumbling(HOUR_MS), Tumbling(HOUR_MS)
    tracks, visits = Sessions(TRACK_GAP_MS), Sessions(VISIT_GAP_MS)
    waiting: list[tuple[int, int, Key]] = []
    before: dict[Key, int] = {}
    started: dict[tuple[Key, int], int] = {}
    ended: dict[tuple[Key, int], list[int]] = defaultdict(list)
    gold: dict[str, dict[Key, Row]] = defaultdict(dict)
    watermark = newest = -(2**63)
    for number, each in enumerate(silver):
        row = each | {"ms": (each["capture_ts"] - _EPOCH) // timedelta(milliseconds=1)}
        if row["class_name"] == "person":
            camera, cell = (row["store_id"], row["camera_id"]), (row["zone_x"], row["zone_y"])
            minutes.add(camera, row, watermark)
            hours.add((*camera, *cell), row, watermark)
            if row["track_id"] is not None:
                track = (*camera, row["run_id"], row["track_id"])
                tracks.add(track, row, watermark)
                visits.add((*track, *cell), row, watermark)
                if row["ms"] > watermark:
                    waiting.append((row["ms"], number, (*track, *cell)))
        newest = max(newest, row["ms"])
        if newest - LATENESS_MS <= watermark:
            continue
        passed, watermark = watermark, newest - LATENESS_MS
        for ms, _, visit in sorted(each for each in waiting if each[0] <= watermark):
            if visit not in before or ms - before[visit] > VISIT_GAP_MS:
                starts.add((*visit[:2], *visit[4:]), {"ms": ms}, passed)
            before[visit] = ms
        waiting = [each for each in waiting if each[0] > watermark]
        for key, start, rows in minutes.shown(watermark):
            gold["gold_people_per_minute"][key, start] = _people(key, start, rows)
        for key, start, rows in hours.shown(watermark):
            gold["gold_zone_heatmap"][key, start] = _hits(key, start, rows)
        for key, rows in tracks.shown(watermark):
            gold["gold_track_summary"][key, rows[0]["ms"]] = _track(key, rows)
        for key, rows in visits.shown(watermark):
            hour = rows[0]["ms"] - rows[0]["ms"] % HOUR_MS
            ended[(*key[:2], *key[4:]), hour].append(rows[-1]["ms"] - rows[0]["ms"])
        started |= {(key, hour): len(rows) for key, hour, rows in starts.shown(watermark)}
        for place, dwells in ended.items():
            if started.get(place) == len(dwells):
                gold["gold_zone_dwell"][place] = _dwell(*place, dwells)
    return {table: list(rows.values()) for table, rows in gold.items()}


def _people(key: Key, start: int, rows: list[Row]) -> Row:
    return {
        **dict(zip(("store_id", "camera_id"), key, strict=True)),
        "ts_minute": _time(start),
        "detections": len(rows),
        "unique_people": _tracks_in(rows),
    }


def _hits(key: Key, start: int, rows: list[Row]) -> Row:
    return {
        **dict(zip(("store_id", "camera_id", "zone_x", "zone_y"), key, strict=True)),
        "ts_hour": _time(start),
        "hits": len(rows),
        "unique_tracks": _tracks_in(rows),
    }


def _track(key: Key, rows: list[Row]) -> Row:
    start, end = rows[0]["ms"], rows[-1]["ms"]
    row = {
        **dict(zip(("store_id", "camera_id", "run_id", "track_id"), key, strict=True)),
        "start_ts": _time(start),
        "end_ts": _time(end),
        "frames": len(rows),
        "duration_seconds": (end - start) / 1000,
        "avg_conf": sum(each["conf"] for each in rows) / len(rows),
    }
    for axis in ("x", "y"):
        centres = [(each[f"{axis}1"] + each[f"{axis}2"]) / 2 for each in rows]
        row |= {f"min_{axis}": min(centres), f"max_{axis}": max(centres)}
        row |= {f"delta_{axis}": max(centres) - min(centres)}
        row |= {f"avg_{axis}": sum(centres) / len(centres)}
    return row


def _dwell(key: Key, hour: int, dwells: list[int]) -> Row:
    return {
        **dict(zip(("store_id", "camera_id", "zone_x", "zone_y"), key, strict=True)),
        "ts_hour": _time(hour),
        "visits": len(dwells),
        "total_dwell_seconds": sum(dwells) / 1000,
        "avg_dwell_seconds": sum(dwells) / 1000 / len(dwells),
        "max_dwell_seconds": max(dwells) / 1000,
    }


def _tracks_in(rows: list[Row]) -> int:
    return len({(r["run_id"], r["track_id"]) for r in rows if r["track_id"] is not None})


def _time(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
