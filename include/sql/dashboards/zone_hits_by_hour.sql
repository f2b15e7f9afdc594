-- Grain: one row a camera and hour. Key: time, camera. Source: gold_zone_heatmap. Reads only.
-- The hits of an hour's cells add up to its person detections.
SELECT
  ts_hour AS time,
  store_id || '/' || camera_id AS camera,
  SUM(hits) AS hits
FROM lakehouse.rva.gold_zone_heatmap
WHERE
  ts_hour BETWEEN with_timezone(date_trunc('hour', $__timeFrom()), 'UTC')
    AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY ts_hour, store_id, camera_id
ORDER BY time, camera
