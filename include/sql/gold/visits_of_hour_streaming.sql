-- Visits that started in an hour, in parts: one part when that hour ends, one more at the end of
-- each later hour in which a visit ended that had started in it. No part of an hour is shown
-- before the hour has ended, so that streaming Gold never puts half a row over the batch's.
SELECT
  store_id, camera_id, zone_x, zone_y, hour_ms AS ts_ms,
  COUNT(*) AS visits,
  SUM(dwell_ms) AS total_dwell_ms,
  MAX(dwell_ms) AS max_dwell_ms
FROM TABLE(TUMBLE(
  TABLE visits_with_hour, DESCRIPTOR(closed_at), INTERVAL '1' HOUR
))
GROUP BY store_id, camera_id, zone_x, zone_y, hour_ms, window_start, window_end
