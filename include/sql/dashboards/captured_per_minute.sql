-- Grain: one row a layer and minute of capture with people. Key: time, layer. Source:
-- silver_detection, gold_people_per_minute. Reads only. Where Gold has passed, both are equal.
SELECT
  ts_minute AS time,
  layer,
  SUM(detections) AS detections
FROM (
  SELECT
    'Silver: person rows' AS layer,
    store_id,
    camera_id,
    date_trunc('minute', capture_ts) AS ts_minute,
    1 AS detections
  FROM lakehouse.rva.silver_detection
  WHERE
    class_name = 'person'
    AND capture_ts >= with_timezone($__timeFrom(), 'UTC')
    AND capture_ts < with_timezone($__timeTo() + INTERVAL '1' MINUTE, 'UTC')
  UNION ALL
  SELECT 'Gold: detections' AS layer, store_id, camera_id, ts_minute, detections
  FROM lakehouse.rva.gold_people_per_minute
)
WHERE
  ts_minute BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY ts_minute, layer
ORDER BY time, layer
