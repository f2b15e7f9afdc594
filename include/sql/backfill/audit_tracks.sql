-- The tracks and visits of a UTC day, found anew in the Silver that the batch read: of every
--   ${parts}th track number the ${part}th, since all of them at once may take too much memory.
-- Grain: one row; the sums of all parts are compared with audit_sums.sql. Source: silver_detection.
--   Reads only.
-- Values: none; ${first} and ${first_not} are the day's borders. What begins before the day is
--   recognised by the gap before it, and what ends after it is followed for a day.
WITH
detections AS (
  SELECT
    store_id, camera_id, run_id, track_id, zone_x, zone_y, capture_ts,
    capture_ts >= ${first} AND capture_ts < ${first_not} AS is_of_day
  FROM silver_detection FOR VERSION AS OF ${silver_snapshot_id}
  WHERE class_name = 'person'
    AND track_id IS NOT NULL
    AND abs(track_id % ${parts}) = ${part}
    AND capture_ts >= ${first} - INTERVAL '${track_gap_seconds}' SECOND
    AND capture_ts < ${first_not} + INTERVAL '1' DAY
),
tracks AS (
  SELECT
    min(capture_ts) AS start_ts,
    max(capture_ts) AS end_ts,
    count(*) AS frames,
    count_if(is_of_day AND is_new_to_minute) AS minutes
  FROM (
    SELECT
      *,
      date_trunc('minute', before_ts) IS DISTINCT FROM date_trunc('minute', capture_ts)
        AS is_new_to_minute,
      count_if(
        before_ts IS NULL OR capture_ts - before_ts > INTERVAL '${track_gap_seconds}' SECOND
      ) OVER (PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts) AS number
    FROM (
      SELECT
        *,
        lag(capture_ts) OVER (
          PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
        ) AS before_ts
      FROM detections
    )
  )
  GROUP BY store_id, camera_id, run_id, track_id, number
),
visits AS (
  SELECT
    min(capture_ts) AS start_ts,
    max(capture_ts) AS end_ts,
    count_if(is_of_day AND is_new_to_hour) AS hours
  FROM (
    SELECT
      *,
      date_trunc('hour', before_ts) IS DISTINCT FROM date_trunc('hour', capture_ts)
        AS is_new_to_hour,
      count_if(
        before_ts IS NULL OR capture_ts - before_ts > INTERVAL '${visit_gap_seconds}' SECOND
      ) OVER (
        PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
      ) AS number
    FROM (
      SELECT
        *,
        lag(capture_ts) OVER (
          PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
        ) AS before_ts
      FROM detections
    )
  )
  GROUP BY store_id, camera_id, run_id, track_id, zone_x, zone_y, number
)
SELECT
  *
FROM
  (
    SELECT
      coalesce(sum(minutes), 0) AS tracks_by_minute,
      count_if(is_of_day) AS tracks,
      coalesce(sum(frames) FILTER (WHERE is_of_day), 0) AS frames,
      coalesce(sum(date_diff('millisecond', start_ts, end_ts)) FILTER (WHERE is_of_day), 0)
        AS tracks_ms
    FROM (SELECT *, start_ts >= ${first} AND start_ts < ${first_not} AS is_of_day FROM tracks)
  ),
  (
    SELECT
      coalesce(sum(hours), 0) AS tracks_by_cell_and_hour,
      count_if(is_of_day) AS visits,
      coalesce(sum(date_diff('millisecond', start_ts, end_ts)) FILTER (WHERE is_of_day), 0)
        AS visits_ms
    FROM (SELECT *, start_ts >= ${first} AND start_ts < ${first_not} AS is_of_day FROM visits)
  )
