-- Check: streaming Gold left hardly anything of the day out because it came late.
-- Severity: warn. The batch of the day counts it; until then the minutes say too little.
-- Limit: :late_share = 0.01. Of a camera's person detections; above it people see the difference.
-- Grain: one row; the violations are the detections left out of the minutes of cameras above the limit.
-- Key: (store_id, camera_id).
-- Source: gold_late_events, silver_detection. Values: :day (2026-11-24).
-- Nothing is checked of a day before :kept_since, the first that all of these tables have whole.
-- Idempotent: reads only.
WITH
late AS (
  SELECT
    store_id, camera_id, sum(detections) AS late, max(max_late_seconds) AS max_late_seconds
  FROM gold_late_events
  WHERE gold_table = 'gold_people_per_minute'
    AND ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  GROUP BY store_id, camera_id
),
silver AS (
  SELECT store_id, camera_id, count(*) AS detections
  FROM silver_detection
  WHERE class_name = 'person'
    AND :day >= :kept_since
    AND capture_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND capture_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  GROUP BY store_id, camera_id
),
judged AS (
  SELECT
    silver.store_id, silver.camera_id, silver.detections, late.late, late.max_late_seconds,
    late.late > :late_share * silver.detections AS is_above
  FROM silver
  LEFT JOIN late ON silver.store_id = late.store_id AND silver.camera_id = late.camera_id
)
SELECT
  coalesce(sum(late) FILTER (WHERE is_above), 0) AS violations,
  coalesce(sum(detections), 0) AS checked,
  max_by(
    store_id || '/' || camera_id || ': ' || CAST(late AS varchar) || ' of '
      || CAST(detections AS varchar) || ', up to '
      || CAST(CAST(ceiling(max_late_seconds) AS bigint) AS varchar) || ' s late',
    late
  ) FILTER (WHERE is_above) AS example
FROM judged
