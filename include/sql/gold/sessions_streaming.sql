-- Tracks and visits as session windows: one row a track (visit), once the watermark has passed
-- its last detection by the gap. A gap of exactly ${gap_seconds} s does not end it.
SELECT
  ${keys},
  ${measures}
FROM TABLE(
  SESSION(
    TABLE tracked_detections PARTITION BY (${keys}),
    DESCRIPTOR(ts),
    ${gap}
  )
)
GROUP BY ${keys}, window_start, window_end
