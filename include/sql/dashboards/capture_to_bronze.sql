-- Grain: one row a camera and minute of receipt: the longest that a frame was on its way. Key: time,
-- camera. Source: bronze_raw. Reads only. A recording's frames were on their way since it was made.
-- Limit: to_bronze_seconds as late_seconds in checks/bronze/freshness.sql.
SELECT
  date_trunc('minute', ingest_ts) AS time,
  store_id || '/' || camera_id AS camera,
  MAX(date_diff('millisecond', TRY(from_iso8601_timestamp(capture_ts)), ingest_ts)) / 1000e0
    AS to_bronze_seconds
FROM lakehouse.rva.bronze_raw
WHERE
  ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND store_id IS NOT NULL
  AND camera_id IS NOT NULL
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY date_trunc('minute', ingest_ts), store_id, camera_id
ORDER BY time, camera
