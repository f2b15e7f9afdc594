-- Expected gold_zone_dwell. Grain: a grid cell of a camera in the hour in which its visits started.
-- Key: store_id, camera_id, ts_hour, zone_x, zone_y. Source: person_detection; a visit ends with a
-- gap over visit_gap. Idempotent: made in a database of its own.
-- closes_at: the row waits until all its visits have ended. late: a detection came when the
-- watermark had come to it, so that the start of a visit can have been miscounted (it is, once the
-- watermark has passed the slice of 2 s around it), or a visit cut in two.
CREATE TABLE visit AS
SELECT
  store_id, camera_id, zone_x, zone_y, min(capture_ts) AS start_ts, max(capture_ts) AS end_ts,
  epoch_ms(max(capture_ts) - min(capture_ts)) / 1000 AS dwell_seconds,
  coalesce(bool_or(watermark >= capture_ts - INTERVAL 1 MILLISECOND), FALSE) AS late
FROM (
  SELECT
    *,
    sum(CASE WHEN gap > getvariable('visit_gap') THEN 1 ELSE 0 END) OVER (
      PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
    ) AS piece
  FROM (
    SELECT
      *,
      capture_ts - lag(capture_ts) OVER (
        PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
      ) AS gap
    FROM person_detection
    WHERE track_id IS NOT NULL
  )
)
GROUP BY store_id, camera_id, run_id, track_id, zone_x, zone_y, piece;

CREATE TABLE gold_zone_dwell AS
SELECT
  store_id, camera_id, time_bucket(INTERVAL 1 HOUR, start_ts) AS ts_hour, zone_x, zone_y,
  count(*) AS visits, sum(dwell_seconds) AS total_dwell_seconds,
  avg(dwell_seconds) AS avg_dwell_seconds, max(dwell_seconds) AS max_dwell_seconds,
  greatest(
    time_bucket(INTERVAL 1 HOUR, start_ts) + INTERVAL 1 HOUR,
    max(end_ts) + getvariable('visit_gap')
  ) AS closes_at,
  bool_or(late) AS late
FROM visit
GROUP BY store_id, camera_id, ts_hour, zone_x, zone_y;
