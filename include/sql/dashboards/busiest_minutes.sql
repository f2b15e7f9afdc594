-- Grain: one row a camera and minute, the ten with the most people. Key: ts_minute, camera.
-- Source: gold_people_per_minute. Reads only.
SELECT
  ts_minute,
  store_id || '/' || camera_id AS camera,
  unique_people,
  detections
FROM lakehouse.rva.gold_people_per_minute
WHERE
  ts_minute BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
ORDER BY unique_people DESC, detections DESC, ts_minute, camera
LIMIT 10
