-- Grain: a grid cell, those with the longest dwell. Key: zone_x, zone_y. As on the dashboards
-- (dashboards/zone_dwell_top.sql): the mean over hours is dwell over visits, not a mean of means.
-- Source: gold_zone_dwell. Reads only. Parameters: store_id, camera_id, days
-- (2026-11-24,2026-11-25), how many.
SELECT
  zone_x,
  zone_y,
  sum(total_dwell_seconds) AS total_dwell_seconds,
  sum(visits) AS visits,
  sum(total_dwell_seconds) / sum(visits),
  max(max_dwell_seconds)
FROM gold_zone_dwell
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(ts_hour AT TIME ZONE 'UTC' AS date) AS varchar))
GROUP BY zone_x, zone_y
ORDER BY total_dwell_seconds DESC, visits DESC, zone_x, zone_y
LIMIT ?
