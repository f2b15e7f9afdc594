-- Grain: one row. Source: gold_people_per_minute. Reads only. People are not summed over
-- minutes: whoever stays two minutes would count twice.
SELECT
  COALESCE(SUM(detections), 0) AS detections,
  COALESCE(MAX(unique_people), 0) AS peak_people_in_a_minute,
  COUNT(DISTINCT ts_minute) AS minutes_with_people,
  COUNT(DISTINCT (store_id, camera_id)) AS cameras
FROM lakehouse.rva.gold_people_per_minute
WHERE
  ts_minute BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
