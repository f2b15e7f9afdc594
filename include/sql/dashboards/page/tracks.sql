-- Grain: one row a track summary, one page of them. Key: (run_id, track_id, start_ts).
-- Source: gold_track_summary. Values: :store, :camera, :begin, :end (UTC, end excluded), :order
-- (newest or longest), :offset, :limit. Reads only. all_tracks counts those of all pages.
SELECT
  run_id,
  track_id,
  start_ts,
  end_ts,
  duration_seconds,
  frames,
  avg_conf,
  delta_x,
  delta_y,
  count(*) OVER () AS all_tracks
FROM lakehouse.{database}.gold_track_summary
WHERE store_id = :store
  AND camera_id = :camera
  AND start_ts >= with_timezone(CAST(:begin AS timestamp(6)), 'UTC')
  AND start_ts < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
ORDER BY
  CASE WHEN :order = 'longest' THEN duration_seconds END DESC,
  start_ts DESC, run_id, track_id
OFFSET :offset
LIMIT :limit
