-- Grain: a minute with people. Key: ts_minute. A camera's minutes, all of its days. Source:
-- gold_people_per_minute. Reads only. Parameters: store_id, camera_id, days
-- (2026-11-24,2026-11-25).
SELECT ts_minute, unique_people, detections
FROM gold_people_per_minute
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(ts_minute AT TIME ZONE 'UTC' AS date) AS varchar))
ORDER BY ts_minute
