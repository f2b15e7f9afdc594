-- Grain: a minute. A camera's first minutes of its days. Parameters: store_id, camera_id, days,
-- how many.
SELECT ts_minute, unique_people, detections
FROM gold_people_per_minute
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(ts_minute AT TIME ZONE 'UTC' AS date) AS varchar))
ORDER BY ts_minute
LIMIT ?
