-- A cell's hours as windows: one row an hour, once the watermark has passed it.
SELECT
  store_id,
  camera_id,
  window_start,
  zone_x,
  zone_y,
  COUNT(*) AS hits,
  COUNT(DISTINCT CONCAT(run_id, '/', CAST(track_id AS STRING))) AS unique_tracks
FROM TABLE(TUMBLE(TABLE person_detections, DESCRIPTOR(ts), INTERVAL '1' HOUR))
WHERE ${starts_in_scope}
GROUP BY store_id, camera_id, window_start, window_end, zone_x, zone_y
HAVING ${window_in_scope}
