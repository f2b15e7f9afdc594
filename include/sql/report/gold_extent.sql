-- Grain: a camera. Key: store_id, camera_id. The first and the last UTC day that Gold has of it.
-- Source: gold_people_per_minute. Reads only.
SELECT
  store_id,
  camera_id,
  CAST(min(ts_minute) AT TIME ZONE 'UTC' AS date),
  CAST(max(ts_minute) AT TIME ZONE 'UTC' AS date)
FROM gold_people_per_minute
GROUP BY store_id, camera_id
ORDER BY store_id, camera_id
