-- Grain: one row a camera that Gold knows. Key: (store_id, camera_id).
-- Source: gold_people_per_minute. Values: none. Reads only.
-- The span is what Gold has of the camera: the first minute, and the end of the last.
SELECT
  store_id,
  camera_id,
  min(ts_minute) AS data_from,
  max(ts_minute) + INTERVAL '1' MINUTE AS data_to
FROM lakehouse.{database}.gold_people_per_minute
GROUP BY store_id, camera_id
ORDER BY store_id, camera_id
