-- Person detections that belong to a track. Centres in pixels.
SELECT
  store_id, camera_id, run_id, track_id, zone_x, zone_y, conf, ts, ts_ms,
  (x1 + x2) / 2 AS centre_x,
  (y1 + y2) / 2 AS centre_y
FROM person_detections
WHERE track_id IS NOT NULL
