-- Grain: one row. Rows and sums of a camera's days. Parameters: store_id, camera_id, days
-- (2026-11-24,2026-11-25).
SELECT count(*), coalesce(sum(detections), 0), coalesce(max(unique_people), 0)
FROM gold_people_per_minute
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(ts_minute AT TIME ZONE 'UTC' AS date) AS varchar))
