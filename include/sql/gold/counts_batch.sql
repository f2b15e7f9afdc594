-- Detections and tracks of a time, as counts_streaming.sql, of a bounded read. Each track is one row of
-- the inner query, so that to count rows with a track is to count tracks.
SELECT
  ${keys},
  TO_TIMESTAMP_LTZ(start_ms, 3) AS window_start,
  SUM(frames) AS detections,
  COUNT(track_id) AS tracks
FROM (
  SELECT
    ${keys}, run_id, track_id,
    ts_ms - MOD(ts_ms, ${length_ms}) AS start_ms,
    SUM(frames) AS frames
  FROM slices
  WHERE ${starts_in_scope}
  GROUP BY ${keys}, run_id, track_id, ts_ms - MOD(ts_ms, ${length_ms})
)
GROUP BY ${keys}, start_ms
