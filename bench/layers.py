"""Whether each layer has of the one before it everything, once: counted by Trino, run by run."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bench.place import Place
from lakehouse.query import Session, session

RUNS = """
SELECT of_bronze.messages, of_bronze.frames, of_bronze.detections, coalesce(of_silver.detections, 0)
FROM (
  SELECT
    run_id,
    count(*) AS messages,
    count(DISTINCT frame_index) AS frames,
    sum(json_array_length(json_extract(from_utf8(payload), '$.detections'))) AS detections
  FROM bronze_raw
  GROUP BY run_id
) AS of_bronze
LEFT JOIN (
  SELECT run_id, count(*) AS detections FROM silver_detection GROUP BY run_id
) AS of_silver ON of_bronze.run_id = of_silver.run_id
"""
"""Of each run: messages and distinct frames in Bronze, detections in its messages and in Silver."""
GOLD = """
SELECT
  (
    SELECT count(*)
    FROM silver_detection
    WHERE capture_ts < (SELECT max(ts_minute) FROM gold_people_per_minute) + INTERVAL '1' MINUTE
  ),
  (SELECT sum(detections) FROM gold_people_per_minute),
  (SELECT coalesce(sum(detections), 0) FROM gold_late_events)
"""
"""Detections in Silver up to the end of Gold's newest minute, in Gold, and left out as late."""


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Frames and detections in each layer, all runs together."""

    published: int
    messages_in_bronze: int
    frames_in_bronze: int
    """Distinct ones."""
    detections_in_bronze: int
    detections_in_silver: int
    runs: int
    runs_that_differ: int
    """Runs of which Silver has not as many detections as Bronze, or Bronze a frame twice."""
    of_closed_minutes_in_silver: int
    of_closed_minutes_in_gold: int
    left_out_by_gold: int

    @property
    def agree(self) -> bool:
        """Whether nothing is lost and nothing is there twice."""
        return (
            self.published == self.messages_in_bronze == self.frames_in_bronze
            and self.runs_that_differ == 0
            and self.of_closed_minutes_in_silver == self.of_closed_minutes_in_gold > 0
            and self.left_out_by_gold == 0
        )

    def __str__(self) -> str:
        """For people."""
        if self.agree:
            return f"{self.published:,} frames in each layer once"
        return f"NOT ALL IS THERE ONCE: {asdict(self)}"


def closed_minutes(trino: Session) -> tuple[int, int, int]:
    """Detections of closed minutes in Silver, in streaming Gold, and left out by it as late."""
    [(silver, gold, late)] = trino.ask(GOLD).rows
    return silver, gold or 0, late


def count(place: Place, published: int) -> Layers:
    """Count everything; nothing may be on its way."""
    with session(place.lakehouse) as trino:
        runs = trino.ask(RUNS).rows
        silver, gold, late = closed_minutes(trino)
    messages, frames, sent, kept = (sum(column) for column in zip(*runs, strict=True))
    return Layers(
        published=published,
        messages_in_bronze=messages,
        frames_in_bronze=frames,
        detections_in_bronze=sent,
        detections_in_silver=kept,
        runs=len(runs),
        runs_that_differ=sum(each[0] != each[1] or each[2] != each[3] for each in runs),
        of_closed_minutes_in_silver=silver,
        of_closed_minutes_in_gold=gold,
        left_out_by_gold=late,
    )
