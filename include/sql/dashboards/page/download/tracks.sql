-- Grain: the table's, all its columns. Key: (run_id, track_id, start_ts).
-- Source: gold_track_summary. Values: :store, :camera, :begin, :end (UTC, end excluded). Reads only.
SELECT
  store_id,
  camera_id,
  run_id,
  track_id,
  start_ts,
  end_ts,
  frames,
  duration_seconds,
  min_x,
  max_x,
  delta_x,
  min_y,
  max_y,
  delta_y,
  avg_x,
  avg_y,
  avg_conf
FROM lakehouse.{database}.gold_track_summary
WHERE store_id = :store
  AND camera_id = :camera
  AND start_ts >= with_timezone(CAST(:begin AS timestamp(6)), 'UTC')
  AND start_ts < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
ORDER BY start_ts, run_id, track_id
