-- Grain: a camera's minute. Key: store_id, camera_id, ts_minute. Source: silver_detection.
-- Idempotent: streaming upserts by key, the batch overwrites the day.
SELECT
  store_id,
  camera_id,
  CAST(window_start AS TIMESTAMP_LTZ(6)) AS ts_minute,
  detections,
  tracks AS unique_people
FROM people
