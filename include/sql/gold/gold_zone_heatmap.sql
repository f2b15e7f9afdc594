-- Grain: a grid cell of a camera in an hour. Key: store_id, camera_id, ts_hour, zone_x, zone_y.
-- Source: silver_detection. Idempotent: streaming upserts by key, the batch overwrites the day.
SELECT
  store_id,
  camera_id,
  CAST(window_start AS TIMESTAMP_LTZ(6)) AS ts_hour,
  zone_x,
  zone_y,
  COUNT(*) AS hits,
  COUNT(DISTINCT CONCAT(run_id, '/', CAST(track_id AS STRING))) AS unique_tracks
FROM TABLE(TUMBLE(TABLE person_detections, DESCRIPTOR(ts), INTERVAL '1' HOUR))
WHERE ${starts_in_scope}
GROUP BY store_id, camera_id, window_start, window_end, zone_x, zone_y
HAVING ${window_in_scope}
