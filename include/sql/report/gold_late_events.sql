-- Grain: one row a table that streaming Gold had to leave detections out of. The camera's days.
-- Parameters: store_id, camera_id, days (2026-11-24,2026-11-25).
SELECT gold_table, sum(detections), max(max_late_seconds)
FROM gold_late_events
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(ts_hour AT TIME ZONE 'UTC' AS date) AS varchar))
GROUP BY gold_table
ORDER BY gold_table
