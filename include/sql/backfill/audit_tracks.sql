-- The tracks and visits of a UTC day, found anew in the Silver that the batch read: of every
--   ${parts}th track number the ${part}th, since all of them at once may take too much memory.
-- Grain: one row; the sums of all parts are compared with audit_sums.sql. Source: silver_detection.
--   Reads only.
-- Values: none; ${first} and ${first_not} are the day's borders. What begins before the day is
--   recognised by the gap before it, and what ends after it is followed for a day.
WITH
detections AS (
  SELECT store_id, camera_id, run_id, track_id, zone_x, zone_y, capture_ts
  FROM silver_detection FOR VERSION AS OF ${silver_snapshot_id}
  WHERE class_name = 'person'
    AND track_id IS NOT NULL
    AND abs(track_id % ${parts}) = ${part}
    AND capture_ts >= ${first} - INTERVAL '${track_gap_seconds}' SECOND
    AND capture_ts < ${first_not} + INTERVAL '1' DAY
),
in_tracks AS (
  SELECT
    *,
    max(CASE WHEN starts_track THEN capture_ts END) OVER (
      PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
    ) AS track_start_ts
  FROM (
    SELECT
      *,
      before_ts IS NULL OR capture_ts - before_ts > INTERVAL '${track_gap_seconds}' SECOND
        AS starts_track
    FROM (
      SELECT
        *,
        lag(capture_ts) OVER (
          PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
        ) AS before_ts
      FROM detections
    )
  )
),
in_visits AS (
  SELECT
    *,
    max(CASE WHEN starts_visit THEN capture_ts END) OVER (
      PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
    ) AS visit_start_ts
  FROM (
    SELECT
      *,
      before_here_ts IS NULL OR capture_ts - before_here_ts > INTERVAL '${visit_gap_seconds}' SECOND
        AS starts_visit
    FROM (
      SELECT
        *,
        lag(capture_ts) OVER (
          PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
        ) AS before_here_ts
      FROM in_tracks
    )
  )
)
SELECT
  count_if(
    is_of_day
    AND date_trunc('minute', before_ts) IS DISTINCT FROM date_trunc('minute', capture_ts)
  ) AS tracks_by_minute,
  count_if(is_of_day AND starts_track) AS tracks,
  count_if(is_of_days_track) AS frames,
  coalesce(
    sum(date_diff('millisecond', before_ts, capture_ts))
      FILTER (WHERE is_of_days_track AND NOT starts_track),
    0
  ) AS tracks_ms,
  count_if(
    is_of_day
    AND date_trunc('hour', before_here_ts) IS DISTINCT FROM date_trunc('hour', capture_ts)
  ) AS tracks_by_cell_and_hour,
  count_if(is_of_day AND starts_visit) AS visits,
  coalesce(
    sum(date_diff('millisecond', before_here_ts, capture_ts))
      FILTER (WHERE is_of_days_visit AND NOT starts_visit),
    0
  ) AS visits_ms
FROM (
  SELECT
    *,
    capture_ts >= ${first} AND capture_ts < ${first_not} AS is_of_day,
    track_start_ts >= ${first} AND track_start_ts < ${first_not} AS is_of_days_track,
    visit_start_ts >= ${first} AND visit_start_ts < ${first_not} AS is_of_days_visit
  FROM in_visits
)
