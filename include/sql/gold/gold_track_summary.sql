-- Grain: a track. Key: store_id, camera_id, run_id, track_id, start_ts. Source: silver_detection.
-- A track belongs whole to the day in which it starts. Idempotent: streaming upserts by key, the
-- batch overwrites the day.
SELECT
  store_id,
  camera_id,
  run_id,
  track_id,
  CAST(TO_TIMESTAMP_LTZ(ts_ms, 3) AS TIMESTAMP_LTZ(6)) AS start_ts,
  CAST(TO_TIMESTAMP_LTZ(end_ms, 3) AS TIMESTAMP_LTZ(6)) AS end_ts,
  frames,
  (end_ms - ts_ms) / 1000e0 AS duration_seconds,
  min_x,
  max_x,
  max_x - min_x AS delta_x,
  min_y,
  max_y,
  max_y - min_y AS delta_y,
  avg_x,
  avg_y,
  avg_conf
FROM tracks
WHERE ${starts_in_scope}
