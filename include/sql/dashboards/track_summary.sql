-- Grain: one row a track summary, the newest 500. Key: camera, run_id, track_id, start_ts.
-- Source: gold_track_summary. Reads only. Positions are box centres in pixels.
SELECT
  store_id || '/' || camera_id AS camera,
  run_id,
  track_id,
  start_ts,
  end_ts,
  duration_seconds,
  frames,
  avg_conf,
  avg_x,
  avg_y,
  delta_x,
  delta_y
FROM lakehouse.rva.gold_track_summary
WHERE
  start_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
ORDER BY start_ts DESC, camera, run_id, track_id
LIMIT 500
