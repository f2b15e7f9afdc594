-- Grain: one row a grid cell with visits, the longest dwell first. Key: (zone_x, zone_y).
-- Source: gold_zone_dwell. Values: :store, :camera, :begin, :end (UTC, end excluded). Reads only.
-- The mean over hours is weighed by their visits. Takes in every hour that the time touches.
SELECT
  zone_x,
  zone_y,
  sum(visits) AS visits,
  sum(total_dwell_seconds) AS total_dwell_seconds,
  sum(total_dwell_seconds) / sum(visits) AS avg_dwell_seconds,
  max(max_dwell_seconds) AS max_dwell_seconds
FROM lakehouse.{database}.gold_zone_dwell
WHERE store_id = :store
  AND camera_id = :camera
  AND ts_hour >= with_timezone(date_trunc('hour', CAST(:begin AS timestamp(6))), 'UTC')
  AND ts_hour < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
GROUP BY zone_x, zone_y
ORDER BY total_dwell_seconds DESC, zone_y, zone_x
