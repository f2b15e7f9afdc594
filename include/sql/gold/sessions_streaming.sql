-- Tracks and visits as session windows: one row a track (visit), once the watermark has passed
-- its last detection by the gap. A gap of exactly ${gap_seconds} s does not end it.
SELECT
  ${keys},
  MIN(ts_ms) AS ts_ms, MAX(ts_ms) AS end_ms,
  COUNT(*) AS frames,
  MIN(centre_x) AS min_x, MAX(centre_x) AS max_x,
  MIN(centre_y) AS min_y, MAX(centre_y) AS max_y,
  AVG(centre_x) AS avg_x, AVG(centre_y) AS avg_y,
  AVG(conf) AS avg_conf
FROM TABLE(
  SESSION(
    TABLE tracked_detections PARTITION BY (${keys}),
    DESCRIPTOR(ts),
    ${gap}
  )
)
GROUP BY ${keys}, window_start, window_end
