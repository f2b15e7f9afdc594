-- Grain: a camera's minute. Key: store_id, camera_id, ts_minute. Source: silver_detection.
-- Idempotent: streaming upserts by key, the batch overwrites the day.
SELECT
  store_id,
  camera_id,
  CAST(window_start AS TIMESTAMP_LTZ(6)) AS ts_minute,
  COUNT(*) AS detections,
  COUNT(DISTINCT CONCAT(run_id, '/', CAST(track_id AS STRING))) AS unique_people
FROM TABLE(TUMBLE(TABLE person_detections, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
WHERE ${starts_in_scope}
GROUP BY store_id, camera_id, window_start, window_end
HAVING ${window_in_scope}
