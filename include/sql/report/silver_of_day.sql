-- Grain: one row. A camera's detections of a UTC day in Silver, those of persons, whom Gold counts,
-- and the persons' tracks. Source: silver_detection. Reads only. Parameters: store_id, camera_id, the day, the day after it (2026-11-25).
SELECT
  count(*),
  count_if(class_name = 'person'),
  count(DISTINCT (run_id, track_id)) FILTER (WHERE class_name = 'person' AND track_id IS NOT NULL)
FROM silver_detection
WHERE store_id = ?
  AND camera_id = ?
  AND capture_ts >= with_timezone(CAST(? AS timestamp(6)), 'UTC')
  AND capture_ts < with_timezone(CAST(? AS timestamp(6)), 'UTC')
