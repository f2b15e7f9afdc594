-- Grain: a grid cell of a camera in the hour in which its visits started. Key: store_id,
-- camera_id, ts_hour, zone_x, zone_y. Source: silver_detection. Dwell is last minus first
-- detection of a visit. Idempotent: streaming upserts by key, the batch overwrites the day.
SELECT
  store_id,
  camera_id,
  CAST(TO_TIMESTAMP_LTZ(ts_ms, 3) AS TIMESTAMP_LTZ(6)) AS ts_hour,
  zone_x,
  zone_y,
  visits,
  total_dwell_ms / 1000e0 AS total_dwell_seconds,
  total_dwell_ms / 1000e0 / visits AS avg_dwell_seconds,
  max_dwell_ms / 1000e0 AS max_dwell_seconds
FROM visits_of_hour
WHERE ${starts_in_scope}
