"""The identities of DESIGN section 4, each with its two numbers."""

from __future__ import annotations

from lakehouse.identity import Identity
from lakehouse.proving.comparing import COMPARED, KINDS, Comparison, compare
from lakehouse.proving.workbench import Workbench

DAYS_NAMED = 7
"""So many days are named one by one; of more, those that hold are summed up in one line."""


def identities(bench: Workbench, *, files_given: bool) -> tuple[Identity, ...]:
    """All identities, in the way of the data: the first that does not hold is where to look."""
    comparisons = tuple(compare(bench, table) for table in COMPARED)
    return (
        *([_published_frames(bench)] if files_given else []),
        *_of_bronze(bench),
        *map(_of_table, comparisons[:2]),
        _of_detections(bench),
        *map(_of_table, comparisons[2:]),
        *_of_days(bench),
    )


def _published_frames(bench: Workbench) -> Identity:
    """Frames of the files and of their runs in Bronze; whole runs, or Bronze has more."""
    bench.run("published_frames")
    missing, surplus = bench.rows("SELECT missing, surplus FROM published_difference")[0]
    return Identity(
        "distinct frames published",
        bench.count("published_frame"),
        "distinct frames of their runs in bronze_raw",
        bench.count("bronze_frame"),
        _faults({"missing": missing, "surplus": surplus}),
    )


def _of_bronze(bench: Workbench) -> tuple[Identity, Identity]:
    bench.run("doubled_messages")
    rows, distinct, judged, usable = bench.rows(
        """
        SELECT count(*), count(DISTINCT message_id),
          count(DISTINCT message_id) FILTER (ingest_ts >= getvariable('quarantine_since')),
          count(DISTINCT message_id)
            FILTER (reason IS NULL AND ingest_ts >= getvariable('quarantine_since'))
        FROM message
        WHERE in_scope
        """
    )[0]
    quarantined = bench.value("SELECT count(*) FROM shown_silver_quarantine WHERE place = -1")
    return (
        Identity("rows of bronze_raw", rows, "distinct messages in them", distinct),
        Identity("messages in bronze_raw", judged, "usable + quarantined", usable + quarantined),
    )


def _of_detections(bench: Workbench) -> Identity:
    held = bench.value(
        """
        SELECT (SELECT count(*) FROM shown_silver_detection)
          + (SELECT count(*) FROM shown_silver_quarantine WHERE place <> -1)
        """
    )
    sent = bench.value(
        """
        SELECT (SELECT count(*) FROM expected_silver_detection)
          + (SELECT count(*) FROM expected_silver_quarantine WHERE place <> -1)
        """
    )
    return Identity(
        "silver_detection + quarantined detections", held, "detections in distinct frames", sent
    )


def _of_table(comparison: Comparison) -> Identity:
    return Identity(
        f"rows of {comparison.table}",
        comparison.actual,
        "rows by the messages",
        comparison.expected,
        _faults({kind: getattr(comparison, kind) for kind in KINDS}),
    )


def _of_days(bench: Workbench) -> tuple[Identity, ...]:
    """Gold's sums of each day against Silver's person rows in the same minutes (hours)."""
    bench.run("sums_of_days")
    found: list[Identity] = []
    for gold in ("gold_people_per_minute.detections", "gold_zone_heatmap.hits"):
        days = bench.rows(
            "SELECT day, gold, silver FROM sum_of_day WHERE measure = ? ORDER BY day", [gold]
        )
        summed = {day for day, left, right in days if left == right}
        if len(days) <= DAYS_NAMED:
            summed = set()
        found += [
            Identity(f"{day}: {gold}", left, "person rows of Silver", right)
            for day, left, right in days
            if day not in summed
        ]
        if summed:
            total = sum(left for day, left, _ in days if day in summed)
            found.append(
                Identity(f"{len(summed)} days: {gold}", total, "person rows of Silver", total)
            )
    return tuple(found)


def _faults(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
