-- Detections and tracks of a time (a camera's minute, a cell's hour): one row, once the watermark has
-- passed it. Key: ${keys}, window_start. Source: person_detections.
SELECT
  ${keys},
  window_start,
  COUNT(*) AS detections,
  COUNT(DISTINCT CONCAT(run_id, '/', CAST(track_id AS STRING))) AS tracks
FROM TABLE(TUMBLE(TABLE person_detections, DESCRIPTOR(ts), ${length}))
WHERE ${starts_in_scope}
GROUP BY ${keys}, window_start, window_end
HAVING ${window_in_scope}
