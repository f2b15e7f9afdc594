-- Grain: the table's, all its columns. Key: (ts_hour, zone_x, zone_y).
-- Source: gold_zone_dwell. Values: :store, :camera, :begin, :end (UTC, end excluded). Reads only.
SELECT
  store_id,
  camera_id,
  ts_hour,
  zone_x,
  zone_y,
  visits,
  total_dwell_seconds,
  avg_dwell_seconds,
  max_dwell_seconds
FROM lakehouse.{database}.gold_zone_dwell
WHERE store_id = :store
  AND camera_id = :camera
  AND ts_hour >= with_timezone(date_trunc('hour', CAST(:begin AS timestamp(6))), 'UTC')
  AND ts_hour < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
ORDER BY ts_hour, zone_y, zone_x
