-- A cell's hours of a bounded read: as people_batch.sql.
SELECT
  store_id,
  camera_id,
  TO_TIMESTAMP_LTZ(hour_ms, 3) AS window_start,
  zone_x,
  zone_y,
  SUM(frames) AS hits,
  COUNT(track_id) AS unique_tracks
FROM (
  SELECT
    store_id, camera_id, run_id, track_id, zone_x, zone_y,
    ts_ms - MOD(ts_ms, 3600000) AS hour_ms,
    SUM(frames) AS frames
  FROM slices
  WHERE ${starts_in_scope}
  GROUP BY
    store_id, camera_id, run_id, track_id, zone_x, zone_y, ts_ms - MOD(ts_ms, 3600000)
)
GROUP BY store_id, camera_id, hour_ms, zone_x, zone_y
