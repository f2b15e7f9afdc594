-- Grain: one row. Source: gold_track_summary. Reads only. A track that ended and came back
-- under its id is two summaries of one track. The mean confidence is weighed by frames. Nulls
-- where there is no track.
SELECT
  COUNT(DISTINCT (store_id, camera_id, run_id, track_id)) AS tracks,
  COUNT(*) AS summaries,
  APPROX_PERCENTILE(duration_seconds, 0.5) AS median_duration_seconds,
  MAX(duration_seconds) AS max_duration_seconds,
  SUM(avg_conf * frames) / SUM(frames) AS avg_conf
FROM lakehouse.rva.gold_track_summary
WHERE
  start_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
