-- A camera's minutes of a bounded read. Each track is one row of the inner query: counting them is
-- counting people.
SELECT
  store_id,
  camera_id,
  TO_TIMESTAMP_LTZ(minute_ms, 3) AS window_start,
  SUM(frames) AS detections,
  COUNT(track_id) AS unique_people
FROM (
  SELECT
    store_id, camera_id, run_id, track_id,
    ts_ms - MOD(ts_ms, 60000) AS minute_ms,
    SUM(frames) AS frames
  FROM slices
  WHERE ${starts_in_scope}
  GROUP BY store_id, camera_id, run_id, track_id, ts_ms - MOD(ts_ms, 60000)
)
GROUP BY store_id, camera_id, minute_ms
