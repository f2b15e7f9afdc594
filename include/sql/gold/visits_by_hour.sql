-- Ended visits summed by the hour in which they started. Dwell is last minus first detection.
SELECT
  store_id, camera_id, zone_x, zone_y,
  ts_ms - MOD(ts_ms, 3600000) AS ts_ms,
  COUNT(*) AS visits,
  SUM(end_ms - ts_ms) AS total_dwell_ms,
  MAX(end_ms - ts_ms) AS max_dwell_ms
FROM visits
GROUP BY store_id, camera_id, zone_x, zone_y, ts_ms - MOD(ts_ms, 3600000)
