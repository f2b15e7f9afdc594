-- Grain: one row. Rows and sums of a camera's days. Parameters: store_id, camera_id, days
-- (2026-11-24,2026-11-25).
SELECT count(*), coalesce(sum(visits), 0), round(coalesce(sum(total_dwell_seconds), 0), 1)
FROM gold_zone_dwell
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(ts_hour AT TIME ZONE 'UTC' AS date) AS varchar))
