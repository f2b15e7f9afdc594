-- Grain: one row. A camera's tracks over its days, as on the dashboards
-- (dashboards/track_totals.sql): a track that came back under its id is two summaries of one track.
-- Durations are null where there is no track. Source: gold_track_summary. Reads only. Parameters:
-- store_id, camera_id, days (2026-11-24,2026-11-25).
SELECT
  count(DISTINCT (run_id, track_id)),
  count(*),
  approx_percentile(duration_seconds, 0.5),
  max(duration_seconds)
FROM gold_track_summary
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(start_ts AT TIME ZONE 'UTC' AS date) AS varchar))
