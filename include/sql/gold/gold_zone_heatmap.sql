-- Grain: a grid cell of a camera in an hour. Key: store_id, camera_id, ts_hour, zone_x, zone_y.
-- Source: silver_detection. Idempotent: streaming upserts by key, the batch overwrites the day.
SELECT
  store_id,
  camera_id,
  CAST(window_start AS TIMESTAMP_LTZ(6)) AS ts_hour,
  zone_x,
  zone_y,
  detections AS hits,
  tracks AS unique_tracks
FROM hits
