"""What streaming and batch Gold share: the same four tables from the same definitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from pyflink.table import TableEnvironment

from flink_jobs import inserting, sql
from flink_jobs.settings import JobSettings

TABLES = (
    "gold_people_per_minute",
    "gold_track_summary",
    "gold_zone_dwell",
    "gold_zone_heatmap",
)
_NO_DAY = date(1900, 1, 1)
"""Before any time that the message contract accepts."""
UPSERT = "/*+ OPTIONS('upsert-enabled'='true') */"
"""Hint of an INSERT: rows replace those of the same key."""
_CAMERA_KEYS = "store_id, camera_id"
_CELL_KEYS = f"{_CAMERA_KEYS}, zone_x, zone_y"
_TRACK_KEYS = f"{_CAMERA_KEYS}, run_id, track_id"
_VISIT_KEYS = f"{_TRACK_KEYS}, zone_x, zone_y"


@dataclass(frozen=True, kw_only=True)
class Mode:
    """How streaming and batch differ: in their sessions, and in how they replace rows."""

    name: str
    """`streaming` or `batch`: ends the names of the SQL texts in which the two differ."""
    into: str
    hint: str
    starts_in_scope: str
    """Condition on `ts_ms`, the start of a track or visit, or a detection's time."""
    window_in_scope: str = ""
    """Condition on `window_start`, after the window has been aggregated; of streaming alone."""


def streaming_mode(job: JobSettings) -> Mode:
    """Upsert by key; what belongs to a closed day is left out.

    It is left out of the results too, not only of what is read: a window that was open when its
    day was closed is still in the state of a job that is resumed.
    """
    return Mode(
        name="streaming",
        into="INTO",
        hint=UPSERT,
        starts_in_scope=open_days(job, "TO_TIMESTAMP_LTZ(ts_ms, 3)"),
        window_in_scope=open_days(job, "window_start"),
    )


def batch_mode(job: JobSettings) -> Mode:
    """Overwrite the partition of `job.day`, on its branch, with what starts in it."""
    first, first_not = job.day_range_ms
    return Mode(
        name="batch",
        into="OVERWRITE",
        hint=f"/*+ OPTIONS('branch'='{job.branch}') */",
        starts_in_scope=f"ts_ms >= {first} AND ts_ms < {first_not}",
    )


def open_days(job: JobSettings, time: str) -> str:
    """SQL condition that the time is in no day that a batch has closed.

    It is there without closed days too: a job's operators must not change with them, or its
    checkpoint no longer fits.
    """
    days = ", ".join(f"'{day:%Y-%m-%d}'" for day in job.closed_days or (_NO_DAY,))
    return f"DATE_FORMAT({time}, 'yyyy-MM-dd') NOT IN ({days})"


def submit(
    tables: TableEnvironment, job: JobSettings, mode: Mode, besides: Sequence[str] = ()
) -> None:
    """Build the views over `person_detections` and write the four tables as one job.

    `besides`: INSERT statements that run in the same job.
    """
    for view, query in _views(job, mode):
        # as queries, not as SQL text: Flink 1.20 cannot expand a view over SESSION
        tables.create_temporary_view(view, tables.sql_query(query))
    statements = tables.create_statement_set()
    for table in TABLES:
        statements.add_insert_sql(
            inserting.insert(
                tables,
                f"gold/{table}.sql",
                database=job.database,
                into=mode.into,
                hint=mode.hint,
                starts_in_scope=mode.starts_in_scope,
            )
        )
    for insert in besides:
        statements.add_insert_sql(insert)
    statements.execute()


def slice_seconds(job: JobSettings) -> int:
    """Return the longest part, in whole seconds, of a minute and of a visit's gap.

    It is no longer than a track's gap either.
    """
    parts = (each for each in range(1, 61) if 60 % each == job.visit_gap_seconds % each == 0)
    return max(each for each in parts if each <= job.track_gap_seconds)


def _views(job: JobSettings, mode: Mode) -> Iterator[tuple[str, str]]:
    """Yield the views that the tables select from, each over those before it."""
    if mode.name == "batch":
        yield "slices", sql.render("gold/slices.sql", slice_ms=slice_seconds(job) * 1000)
    else:
        yield "tracked_detections", sql.render("gold/tracked_detections.sql")
    for view, keys, seconds in (("people", _CAMERA_KEYS, 60), ("hits", _CELL_KEYS, 3600)):
        yield (
            view,
            sql.render(
                f"gold/counts_{mode.name}.sql",
                keys=keys,
                length=sql.interval(seconds),
                length_ms=seconds * 1000,
                starts_in_scope=mode.starts_in_scope,
                window_in_scope=mode.window_in_scope,
            ),
        )
    for view, keys, gap_seconds in (
        ("tracks", _TRACK_KEYS, job.track_gap_seconds),
        ("visits", _VISIT_KEYS, job.visit_gap_seconds),
    ):
        yield (
            view,
            sql.render(
                f"gold/sessions_{mode.name}.sql",
                keys=keys,
                gap_seconds=gap_seconds,
                gap=sql.interval(gap_seconds),
            ),
        )
    ended = sql.render("gold/visits_by_hour.sql")
    if mode.name == "batch":
        yield "visits_of_hour", ended
        return
    gap_seconds = job.visit_gap_seconds
    starts = sql.render(
        "gold/visit_starts.sql",
        gap=sql.interval(gap_seconds),
        gap_seconds=gap_seconds,
        slice_seconds=slice_seconds(job),
    )
    yield "visit_starts", starts
    yield (
        "visits_of_hour",
        sql.render("gold/visits_of_hour_streaming.sql", ended=ended, gap_seconds=gap_seconds),
    )
