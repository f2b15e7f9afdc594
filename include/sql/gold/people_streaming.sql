-- A camera's minutes as windows: one row a minute, once the watermark has passed it.
SELECT
  store_id,
  camera_id,
  window_start,
  COUNT(*) AS detections,
  COUNT(DISTINCT CONCAT(run_id, '/', CAST(track_id AS STRING))) AS unique_people
FROM TABLE(TUMBLE(TABLE person_detections, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
WHERE ${starts_in_scope}
GROUP BY store_id, camera_id, window_start, window_end
HAVING ${window_in_scope}
