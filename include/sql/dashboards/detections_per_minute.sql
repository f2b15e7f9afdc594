-- Grain: one row a camera and minute with people. Key: time, camera. Source:
-- gold_people_per_minute. Reads only. Detections are counted tracked or not.
SELECT
  ts_minute AS time,
  store_id || '/' || camera_id AS camera,
  detections
FROM lakehouse.rva.gold_people_per_minute
WHERE
  ts_minute BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
ORDER BY time, camera
