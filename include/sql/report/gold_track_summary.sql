-- Grain: one row. Rows and sums of a camera's days. Parameters: store_id, camera_id, days
-- (2026-11-24,2026-11-25).
SELECT count(*), coalesce(sum(frames), 0)
FROM gold_track_summary
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(start_ts AT TIME ZONE 'UTC' AS date) AS varchar))
