-- Grain: one row a camera and hour of which streaming Gold left detections out, the newest 500. Key:
-- ts_hour, camera. Source: gold_late_events. Reads only. One column a table that left them out; a
-- detection may count in several, so they are not summed. Takes in every hour that the chosen time
-- touches.
SELECT
  ts_hour,
  store_id || '/' || camera_id AS camera,
  COALESCE(SUM(detections) FILTER (WHERE gold_table = 'gold_people_per_minute'), 0) AS of_minutes,
  COALESCE(SUM(detections) FILTER (WHERE gold_table = 'gold_zone_heatmap'), 0) AS of_heatmap,
  COALESCE(SUM(detections) FILTER (WHERE gold_table = 'gold_track_summary'), 0) AS of_tracks,
  COALESCE(SUM(detections) FILTER (WHERE gold_table = 'gold_zone_dwell'), 0) AS of_dwell,
  MAX(max_late_seconds) AS max_late_seconds
FROM lakehouse.rva.gold_late_events
WHERE
  ts_hour BETWEEN with_timezone(date_trunc('hour', $__timeFrom()), 'UTC')
    AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY ts_hour, store_id, camera_id
ORDER BY ts_hour DESC, camera
LIMIT 500
