-- Visits that started in an hour, each a part of its own.
SELECT
  store_id, camera_id, zone_x, zone_y, hour_ms AS ts_ms,
  1 AS visits,
  dwell_ms AS total_dwell_ms,
  dwell_ms AS max_dwell_ms
FROM visits_with_hour
